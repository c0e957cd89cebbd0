"""What can be wrong with shops, their tokens and their webhooks. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from cli.facts import Check, Facts, Finding, ShopFacts, connected
from shipclock.domain.times import stamp
from shipclock.domain.zones import is_zone
from shipclock.marketplaces.protocol import Kind, Outcome
from shipclock.marketplaces.tiktok_shop import onboarding
from shipclock.marketplaces.tiktok_shop.codes import MALFORMED
from shipclock.skew import SKEWED
from shipclock.sources import accounts_of

OVERDUE = timedelta(minutes=30)
"""How long after its time a renewal may still be on its way: it is tried every 15 minutes."""

ENDS_SOON = timedelta(days=30)
FAILURES = 3
CONNECT = "Connect the shop again: `shipclock shops connect`."


# Shops


def shops(facts: Facts) -> Iterator[Finding]:
    """Whether there are any, and each one's own settings and secret."""
    if facts.shops is not None and not facts.shops:
        yield Finding(
            "no_shop",
            "shops",
            "None is connected.",
            "Connect one: `shipclock shops connect`.",
        )
    for one in facts.shops or ():
        shop, about = one.shop, f"shop {one.shop.shop_id}"
        if not shop.connected:
            yield Finding("shop_disconnected", about, "It is not connected.", CONNECT)
        if shop.market not in onboarding.MARKETS:
            yield Finding(
                "market_unknown",
                about,
                f"There is no market {shop.market!r}, so nothing can be pushed.",
                f"`shipclock shops set {shop.shop_id} --market …`",
            )
        if not is_zone(shop.zone):
            yield Finding(
                "zone_unknown",
                about,
                f"There is no time zone {shop.zone!r}, so its orders can't be settled.",
                f"`shipclock shops set {shop.shop_id} --zone …`",
            )
        yield from _app(facts, one)
        if shop.connected and one.search_failures >= FAILURES:
            yield Finding(
                "reconcile_failing",
                about,
                f"Its search for lost changes has failed {one.search_failures} times in a row.",
                "Read the sweeper's log lines reconcile.failed for the marketplace's reason.",
            )


def _app(facts: Facts, one: ShopFacts) -> Iterator[Finding]:
    """Whether the app that a shop was connected through is set up for it."""
    if facts.sources.value is None:
        return
    try:
        listed = accounts_of(facts.sources.value, one.shop.marketplace)
    except ValueError:
        return
    app = next((account for account in listed if account.name == one.shop.app_key), None)
    if app is None:
        yield Finding(
            "app_without_secret",
            f"shop {one.shop.shop_id}",
            f"Its app {one.shop.app_key} has no secret, so no call can be made for it.",
            "Put the app's key and secret into the sources' secret.",
        )
    elif app.shops and one.shop.shop_id not in app.shops:
        yield Finding(
            "app_may_not_speak",
            f"shop {one.shop.shop_id}",
            f"The app {app.name} may not speak for it: its webhooks stay in quarantine.",
            "Add the shop to the account's \"shops\" in the sources' secret.",
        )


def tokens(facts: Facts) -> Iterator[Finding]:
    """Whether calls are admitted, and for how long."""
    for one in connected(facts):
        about, held = f"shop {one.shop.shop_id}", one.tokens
        if held is None:
            yield Finding("tokens_missing", about, "There are no tokens for it.", CONNECT)
            continue
        if held.access_expires_at is not None and held.access_expires_at <= facts.at:
            ended = stamp(held.access_expires_at)
            yield Finding(
                "token_expired",
                about,
                f"Its access token ran out at {ended} and was not renewed.",
                f"If the sweeper runs and this stays: {CONNECT}",
            )
        if one.renewal_due is not None and facts.at - one.renewal_due > OVERDUE:
            broken = " An earlier renewal broke off." if one.renewal_broken else ""
            yield Finding(
                "renewal_overdue",
                about,
                f"Its token should have been renewed at {stamp(one.renewal_due)}.{broken}",
                f"Read the sweeper's log lines token.refused for the reason. {CONNECT}",
            )
        ends_at = held.refresh_expires_at
        if ends_at is not None and ends_at - facts.at <= ENDS_SOON:
            how = "ended" if ends_at <= facts.at else "ends"
            yield Finding(
                "authorisation_ends",
                about,
                f"The seller's authorisation {how} at {stamp(ends_at)}.",
                CONNECT,
            )
        for scope in onboarding.missing_scopes(held.scopes) if held.scopes else ():
            yield Finding(
                "scope_missing",
                about,
                f"{scope.name} was not granted ({scope.use}).",
                f"Add it to the app in Partner Center. {CONNECT}",
                fault=scope.needed,
            )


def answers(facts: Facts) -> Iterator[Finding]:
    """What the marketplace's refusals mean."""
    for one in connected(facts):
        for outcome in one.answers:
            yield from _meaning(facts, one, outcome)


def _meaning(facts: Facts, one: ShopFacts, outcome: Outcome) -> Iterator[Finding]:
    about = f"shop {one.shop.shop_id}"
    said = f"The marketplace says: {outcome.reason}."
    if outcome.kind is Kind.OK:
        return
    if outcome.code == MALFORMED and "timestamp" in outcome.reason.lower():
        yield Finding("clock_skew", "the clock", said, SET_CLOCK)
    elif outcome.code in BY_CODE:
        code, mend = BY_CODE[outcome.code]
        yield Finding(code, about, said, mend)
    elif outcome.kind is Kind.EXPIRED:
        ends_at = one.tokens.access_expires_at if one.tokens else None
        if ends_at is None or ends_at > facts.at:  # else it is told already
            mend = f"The next sweep renews it; if this stays: {CONNECT}"
            yield Finding("token_refused", about, said, mend)
    elif outcome.kind in (Kind.UNCLEAR, Kind.LATER, Kind.RATE_LIMITED):
        mend = "Try again in some minutes; check MarketplaceUrl and the way out to it."
        yield Finding("marketplace_silent", about, said, mend)
    else:
        yield Finding("call_refused", about, said, outcome.advice or "Read what it says.")


SET_CLOCK = "Set this machine's clock, or the functions', by a time server."
BY_CODE: Mapping[int, tuple[str, str]] = {
    106001: (
        "app_secret_wrong",
        "Put the app's present secret first into the account's secrets in the sources' secret.",
    ),
    36009033: (
        "address_not_allowed",
        "Take the allow-list off the app in Partner Center, or give the functions a fixed address "
        "that is on it. (This was asked from here, not from the functions.)",
    ),
    105001: ("token_refused", CONNECT),
    105005: ("scope_missing", f"Add the scope to the app in Partner Center. {CONNECT}"),
    101000: ("cipher_wrong", CONNECT),
    106013: ("cipher_wrong", CONNECT),
}
"""Codes that name a fault of a set-up (`tiktok-shop.md` 6.2)."""


def authorised(facts: Facts) -> Iterator[Finding]:
    """Whether the authorisation still covers each shop, under the cipher that we send."""
    for one in connected(facts):
        if one.authorised is None:
            continue
        about = f"shop {one.shop.shop_id}"
        listed = {told.shop_id: told for told in one.authorised}
        told = listed.get(one.shop.shop_id)
        if told is None:
            what = "The authorisation covers it no more."
            yield Finding("shop_not_authorised", about, what, CONNECT)
        elif told.cipher != one.shop.cipher:
            what = "Its cipher is not the one that the marketplace lists."
            yield Finding("cipher_wrong", about, what, CONNECT)


def clock(facts: Facts) -> Iterator[Finding]:
    """Whether requests signed here are in the marketplace's window."""
    if abs(facts.skew) >= SKEWED:
        seconds = int(facts.skew.total_seconds())
        way = "ahead of" if seconds > 0 else "behind"
        what = f"The clock here is {abs(seconds)} s {way} the marketplace's."
        yield Finding("clock_skew", "the clock", what, SET_CLOCK)


# Webhooks


def webhooks(facts: Facts) -> Iterator[Finding]:
    """Whether each topic comes to us, and safely."""
    for one in connected(facts):
        if one.topics is None:
            continue
        again = f"`shipclock shops webhooks {one.shop.shop_id}`"
        for topic in onboarding.TOPICS:
            about = f"topic {topic} of shop {one.shop.shop_id}"
            at = one.topics.get(topic, "")
            if not at:
                yield Finding(
                    "topic_missing",
                    about,
                    "It is not registered for the shop.",
                    f"{again} (if it is switched on for the whole app in Partner Center, it "
                    "comes anyway)",
                )
            elif at != facts.address:
                code, what = _elsewhere(at, facts.address)
                mend = f"{again} --take-over, unless another system needs it."
                yield Finding(code, about, f"It goes to {at}: {what}.", mend)


def _elsewhere(at: str, ours: str) -> tuple[str, str]:
    """What is wrong with an address that is not ours."""
    if not at.lower().startswith("https://"):
        return "topic_not_https", "that is not https"
    if _host(at) != _host(ours):
        return "topic_elsewhere", "that is not this stack"
    return "topic_wrong_path", "that is this stack, but not its address for webhooks"


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


CHECKS: tuple[Check, ...] = (shops, tokens, answers, authorised, clock, webhooks)
