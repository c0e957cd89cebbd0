"""What a scenario expects to be there to see in the end, and what of it is lacking. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SHIP = "ship_package or mark_package_as_shipped"
"""The ship call, whichever the market has."""


ANY = "of any name"
"""In place of a clock's name: which clocks there are says the market's pack."""


@dataclass(frozen=True, slots=True)
class Shows:
    """What must be there to see; everything left out may be as it likes.

    Of the order's page: its status, pushes by call, clocks (or `ANY`) and verdicts by name (a
    verdict as `rule/cause`), what is prepared, notices and sources of events by name, how many
    packages.
    `effects` is how often the marketplace let itself be told, by call; `called` a path that it was
    called by since the scenario began; `label` that its label is kept. Of the shop: whether it is
    connected, what its seller was told, how a SKU stands. `quarantined`: new deliveries in
    quarantine.
    """

    status: str = ""
    pushes: Mapping[str, str] = field(default_factory=dict)
    clocks: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    prepared: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    packages: int | None = None
    package: str = ""
    effects: Mapping[str, int] = field(default_factory=dict)
    called: str = ""
    label: bool = False
    connected: bool | None = None
    shop_notices: tuple[str, ...] = ()
    stock: Mapping[str, str] = field(default_factory=dict)
    quarantined: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there: the order's page (None: the hub knows no such order), and the rest."""

    page: Mapping[str, Any] | None = None
    effects: Mapping[str, int] = field(default_factory=dict)
    paths: Collection[str] = ()
    label: bool = False
    connected: bool = False
    shop_notices: Collection[str] = ()
    stock: Mapping[str, str] = field(default_factory=dict)
    quarantined: int = 0


def lacking(shows: Shows, seen: Seen) -> list[str]:
    """What of it does not show, each in a few words; empty when all does."""
    return [*_order(shows, seen.page), *_market(shows, seen), *_shop(shows, seen)]


def _order(shows: Shows, page: Mapping[str, Any] | None) -> Iterator[str]:
    about = (
        *(shows.status, shows.pushes, shows.clocks, shows.verdicts, shows.prepared),
        *(shows.notices, shows.events, shows.packages is not None, shows.package),
    )
    if page is None:
        if any(about):
            yield "the hub does not know the order yet"
        return
    if shows.status and page["status"] != shows.status:
        yield f"status {shows.status}; it is {page['status']}"
    for call, state in shows.pushes.items():
        yield from _in(f"push {call}", state, [p["state"] for p in _of(page, call)])
    for name, state in shows.clocks.items():
        states = [clock["state"] for clock in page["clocks"] if name in (ANY, clock["name"])]
        yield from _in(f"clock {name}", state, states)
    for name, state in shows.verdicts.items():
        states = [v["state"] for v in page["verdicts"] if _verdict(v) == name]
        yield from _in(f"verdict {name}", state, states)
    yield from _among("prepared", shows.prepared, [item["kind"] for item in page["prepared"]])
    yield from _among("notice", shows.notices, [notice["kind"] for notice in page["notices"]])
    yield from _among("event from", shows.events, [event["source"] for event in page["events"]])
    packages = [package["package_id"] for package in page["packages"]]
    if shows.packages is not None and len(packages) != shows.packages:
        yield f"{shows.packages} packages; there are {len(packages)}"
    yield from _among("package", (shows.package,) if shows.package else (), packages)


def _of(page: Mapping[str, Any], call: str) -> list[Mapping[str, Any]]:
    return [push for push in page["pushes"] if push["call"] in call.split(" or ")]


def _verdict(verdict: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (verdict["rule"], verdict["cause"])))


def _in(what: str, wanted: str, found: Collection[str]) -> Iterator[str]:
    if wanted not in found:
        yield f"{what} {wanted}; it is {' and '.join(found) or 'not there'}"


def _among(what: str, wanted: Collection[str], found: Collection[str]) -> Iterator[str]:
    for name in wanted:
        if name not in found:
            yield f"{what} {name}; it is not there"


def _market(shows: Shows, seen: Seen) -> Iterator[str]:
    for call, times in shows.effects.items():
        found = sum(seen.effects.get(name, 0) for name in call.split(" or "))
        if found != times:
            yield f"{call} to have taken effect {times} times; it did {found} times"
    if shows.called and shows.called not in seen.paths:
        yield f"a call of {shows.called}; there was none"
    if shows.label and not seen.label:
        yield "the package's label to be kept; it is not"


def _shop(shows: Shows, seen: Seen) -> Iterator[str]:
    if shows.connected is not None and seen.connected != shows.connected:
        words = {True: "connected", False: "not connected"}
        yield f"the shop {words[shows.connected]}; it is {words[seen.connected]}"
    yield from _among("the shop's notice", shows.shop_notices, seen.shop_notices)
    for sku, status in shows.stock.items():
        if seen.stock.get(sku) != status:
            yield f"SKU {sku} {status}; it is {seen.stock.get(sku) or 'not told of'}"
    if shows.quarantined is not None and seen.quarantined != shows.quarantined:
        yield f"{shows.quarantined} new deliveries in quarantine; there are {seen.quarantined}"


def in_words(shows: Shows) -> list[str]:
    """What is expected, for a person to look at by themselves."""
    named = {"push": shows.pushes, "clock": shows.clocks, "verdict": shows.verdicts}
    named |= {"SKU": shows.stock}
    listed = {"prepared": shows.prepared, "notice": shows.notices, "event from": shows.events}
    listed |= {"the shop's notice": shows.shop_notices}
    words = [f"status {shows.status}"] if shows.status else []
    words += [f"{what} {name} {state}" for what, of in named.items() for name, state in of.items()]
    words += [f"{what} {', '.join(names)}" for what, names in listed.items() if names]
    words += [f"packages: {shows.packages}"] if shows.packages is not None else []
    words += ["the label kept"] if shows.label else []
    if shows.connected is not None:
        words.append("the shop connected" if shows.connected else "the shop not connected")
    return words
