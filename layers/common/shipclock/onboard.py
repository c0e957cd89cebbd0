"""Connecting sellers: from a consent's code to connected shops with registered webhooks.

What an operator does, once per seller, outside any lane: the calls are few, harmless to repeat
(but for the code, which is good once), and none of them renews a token. Messages and outcomes
never hold a code, a token or a secret.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shipclock import rows
from shipclock.connect import attach_shop, let_go, store_tokens
from shipclock.domain.zones import is_zone
from shipclock.escalation import steps_of
from shipclock.lane import LEASE
from shipclock.marketplaces.protocol import Call, Hosts, Keys, Kind, Outcome, Shop, Tokens
from shipclock.marketplaces.tiktok_shop import interpret, onboarding, sign
from shipclock.marketplaces.tiktok_shop.onboarding import Authorised, Grant, PlaceUnknown
from shipclock.marketplaces.tiktok_shop.versions import ENDPOINTS
from shipclock.ports import Change, NoAnswer, NotSent, Store, Wire
from shipclock.reading import Unreadable
from shipclock.rules import packs
from shipclock.rules.calendar import NoWorkingDay, Span
from shipclock.rules.policy import Calendar
from shipclock.shops import shop_of
from shipclock.skew import skew
from shipclock.sources import Account
from shipclock.wishes import APPROVE_CANCELLATION, REMEDIES

TRIES = 3
WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=30)
BUSY_PAUSE = timedelta(seconds=5)

AGAIN = (Kind.RATE_LIMITED, Kind.UNCLEAR, Kind.LATER)
"""Answers after which a call that is harmless to repeat is made again."""


class OnboardError(Exception):
    """It can't be done as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer and how far our clock was ahead of the one it was given by."""

    outcome: Outcome
    skew: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Door:
    """The marketplace's door for an operator: signed calls, at no pace, few."""

    wire: Wire
    hosts: Hosts
    real: Callable[[], datetime]
    sleep: Callable[[float], None]

    def ask(self, call: Call, app: Account, tokens: Tokens | None, cipher: str = "") -> Said:
        """Make a call for an app. Repeats it a few times where that is harmless and may help."""
        said = self._once(call, app, tokens, cipher)
        for _ in range(0 if call.writes else TRIES - 1):
            if said.outcome.kind not in AGAIN:
                break
            wait = min(said.outcome.wait or WAIT, LONGEST_WAIT)
            self.sleep(wait.total_seconds())
            said = self._once(call, app, tokens, cipher)
        return said

    def _once(self, call: Call, app: Account, tokens: Tokens | None, cipher: str) -> Said:
        keys = Keys(app.secrets[0], tokens.access_token if tokens else "", "")
        shop = Shop("", onboarding.NAME, "", "", app.name, cipher, "")
        sent_at = self.real()
        try:
            reply = self.wire.send(sign(call, shop, keys, self.hosts, sent_at))
        except NoAnswer as silence:
            return Said(Outcome(Kind.UNCLEAR, reason=f"no answer: {silence}"))
        except NotSent as failure:
            return Said(Outcome(Kind.LATER, reason=f"not sent: {failure}"))
        outcome = interpret(call, reply)
        outcome = replace(outcome, reason=onboarding.printable(outcome.reason))
        return Said(outcome, skew(reply.headers, sent_at, self.real()))


def refused(what: str, outcome: Outcome) -> OnboardError:
    """The error of a call that the marketplace answered with anything but success."""
    advice = f" {outcome.advice}" if outcome.advice else ""
    if outcome.kind is Kind.EXPIRED:
        advice = " The next sweep renews the token: try again in two minutes."
    return OnboardError(f"{what}: {outcome.reason}.{advice}")


def app_of(accounts: Iterable[Account], app_key: str | None) -> Account:
    """The app to connect through; the only one where none is named. Raises `OnboardError`."""
    listed = {account.name: account for account in accounts}
    if not listed:
        raise OnboardError(
            "The sources' secret holds no app of TikTok Shop. Put "
            '{"tiktok_shop": [{"account": "<app key>", "secrets": ["<app secret>"]}]} there.'
        )
    if app_key is None and len(listed) == 1:
        return next(iter(listed.values()))
    if app_key is None:
        names = ", ".join(sorted(listed))
        raise OnboardError(
            f"The sources' secret holds several apps: choose one with --app: {names}"
        )
    if app_key not in listed:
        names = ", ".join(sorted(listed))
        raise OnboardError(f"The sources' secret holds no app {app_key}; it holds {names}.")
    return listed[app_key]


def exchange(door: Door, app: Account, code: str) -> Grant:
    """The tokens for a consent's code, which is used up by it. Raises `OnboardError`."""
    outcome = door.ask(onboarding.exchange(app.name, app.secrets[0], code), app, None).outcome
    if outcome.kind is not Kind.OK:
        raise OnboardError(
            f"The marketplace gave no tokens for this code: {outcome.reason}. A code is good once "
            f"and for {onboarding.CODE_LIVES_MINUTES} minutes: let the seller consent again. If "
            "that fails too, check the app secret in the sources' secret."
        )
    try:
        return onboarding.read_grant(outcome)
    except Unreadable as error:
        raise OnboardError(f"The consent can't be used: {error}.") from None


def authorised(door: Door, app: Account, tokens: Tokens) -> tuple[Authorised, ...]:
    """The shops that the tokens speak for. Raises `OnboardError`; also where there are none."""
    outcome = door.ask(onboarding.authorised_shops(), app, tokens).outcome
    if outcome.kind is not Kind.OK:
        raise refused("The authorised shops can't be listed", outcome)
    try:
        found = onboarding.read_shops(outcome)
    except Unreadable as error:
        raise OnboardError(f"The list of authorised shops can't be read: {error}.") from None
    if not found:
        raise OnboardError(
            "The consent covers no shop. Let the seller consent with the account that owns one."
        )
    return found


def planned(
    store: Store,
    found: Iterable[Authorised],
    grant: Grant,
    app: Account,
    wanted: Iterable[str] = (),
    market: str = "",
    zone: str = "",
) -> tuple[list[Shop], list[str]]:
    """The connections to make of the authorised shops, and why others can't be made.

    `wanted` limits them. Raises `OnboardError` where one of those is not authorised.
    """
    listed = {shop.shop_id: shop for shop in found}
    only = set(wanted) or set(listed)
    if strange := sorted(only - set(listed)):
        raise OnboardError(
            f"The consent does not cover {', '.join(strange)}; it covers {', '.join(listed)}."
        )
    shops: list[Shop] = []
    problems: list[str] = []
    for told in (listed[shop_id] for shop_id in sorted(only)):
        old = shop_of(store, told.shop_id)
        try:
            shops.append(onboarding.shop_of(told, grant.authorisation, app.name, old, market, zone))
        except PlaceUnknown as error:
            problems.append(str(error))
    return shops, problems


def connect_all(store: Store, door: Door, shops: list[Shop], tokens: Tokens) -> list[str]:
    """Connect shops of one authorisation; the ids of those whose lane stayed in use.

    The tokens are stored once and first, so that nothing that fails later loses them. A lane in
    use is waited for: no sweep holds one for longer than its lease.
    """
    if not shops:
        return []
    store_tokens(store, shops[0], tokens, door.real())
    busy: list[str] = []
    for shop in shops:
        old = shop_of(store, shop.shop_id)
        give_up = door.real() + LEASE + BUSY_PAUSE
        while not attach_shop(store, shop, door.real()):
            if door.real() >= give_up:
                busy.append(shop.shop_id)
                break
            door.sleep(BUSY_PAUSE.total_seconds())
        else:
            if old is not None and old.authorisation != shop.authorisation:
                let_go(store, old)
    ours = [shop for shop in shops if shop.shop_id not in busy]
    if busy and ours:  # a shop that may not be connected must not be the one that renews
        key = rows.authorisation_key(ours[0].authorisation)
        store.write(Change(key, set={"shop_id": ours[0].shop_id}))
    return busy


# Settings


def settings_changed(shop: Shop, changes: Mapping[str, Any]) -> Shop:
    """The shop with some settings changed. Raises `OnboardError` for a value that is none.

    A zone that was only guessed from the market goes with the market.
    """
    shop = replace(shop, **changes)
    if "market" in changes and "zone" not in changes:
        shop = replace(shop, zone=onboarding.zone_of(shop.market))
    check_place(shop.market, shop.zone)
    if foreign := [name for name in shop.automatic if name not in AUTOMATIC]:
        raise OnboardError(
            f"{', '.join(foreign)} can't go out by itself; there are: {', '.join(AUTOMATIC)}."
        )
    if shop.pack and shop.pack not in packs.names():
        raise OnboardError(
            f"There is no pack {shop.pack!r}; there are: {', '.join(packs.names())}."
        )
    _check_closed(shop)
    try:
        steps_of(shop.escalation)
    except ValueError as error:
        raise OnboardError(f"{error}.") from None
    for name, version in shop.versions.items():
        if name not in ENDPOINTS or not VERSION.fullmatch(version):
            raise OnboardError(
                f"{name}={version} pins no call: name one of {', '.join(sorted(ENDPOINTS))}, and a "
                "version as 202309."
            )
    return shop


def _check_closed(shop: Shop) -> None:
    """Raises `OnboardError` for days that are none, and where a year on end would be closed by the
    calendar of the shop's pack: no deadline could be counted in working days then."""
    spans = []
    for days in shop.closed:
        try:
            spans.append(Span.parse(days))
        except ValueError as error:
            raise OnboardError(
                f"{days!r} are no days on which a shop is closed ({error}): write one day as "
                "2026-12-25, or the first and the last as 2026-12-24/2026-12-26."
            ) from error
    ruling = {}
    for span in spans:
        pack = packs.policy_for(shop.market, span.first, shop.zone or "UTC", shop.pack).pack
        ruling[pack.name] = pack
    try:
        for pack in ruling.values():
            (pack.calendar or Calendar()).days(shop.market, tuple(spans)).check()
    except NoWorkingDay as error:
        raise OnboardError(f"The shop would be closed for more than a year: {error}.") from error
    except OverflowError as error:
        raise OnboardError("A closed day is none of our calendar's: check its year.") from error


AUTOMATIC = (*REMEDIES, APPROVE_CANCELLATION)
"""What a shop's setting may let out without a person."""

VERSION = re.compile(r"20\d{4}")


def check_place(market: str, zone: str) -> None:
    """Raises `OnboardError` where market or zone is given and is none."""
    if market and market not in onboarding.MARKETS:
        markets = ", ".join(sorted(onboarding.MARKETS))
        raise OnboardError(f"There is no market {market!r}; there are {markets}.")
    if zone and not is_zone(zone):
        raise OnboardError(
            f"There is no time zone {zone!r}. Use an IANA name such as Asia/Kuala_Lumpur."
        )
