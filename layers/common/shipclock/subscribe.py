"""Registering a shop's webhooks with the marketplace: every topic that we read, one call each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipclock.marketplaces.protocol import Kind, Shop, Tokens
from shipclock.marketplaces.tiktok_shop import onboarding
from shipclock.onboard import Door, OnboardError, refused
from shipclock.reading import Unreadable
from shipclock.sources import Account


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How registering a shop's topics went. `foreign`: topic to another address, left alone."""

    registered: tuple[str, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every topic is sent to us."""
        return not self.foreign and not self.failed


def registered(door: Door, app: Account, tokens: Tokens, shop: Shop) -> dict[str, str]:
    """Which topics the marketplace sends where for a shop. Raises `OnboardError`."""
    outcome = door.ask(onboarding.list_webhooks(), app, tokens, shop.cipher).outcome
    if outcome.kind is not Kind.OK:
        raise refused(f"The webhooks of shop {shop.shop_id} can't be listed", outcome)
    try:
        return onboarding.read_webhooks(outcome)
    except Unreadable as error:
        raise OnboardError(
            f"The list of webhooks of shop {shop.shop_id} can't be read: {error}."
        ) from None


def check_address(address: str) -> None:
    """Raises `OnboardError` where the marketplace would not take that address for webhooks."""
    if reason := onboarding.bad_address(address):
        raise OnboardError(
            f"The address {address!r} can't be registered for webhooks: {reason}. The marketplace "
            "takes an https address with a domain name and without a port; give one with "
            "--webhook-address, or connect with --no-webhooks."
        )


def subscribe(
    door: Door, app: Account, tokens: Tokens, shop: Shop, address: str, take_over: bool = False
) -> Webhooks:
    """Have every topic that we read sent to our address, then read back whether it is.

    A topic that goes elsewhere is left alone unless `take_over`: somebody may rely on it. Raises
    `OnboardError` where the topics can't be listed, or the address can't be registered.
    """
    check_address(address)
    before = registered(door, app, tokens, shop)
    foreign = {
        topic: before[topic]
        for topic in onboarding.TOPICS
        if before.get(topic) and before[topic] != address and not take_over
    }
    failed: dict[str, str] = {}
    for topic in onboarding.TOPICS:
        if topic in foreign or before.get(topic) == address:
            continue
        put = onboarding.put_webhook(topic, address)
        outcome = door.ask(put, app, tokens, shop.cipher).outcome
        if outcome.kind is not Kind.OK:
            failed[topic] = f"{outcome.reason}. {outcome.advice}".strip()
    after = registered(door, app, tokens, shop)
    for topic in onboarding.TOPICS:
        if topic not in foreign and topic not in failed and after.get(topic) != address:
            failed[topic] = "it was accepted and is not in the list that was read back"
    done = tuple(topic for topic in onboarding.TOPICS if after.get(topic) == address)
    return Webhooks(done, foreign, {t: why for t, why in failed.items() if t not in done})


def unsubscribe(
    door: Door, app: Account, tokens: Tokens, shop: Shop, address: str
) -> dict[str, str]:
    """Have the topics that come to our address sent no more; those that could not be, and why."""
    failed = {}
    for topic, at in registered(door, app, tokens, shop).items():
        if at == address:
            call = onboarding.delete_webhook(topic)
            outcome = door.ask(call, app, tokens, shop.cipher).outcome
            if outcome.kind is not Kind.OK:
                failed[topic] = outcome.reason
    return failed
