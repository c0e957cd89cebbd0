"""The life of a wish for stock: what an answer makes of it, and what a search shows. Pure.

An update is absolute and the marketplace dedupes nothing: repeated after a sale it would put the
units that were sold back on sale, and one that lands late wins over a newer one. So after an answer
that is no clear yes or no a search decides, warehouse by warehouse, before anything is repeated.
What stays open: a sale in the moment between a search and the update that follows it, and an update
that lands longer than the wait after the last one was sent.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shipclock import backoff
from shipclock.aftermath import BROKE_OFF, MISCONFIGURED_WAIT, doubted_since, wait_of
from shipclock.domain.push import UNCLEAR_WAIT, Effect, IntentState
from shipclock.marketplaces.protocol import Kind, Outcome, Shelf
from shipclock.stockwish import StockWish, Update

Shelves = Mapping[str, Shelf]
"""A SKU as one search shows it, by warehouse."""

VANISHED = 4
"""So many searches in a row that do not show a SKU mean that it is not there: one may leave out
rows without a word (`tiktok-shop.md` 6.1)."""

MOST_OLDER = 10

NOT_SHOWN = (
    "the marketplace does not show this SKU with its warehouses",
    "Check the SKU's id in Seller Center, then set it again.",
)
OLDER_FEARED = "taken; an older update that nothing was heard of may still land"
UNSEEN = "the update's effect was not seen"
OVERTAKEN = "an older update has landed late"
OTHER_NUMBERS = "the stock has changed in another way meanwhile"
LOOK = "Look at the SKU in Seller Center, then set it again with `shipclock stock set`."


def looks_at(wish: StockWish) -> datetime | None:
    """From when, in real time, a search tells what became of an update in doubt; None: no doubt."""
    if wish.state is not IntentState.UNCLEAR or wish.unclear_at is None:
        return None
    return wish.unclear_at + UNCLEAR_WAIT


def ready(wish: StockWish, now: datetime, real: datetime) -> bool:
    """Whether there is something to do about a wish."""
    if wish.not_before is not None and wish.not_before > now:
        return False
    look = looks_at(wish)
    return look <= real if look is not None else wish.state is IntentState.PENDING


def orphaned(wish: StockWish, holder: str, real: datetime) -> StockWish | None:
    """A wish that another lease left `sending`, as one in doubt; None for any other."""
    if wish.state is not IntentState.SENDING or wish.lease == holder:
        return None
    since = doubted_since(wish.sent_at, real)
    return replace(wish, state=IntentState.UNCLEAR, unclear_at=since, reason=BROKE_OFF)


# A search


def unsearched(wish: StockWish, outcome: Outcome, now: datetime) -> StockWish:
    """A search that brought nothing. What is in doubt stays so, whatever the answer is."""
    told = replace(wish, reason=outcome.reason, advice=outcome.advice)
    if outcome.kind is Kind.REFUSED and wish.state is IntentState.PENDING:
        return replace(told, state=IntentState.REFUSED)
    lasting = outcome.kind in (Kind.REFUSED, Kind.MISCONFIGURED)
    wait = outcome.wait or (MISCONFIGURED_WAIT if lasting else backoff.REREAD[0])
    return replace(told, not_before=now + wait)


def not_shown(wish: StockWish, now: datetime) -> StockWish:
    """A search without the SKU: asked again ever more rarely, at last given up."""
    misses = wish.misses + 1
    reason, advice = NOT_SHOWN
    missed = replace(wish, misses=misses, reason=reason, advice=advice)
    if misses < VANISHED:
        return replace(missed, not_before=backoff.after(backoff.REREAD, misses, now))
    doubted = wish.state is IntentState.UNCLEAR
    return replace(missed, state=IntentState.DEAD if doubted else IntentState.REFUSED)


def judged(wish: StockWish, shelves: Shelves, now: datetime, real: datetime) -> StockWish:
    """A wish whose update is in doubt, after a search from after the wait."""
    sent = wish.sent
    if sent is None:
        return replace(wish, state=IntentState.PENDING)
    effects = {
        place: effect_of(sent, place, shelves)
        for place, units in sent.quantities.items()
        if units != sent.available[place]
    }
    landed = {place for place, effect in effects.items() if effect is Effect.SEEN}
    if landed == effects.keys():
        return _landed(wish, real)
    kept = {place for place in landed if wish.quantities.get(place) == sent.quantities[place]}
    late = [old for old in wish.older if _shows(old, sent, shelves, effects.keys() - landed)]
    doubted = replace(
        wish,
        sent=None,
        accepted=False,
        not_before=None,
        reached=tuple(sorted({*wish.reached, *kept})),
        older=wish.older if wish.accepted else with_older(wish, sent),
        failures=wish.failures + 1,
        reason=OVERTAKEN if late else UNSEEN,
        advice="",
    )
    other = Effect.OTHER in effects.values() and not late and sent.number == wish.number
    if other or backoff.exhausted(backoff.PUSH, doubted.failures):
        shown = ", ".join(f"{place}: {shelf.available}" for place, shelf in sorted(shelves.items()))
        reason = f"{OTHER_NUMBERS if other else doubted.reason} (by warehouse: {shown})"[:300]
        return replace(doubted, state=IntentState.DEAD, reason=reason, advice=LOOK)
    again = backoff.after(backoff.PUSH, doubted.failures, now)
    return replace(doubted, state=IntentState.PENDING, not_before=again if again > now else None)


def effect_of(sent: Update, place: str, shelves: Shelves) -> Effect:
    """What a search shows of an update that changed a warehouse.

    Sales and cancellations move units between available and committed and leave their sum. What
    has left the warehouse, or was set by somebody else, makes it nobody's numbers: `other`.
    """
    shelf = shelves.get(place)
    if shelf is None:
        return Effect.OTHER
    units, committed = sent.quantities[place], sent.committed[place]
    total = shelf.available + shelf.committed
    if shelf.available == units or total == units + committed:
        return Effect.SEEN
    return Effect.NOT_SEEN if total == sent.available[place] + committed else Effect.OTHER


def _shows(old: Update, sent: Update, shelves: Shelves, places: set[str]) -> bool:
    """Whether the warehouses that do not show an update show an older one instead."""
    return all(
        place in old.quantities
        and place in shelves
        and old.quantities[place] != sent.available[place]
        and effect_of(
            replace(sent, quantities={**sent.quantities, place: old.quantities[place]}),
            place,
            shelves,
        )
        is Effect.SEEN
        for place in places
    )


def with_older(wish: StockWish, sent: Update) -> tuple[Update, ...]:
    """The updates that may land late, with one more: each set of numbers once."""
    others = [old for old in wish.older if dict(old.quantities) != dict(sent.quantities)]
    return (*others, sent)[-MOST_OLDER:]


def _landed(wish: StockWish, real: datetime) -> StockWish:
    """A wish whose update took effect; what a newer wish wants besides is left to do."""
    told = wish.sent.quantities if wish.sent else {}
    reached = {place for place, units in wish.quantities.items() if told.get(place) == units}
    return reach(replace(wish, sent=None, accepted=False, not_before=None), reached, real)


def reach(wish: StockWish, places: set[str], real: datetime) -> StockWish:
    """A wish of which some warehouses have been brought where they shall be."""
    told = replace(wish, reached=tuple(sorted({*wish.reached, *places})), reason="", advice="")
    if told.left:
        return replace(told, state=IntentState.PENDING)
    return replace(told, state=IntentState.DONE, older=(), done_at=real, misses=0)


def drawn(wish: StockWish, shelves: Shelves, most: int, real: datetime) -> StockWish | Update:
    """The update that a pending wish takes by now: whole, every warehouse of the SKU in it. Or the
    wish, where nothing is to be sent: all is so already, or it can't be said."""
    left = wish.left
    if foreign := [place for place in wish.quantities if place not in shelves]:
        reason = f"the SKU is not in warehouse {', '.join(foreign)}"[:300]
        advice = f"Set it where it is: {', '.join(shelves)}"[:1000] + "."
        return replace(wish, state=IntentState.REFUSED, reason=reason, advice=advice)
    if all(shelves[place].available == units for place, units in left.items()):
        return reach(wish, set(left), real)
    units = {place: left.get(place, shelf.available) for place, shelf in shelves.items()}
    if odd := [place for place in units if not 0 <= units[place] <= most]:
        reason = f"warehouse {odd[0]} shows {units[odd[0]]} units, which no update can repeat"
        return replace(wish, state=IntentState.REFUSED, reason=reason, advice=LOOK)
    return Update(
        wish.number,
        units,
        {place: shelf.available for place, shelf in shelves.items()},
        {place: shelf.committed for place, shelf in shelves.items()},
    )


# An update


def sending(wish: StockWish, update: Update, holder: str, real: datetime) -> StockWish:
    """A wish as it has to be on record before its update is sent."""
    return replace(
        wish,
        state=IntentState.SENDING,
        sent=update,
        accepted=False,
        attempts=wish.attempts + 1,
        misses=0,
        sent_at=real,
        lease=holder,
        reason="",
    )


def answered(
    wish: StockWish, outcome: Outcome, barred: bool, now: datetime, real: datetime
) -> StockWish:
    """What the answer to its update makes of a wish, of which a newer one may have come meanwhile.

    `barred`: the refusal says that no call may set this stock.
    """
    sent, told = wish.sent, replace(wish, reason=outcome.reason, advice=outcome.advice)
    newer = sent is not None and sent.number != wish.number
    match outcome.kind:
        case Kind.OK:
            fears = sent and any(
                dict(old.quantities) != dict(sent.quantities) for old in wish.older
            )
            if not fears:
                return _landed(wish, real)
            state = IntentState.UNCLEAR
            return replace(
                told, state=state, unclear_at=real, accepted=True, reason=OLDER_FEARED, advice=""
            )
        case Kind.UNCLEAR:
            return replace(told, state=IntentState.UNCLEAR, unclear_at=real)
        case Kind.ALREADY:
            return replace(told, state=IntentState.UNCLEAR, unclear_at=real - UNCLEAR_WAIT)
        case Kind.REFUSED:
            state = IntentState.NOT_ALLOWED if barred else IntentState.REFUSED
            return replace(told, sent=None, state=IntentState.PENDING if newer else state)
        case Kind.LATER | Kind.MISCONFIGURED | Kind.EXPIRED:
            wait = wait_of(outcome)
            again = now + wait if wait else None
        case Kind.RATE_LIMITED | Kind.DEAUTHORISED:
            again = None
    return replace(told, sent=None, state=IntentState.PENDING, not_before=again)
