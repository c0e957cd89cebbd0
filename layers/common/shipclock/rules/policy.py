"""Policy packs: deadlines as data, dated, per market (DESIGN 5). Read once, checked as read."""

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

PACKS = ("guide-2023",)
"""The packs that ship with the product, one file each in `policies/`."""

DEFAULT = "guide-2023"
RULES = "shipclock.rules"

Hours = Annotated[int, Field(gt=0, le=24 * 366)]


class PolicyError(Exception):
    """A pack says something that cannot be: names the pack, the key and what is accepted."""


class Clause(BaseModel):
    """One clause: its figures, and what they rest on. Durations are hours of 60 minutes.

    Which figures it must have says the rule of its name (`NEEDS` in the rule's file).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    clause: str
    hours: Hours | None = None
    attempts: Annotated[int, Field(ge=1, le=100)] | None = None
    first_reminder_hours: Hours | None = None
    reminder_at: dt.time | None = None
    final_warning_hours: Hours | None = None

    @property
    def period(self) -> dt.timedelta:
        """How long the clock runs; of a rule that needs `hours`."""
        return dt.timedelta(hours=self.hours or 0)

    @property
    def count(self) -> int:
        """How many attempts; of a rule that needs `attempts`."""
        return self.attempts or 1


class Pack(BaseModel):
    """One policy pack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    markets: tuple[str, ...]
    since: dt.date = Field(alias="from")
    until: dt.date | None = None
    ship_on: Literal["scan"]
    clauses: dict[str, Clause]

    @field_validator("clauses")
    @classmethod
    def _known(cls, clauses: dict[str, Clause]) -> dict[str, Clause]:
        """A clause bears its rule's name and has the rule's figures; all else is a slip."""
        rules = {path.name.removesuffix(".py") for path in resources.files(RULES).iterdir()}
        if unknown := clauses.keys() - (rules - {"__init__", "policy", "rule"}):
            raise ValueError(f"no rule is called {', '.join(sorted(unknown))}")
        for name, clause in clauses.items():
            needs = getattr(import_module(f"{RULES}.{name}"), "NEEDS", ())
            if lacking := [figure for figure in needs if getattr(clause, figure) is None]:
                missing = ", ".join(f"clauses.{name}.{figure}" for figure in lacking)
                raise ValueError(f"{missing}: the rule of this name needs it")
        return clauses

    def in_force(self, market: str, day: dt.date) -> bool:
        """Whether this pack rules an order of that market placed on that local day."""
        return market in self.markets and self.since <= day and (not self.until or day < self.until)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a shop's orders are judged by: a pack and the shop's own terms.

    `hand_marked`: its orders are marked as shipped by hand. `default_provider` is the id of the
    provider that stands for carriers of any name.
    """

    pack: Pack
    zone: ZoneInfo
    hand_marked: bool = False
    default_provider: str = ""

    def clause(self, rule: str) -> Clause | None:
        """The pack's clause for a rule; None where the pack leaves it to the marketplace."""
        return self.pack.clauses.get(rule)

    def set_by(self, rule: str) -> str:
        """The name under which a clause is cited."""
        return f"{self.pack.name}:{rule}"


def parse_pack(text: str, name: str) -> Pack:
    """Read a pack from TOML. Raises PolicyError naming the pack and every wrong key."""
    try:
        return Pack.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"pack {name} is not TOML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']} (given: {e['input']!r})"
            for e in error.errors()
        )
        raise PolicyError(f"pack {name}: {wrong}") from error


@cache
def load(name: str) -> Pack:
    """A pack that ships with the product, by name."""
    if name not in PACKS:
        raise PolicyError(f"there is no pack {name!r}; there are: {', '.join(PACKS)}")
    path = resources.files(RULES) / "policies" / f"{name}.toml"
    return parse_pack(path.read_text("utf-8"), name)


@cache
def policy_for(market: str, day: dt.date, zone: str, chosen: str = "") -> Policy:
    """The pack in force for a market on an order's local day, else the default pack; or the one
    that the shop has chosen. Raises PolicyError where there is no such pack."""
    if chosen:
        return Policy(load(chosen), ZoneInfo(zone))
    packs = [pack for pack in map(load, PACKS) if pack.in_force(market, day)]
    newest = max(packs, key=lambda pack: pack.since, default=None)
    return Policy(newest or load(DEFAULT), ZoneInfo(zone))
