"""Every variable that the functions read, checked once when a function starts."""

from collections.abc import Mapping
from dataclasses import dataclass


class SettingMissing(Exception):
    """A variable that the template sets is not there."""


def _need(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingMissing(f"{name} is not set; template.yaml gives it to the function")
    return value


@dataclass(frozen=True, slots=True)
class SweeperSettings:
    """What the sweeper reads."""

    table: str
    sources_secret: str
    bus: str
    topic: str
    destinations_secret: str
    marketplace_url: str
    auth_url: str
    time_travel: bool
    raw_days: int
    silence_hours: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "SweeperSettings":
        """Read them; raises `SettingMissing` naming the first that is not there."""
        return cls(
            table=_need(env, "SHIPCLOCK_TABLE"),
            sources_secret=_need(env, "SHIPCLOCK_SOURCES_SECRET"),
            bus=_need(env, "SHIPCLOCK_BUS"),
            topic=_need(env, "SHIPCLOCK_TOPIC"),
            destinations_secret=_need(env, "SHIPCLOCK_DESTINATIONS_SECRET"),
            marketplace_url=_need(env, "SHIPCLOCK_MARKETPLACE_URL").rstrip("/"),
            auth_url=_need(env, "SHIPCLOCK_AUTH_URL").rstrip("/"),
            time_travel=env.get("SHIPCLOCK_TIME_TRAVEL", "off") == "on",
            raw_days=int(env.get("SHIPCLOCK_RAW_DAYS", "180")),
            silence_hours=int(env.get("SHIPCLOCK_SILENCE_HOURS", "24")),
        )

    @property
    def rehearsal(self) -> bool:
        """Whether the stack plays on one machine: it travels in time and its marketplace is there.

        Both, since at 127.0.0.1 a function in AWS finds Lambda's own interface.
        """
        return self.time_travel and self.marketplace_url.startswith("http://127.0.0.1:")


@dataclass(frozen=True, slots=True)
class HubSettings:
    """What the hub reads."""

    table: str
    hub_secret: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "HubSettings":
        """Read them; raises `SettingMissing` naming the first that is not there."""
        return cls(_need(env, "SHIPCLOCK_TABLE"), _need(env, "SHIPCLOCK_HUB_SECRET"))
