"""What may be wished of stock, and what an answer and a search make of a wish; by tables."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from cli import __main__ as entry
from cli import operate
from cli import stock as command
from shipclock import backoff, restock, rows, stockwish
from shipclock.asking import NotAsked
from shipclock.domain.push import GIVE_UP, UNCLEAR_WAIT, Effect, IntentState
from shipclock.marketplaces import tiktok_shop
from shipclock.marketplaces.protocol import Kind, Outcome, Shelf
from shipclock.marketplaces.tiktok_shop.capability import MARKETS, STOCK
from shipclock.marketplaces.tiktok_shop.versions import ENDPOINTS
from shipclock.ports import Change, Key, Put, Row, StoreError
from shipclock.stockwish import StockWish, Update, read_wish, shop_wishes, wish
from tests.builders import REAL, after, patient, shop
from tests.fakes import Faults, FaultyStore, MemoryStore
from tests.stage import SHOP_ID, Stage

SKU = "1729000000000000102"
A, B = "6950000000000000101", "6950000000000000102"
SECOND = timedelta(seconds=1)
NOW = after(1)


@pytest.fixture
def stage() -> Stage:
    return Stage()


# What may be wished


@pytest.mark.parametrize(
    ("shop_id", "sku_id", "units", "wrong"),
    [
        (SHOP_ID, SKU, {A: -1}, "0 to 99999"),
        (SHOP_ID, SKU, {A: 100_000}, "0 to 99999"),
        (SHOP_ID, SKU, {A: 1.0}, "whole number"),
        (SHOP_ID, SKU, {A: "5"}, "whole number"),
        (SHOP_ID, SKU, {A: True}, "whole number"),
        (SHOP_ID, SKU, {A: None}, "whole number"),
        (SHOP_ID, SKU, {A: 10**400}, "whole number"),
        (SHOP_ID, SKU, {A: 5, B: -1}, B),
        (SHOP_ID, SKU, {}, "1 to 100 warehouses"),
        (SHOP_ID, SKU, {str(n): 1 for n in range(101)}, "1 to 100 warehouses"),
        (SHOP_ID, SKU, {"": 1}, "warehouse"),
        (SHOP_ID, SKU, {"a b": 1}, "warehouse"),
        (SHOP_ID, SKU, {"a#b": 1}, "warehouse"),
        (SHOP_ID, SKU, {"x" * 65: 1}, "warehouse"),
        (SHOP_ID, "", {A: 1}, "SKU"),
        (SHOP_ID, "../1", {A: 1}, "SKU"),
        (SHOP_ID, "1#2", {A: 1}, "SKU"),
        (SHOP_ID, "\ud800", {A: 1}, "SKU"),
        ("", SKU, {A: 1}, "shop"),
        ("a/b", SKU, {A: 1}, "shop"),
        ("7490000000000000009", SKU, {A: 1}, "never connected"),
    ],
)
def test_what_makes_no_sense_is_not_asked_for(
    shop_id: str, sku_id: str, units: Any, wrong: str, stage: Stage
) -> None:
    with pytest.raises(NotAsked, match=wrong):
        wish(stage.store, shop_id, sku_id, units, REAL)
    assert not [pk for pk, kept in stage.memory.rows.items() for sk in kept if "WISH" in sk]


@pytest.mark.parametrize(("units", "advice"), [(0, stockwish.ZERO), (1, ""), (99_999, "")])
def test_the_bounds_may_be_wished_and_nothing_is_said_against_zero_but_that_it_is_undocumented(
    units: int, advice: str, stage: Stage
) -> None:
    made = wish(stage.store, SHOP_ID, SKU, {A: units}, REAL, "me")
    assert (made.quantities, made.advice, made.number, made.by) == ({A: units}, advice, 1, "me")
    assert shop_wishes(stage.store, SHOP_ID) == [made]
    row = stage.memory.get(made.key)
    assert row is not None
    assert (row["due_at"], row["state"]) == (rows.at_once(REAL), "pending")


def test_a_wish_that_is_done_is_followed_by_one_that_knows_nothing_of_it(stage: Stage) -> None:
    made = wish(stage.store, SHOP_ID, SKU, {A: 5}, REAL)
    done = replace(made, state=IntentState.DONE, reached=(A,), attempts=3)
    assert stage.store.write(stockwish.wish_change(done, REAL))
    row = stage.memory.get(made.key)
    assert row is not None
    assert "due_at" not in row
    again = wish(stage.store, SHOP_ID, SKU, {B: 5}, REAL + SECOND)
    assert (again.quantities, again.reached, again.attempts) == ({B: 5}, (), 0)
    assert (again.number, again.state) == (2, IntentState.PENDING)


def test_what_may_still_land_is_feared_by_the_next_wish_too(stage: Stage) -> None:
    made = wish(stage.store, SHOP_ID, SKU, {A: 5}, REAL)
    dead = replace(made, state=IntentState.DEAD, older=(update(),))
    assert stage.store.write(stockwish.wish_change(dead, REAL))
    assert wish(stage.store, SHOP_ID, SKU, {A: 6}, REAL).older == (update(),)


def test_a_race_that_is_lost_is_run_again_and_not_for_ever(stage: Stage) -> None:
    class Racing(MemoryStore):
        lost = 0

        def get(self, key: Key) -> Row | None:
            return stage.memory.get(key)

        def write(self, write: Put | Change) -> bool:
            self.lost += 1
            return self.lost > self.most and stage.memory.write(write)

        most = 2

    racing = Racing()
    assert wish(racing, SHOP_ID, SKU, {A: 5}, REAL).number == 1
    racing.lost, racing.most = 0, 100
    with pytest.raises(StoreError, match="changed by others"):
        wish(racing, SHOP_ID, SKU, {A: 5}, REAL)


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize("kind", ["before", "after"])
def test_whatever_fails_the_same_wish_again_ends_the_same(
    step: int, kind: str, stage: Stage
) -> None:
    faulty = FaultyStore(stage.memory, Faults({step: kind}))
    try:
        wish(faulty, SHOP_ID, SKU, {A: 5}, REAL)
    except StoreError:
        wish(faulty, SHOP_ID, SKU, {A: 5}, REAL)
    (kept,) = shop_wishes(stage.store, SHOP_ID)
    assert (kept.quantities, kept.state) == ({A: 5}, IntentState.PENDING)


# The life of a wish


def update(number: int = 1, before: int = 3, committed: int = 2, **units: int) -> Update:
    """An update of warehouse A (and B), as it was sent."""
    places = {A: units.get("a", 12)} | ({B: units["b"]} if "b" in units else {})
    return Update(number, places, dict.fromkeys(places, before), dict.fromkeys(places, committed))


def a_wish(state: IntentState = IntentState.UNCLEAR, **more: Any) -> StockWish:
    known: dict[str, Any] = {"quantities": {A: 12}, "unclear_at": REAL, "sent": update(), **more}
    return StockWish(SHOP_ID, SKU, number=1, asked_at=REAL, state=state, **known)


def shown(a: tuple[int, int] | None = None, b: tuple[int, int] | None = None) -> dict[str, Shelf]:
    told = {A: a, B: b}
    return {
        place: Shelf(SKU, "9", "MUG", place, *units)
        for place, units in told.items()
        if units is not None
    }


@pytest.mark.parametrize(
    ("found", "effect"),
    [
        ((12, 2), Effect.SEEN),
        ((11, 3), Effect.SEEN),  # one sold
        ((13, 1), Effect.SEEN),  # one cancelled
        ((12, 1), Effect.SEEN),  # one shipped
        ((0, 14), Effect.SEEN),
        ((3, 2), Effect.NOT_SEEN),
        ((2, 3), Effect.NOT_SEEN),
        ((4, 1), Effect.NOT_SEEN),
        ((11, 2), Effect.OTHER),
        ((13, 2), Effect.OTHER),
        ((3, 1), Effect.OTHER),
        ((3, 3), Effect.OTHER),
        (None, Effect.OTHER),
    ],
)
def test_what_a_search_shows_of_an_update(found: Any, effect: Effect) -> None:
    assert restock.effect_of(update(), A, shown(found)) is effect


@pytest.mark.parametrize(("seconds", "is_ready"), [(-1, False), (0, True), (1, True)])
def test_a_doubt_is_looked_at_after_its_wait(seconds: int, is_ready: bool) -> None:
    real = REAL + UNCLEAR_WAIT + seconds * SECOND
    assert restock.ready(a_wish(), NOW, real) is is_ready


@pytest.mark.parametrize("state", list(IntentState))
@pytest.mark.parametrize(("seconds", "waited"), [(-1, True), (0, True), (1, False)])
def test_only_what_is_open_and_has_waited_is_ready(
    state: IntentState, seconds: int, waited: bool
) -> None:
    one = a_wish(state, not_before=NOW + seconds * SECOND)
    live = state in (IntentState.PENDING, IntentState.UNCLEAR)
    assert restock.ready(one, NOW, REAL + timedelta(hours=1)) is (live and waited)


def test_an_orphan_is_in_doubt_from_when_its_call_gave_up() -> None:
    one = a_wish(IntentState.SENDING, sent_at=REAL, lease="another")
    found = restock.orphaned(one, "ours", REAL)
    assert found is not None
    assert (found.state, found.unclear_at) == (IntentState.UNCLEAR, REAL + GIVE_UP)
    assert restock.orphaned(one, "another", REAL) is None
    assert restock.orphaned(a_wish(), "ours", REAL) is None


@pytest.mark.parametrize(
    ("one", "found", "state", "reached", "why"),
    [
        (a_wish(), shown((12, 2)), "done", (A,), ""),
        (a_wish(), shown((3, 2)), "pending", (), restock.UNSEEN),
        (a_wish(), shown((77, 2)), "dead", (), restock.OTHER_NUMBERS),
        (a_wish(), {}, "dead", (), restock.OTHER_NUMBERS),
        (a_wish(sent=None), shown((3, 2)), "pending", (), ""),
        (a_wish(sent=update(number=0)), shown((77, 2)), "pending", (), restock.UNSEEN),
        (a_wish(quantities={A: 5}, sent=update(0)), shown((12, 2)), "pending", (), ""),
        (
            a_wish(quantities={A: 12, B: 9}, sent=update(b=9)),
            shown((12, 2), (3, 2)),
            "pending",
            (A,),
            restock.UNSEEN,
        ),
        (
            a_wish(sent=update(a=12, b=3)),
            shown((12, 2), (1, 1)),
            "done",
            (A,),
            "",
        ),
        (a_wish(older=(update(a=5),)), shown((5, 2)), "pending", (), restock.OVERTAKEN),
        (a_wish(older=(update(a=5),)), shown((4, 3)), "pending", (), restock.OVERTAKEN),
        (a_wish(older=(update(a=5),)), shown((6, 2)), "dead", (), restock.OTHER_NUMBERS),
        (a_wish(older=(update(a=3),)), shown((3, 2)), "pending", (), restock.UNSEEN),
        (a_wish(older=(update(a=3),)), shown((2, 3)), "pending", (), restock.UNSEEN),
        (
            a_wish(failures=len(backoff.PUSH)),
            shown((3, 2)),
            "dead",
            (),
            restock.UNSEEN,
        ),
    ],
)
def test_what_a_search_makes_of_a_doubt(
    one: StockWish, found: Any, state: str, reached: tuple[str, ...], why: str
) -> None:
    judged = restock.judged(one, found, NOW, REAL)
    assert (judged.state.value, judged.reached) == (state, reached)
    assert judged.reason.startswith(why)
    assert judged.sent is None
    assert (judged.advice == restock.LOOK) is (state == "dead")


def test_updates_that_may_land_late_are_kept_once_each_and_not_without_end() -> None:
    one = a_wish()
    for units in [*range(30), 29]:
        one = replace(one, older=restock.with_older(one, update(a=units)))
    assert [old.quantities[A] for old in one.older] == list(range(20, 30))


@pytest.mark.parametrize(
    ("one", "found", "expected"),
    [
        (a_wish(), shown((12, 0)), "done"),
        (a_wish(), shown((3, 0)), {A: 12}),
        (a_wish(), shown((3, 0), (7, 1)), {A: 12, B: 7}),
        (a_wish(quantities={A: 1, B: 2}, reached=(A,)), shown((5, 0), (7, 1)), {A: 5, B: 2}),
        (a_wish(quantities={A: 1}, reached=(A,)), shown((5, 0)), "done"),
        (a_wish(quantities={B: 1}), shown((5, 0)), "refused"),
        (a_wish(), shown((3, 0), (99_999, 0)), {A: 12, B: 99_999}),
        (a_wish(), shown((3, 0), (0, 0)), {A: 12, B: 0}),
        (a_wish(), shown((3, 0), (100_000, 0)), "refused"),
        (a_wish(), shown((3, 0), (-1, 0)), "refused"),
        (a_wish(), shown((-1, 0)), {A: 12}),
    ],
)
def test_what_is_sent_is_whole(one: StockWish, found: Any, expected: Any) -> None:
    drawn = restock.drawn(one, found, 99_999, REAL)
    if isinstance(drawn, Update):
        assert drawn.quantities == expected
        assert drawn.available == {place: shelf.available for place, shelf in found.items()}
    else:
        assert drawn.state.value == expected
        assert (drawn.reason != "") is (expected == "refused")


def answer(kind: Kind, **more: Any) -> Outcome:
    return Outcome(kind, reason="why", advice="do", **more)


HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("outcome", "barred", "state", "newer", "wait"),
    [
        (answer(Kind.OK), False, "done", "pending", None),
        (answer(Kind.UNCLEAR), False, "unclear", "unclear", None),
        (answer(Kind.ALREADY), False, "unclear", "unclear", None),
        (answer(Kind.REFUSED), False, "refused", "pending", None),
        (answer(Kind.REFUSED), True, "not_allowed", "pending", None),
        (answer(Kind.LATER), False, "pending", "pending", HOUR),
        (answer(Kind.LATER, wait=5 * SECOND), False, "pending", "pending", 5 * SECOND),
        (answer(Kind.LATER, wait=timedelta(0)), False, "pending", "pending", None),
        (answer(Kind.MISCONFIGURED), False, "pending", "pending", HOUR),
        (answer(Kind.EXPIRED), False, "pending", "pending", MINUTE),
        (answer(Kind.RATE_LIMITED), False, "pending", "pending", None),
        (answer(Kind.DEAUTHORISED), False, "pending", "pending", None),
    ],
)
def test_what_an_answer_makes_of_a_wish_and_of_a_newer_one(
    outcome: Outcome, barred: bool, state: str, newer: str, wait: timedelta | None
) -> None:
    one = a_wish(IntentState.SENDING)
    found = restock.answered(one, outcome, barred, NOW, REAL)
    assert (found.state.value, found.not_before) == (state, NOW + wait if wait else None)
    assert (found.sent is None) is (state != "unclear")
    later = replace(one, quantities={A: 5}, number=2)
    assert restock.answered(later, outcome, barred, NOW, REAL).state.value == newer


@pytest.mark.parametrize(("older", "state"), [(12, "done"), (5, "unclear")])
def test_an_update_that_was_taken_is_looked_after_where_an_older_one_may_land(
    older: int, state: str
) -> None:
    one = a_wish(IntentState.SENDING, older=(update(a=older),))
    found = restock.answered(one, answer(Kind.OK), False, NOW, REAL)
    assert (found.state.value, found.accepted) == (state, state == "unclear")
    if found.accepted:
        found = restock.judged(found, shown((12, 2)), NOW, REAL)
    assert (found.state, found.older) == (IntentState.DONE, ())


@pytest.mark.parametrize(
    ("kind", "pending", "unclear"),
    [
        (Kind.REFUSED, "refused", "unclear"),
        (Kind.MISCONFIGURED, "pending", "unclear"),
        (Kind.UNCLEAR, "pending", "unclear"),
        (Kind.LATER, "pending", "unclear"),
        (Kind.EXPIRED, "pending", "unclear"),
    ],
)
def test_a_search_that_fails_settles_no_doubt(kind: Kind, pending: str, unclear: str) -> None:
    for state, ends in ((IntentState.PENDING, pending), (IntentState.UNCLEAR, unclear)):
        found = restock.unsearched(a_wish(state), answer(kind), NOW)
        assert found.state.value == ends
        assert (found.not_before is None) is (ends == "refused")
        assert (found.reason, found.advice) == ("why", "do")


UNITS = st.integers(0, 20)


@patient
@given(UNITS, UNITS, UNITS, UNITS, st.booleans(), UNITS)
def test_sales_and_cancellations_never_make_a_doubt_a_persons(
    before: int, wished: int, committed: int, sold: int, landed: bool, back: int
) -> None:
    """However many units are sold or given back since the update landed, or since the search where
    it never did: it is done, or told again."""
    sent = Update(1, {A: wished}, {A: before}, {A: committed})
    if before == wished:
        return  # nothing would have been sent
    one = a_wish(quantities={A: wished}, sent=sent)
    units = wished if landed else before
    sold, back = min(sold, units), min(back, committed)
    found = shown((units - sold + back, committed + sold - back))
    judged = restock.judged(one, found, NOW, REAL)
    there = found[A].available == wished
    assert (judged.state is IntentState.DONE) is (landed or there)
    assert judged.state in (IntentState.DONE, IntentState.PENDING)


# The capability


@pytest.mark.parametrize("market", [*MARKETS, "XX", ""])
def test_stock_is_set_in_every_market_that_is_known(market: str) -> None:
    plan = tiktok_shop.plan_stock(shop(market))
    assert plan.allowed is (market in MARKETS)
    assert plan.call == STOCK.call
    assert plan.proof is plan.allowed
    assert bool(plan.reason and plan.advice) is not plan.allowed


def test_the_entry_names_calls_that_there_are_and_how_their_effect_is_seen() -> None:
    assert {STOCK.search, STOCK.call} <= ENDPOINTS.keys()
    assert STOCK.proof
    assert tiktok_shop.search_stock(["1"]).name == STOCK.search
    call = tiktok_shop.set_stock("9", {SKU: {A: 1, B: 2}})
    assert (call.name, call.writes) == (STOCK.call, True)
    assert call.body == {
        "skus": [
            {
                "id": SKU,
                "inventory": [
                    {"warehouse_id": A, "quantity": 1},
                    {"warehouse_id": B, "quantity": 2},
                ],
            }
        ]
    }


# The command line


class Console:
    """`shipclock stock` over a stage."""

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch) -> None:
        self.stage = stage
        patch.setattr(operate, "open_store", lambda table, stack=None: stage.store)
        patch.setattr(command, "real", stage.real)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(entry.main, ["stock", *words])


@pytest.fixture
def console(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Console:
    return Console(stage, monkeypatch)


def test_stock_is_set_and_listed(console: Console) -> None:
    sku_id = console.stage.sandbox.set_stock(SHOP_ID, "MUG", {A: 3, B: 7})
    empty = console.run("list", SHOP_ID)
    assert (empty.exit_code, "nothing is known yet" in empty.output) == (0, True)
    made = console.run("set", SHOP_ID, sku_id, f"{A}=12", f"{B}=8")
    assert (made.exit_code, "the next sweep" in made.output) == (0, True)
    assert "undocumented" not in made.output
    assert "nothing told" in console.run("list", SHOP_ID).output
    console.stage.sweep()
    shown = console.run("list", SHOP_ID).output.splitlines()
    assert shown == [
        f"{sku_id}  10 available, 0 committed",
        f"    {A}  3 available, 0 committed; wished 12",
        f"    {B}  7 available, 0 committed; wished 8",
        "    done",
    ]


def test_setting_none_says_that_it_is_undocumented(console: Console) -> None:
    result = console.run("set", SHOP_ID, SKU, f"{A}=0")
    assert (result.exit_code, stockwish.ZERO in result.output) == (0, True)
    assert "pending: 0 is undocumented" in console.run("list", SHOP_ID).output


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["set", SHOP_ID, SKU, A], "WAREHOUSE=QUANTITY"),
        (["set", SHOP_ID, SKU, f"{A}="], "WAREHOUSE=QUANTITY"),
        (["set", SHOP_ID, SKU, "=5"], "WAREHOUSE=QUANTITY"),
        (["set", SHOP_ID, SKU, f"{A}=-5"], "WAREHOUSE=QUANTITY"),
        (["set", SHOP_ID, SKU, f"{A}=5.0"], "WAREHOUSE=QUANTITY"),
        (["set", SHOP_ID, SKU, f"{A}=٣"], "WAREHOUSE=QUANTITY"),
        (["set", SHOP_ID, SKU, f"{A}=5=6"], "WAREHOUSE=QUANTITY"),
        (["set", SHOP_ID, SKU, f"{A}=100000"], "0 to 99999"),
        (["set", SHOP_ID, SKU, f"{A}=1", f"{A}=2"], "named twice"),
        (["set", "7490000000000000009", SKU, f"{A}=1"], "never connected"),
        (["list", "7490000000000000009"], "never connected"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_wished(
    words: list[str], wrong: str, console: Console
) -> None:
    result = console.run(*words)
    assert result.exit_code == 1
    assert isinstance(result.exception, NotAsked)
    assert wrong in str(result.exception)
    assert shop_wishes(console.stage.store, SHOP_ID) == []


def test_a_wish_survives_its_row(stage: Stage) -> None:
    whole = a_wish(older=(update(a=5),), sent_at=REAL, lease="x", not_before=NOW, advice="do")
    assert stage.store.write(stockwish.wish_change(whole, REAL))
    row = stage.memory.get(whole.key)
    assert row is not None
    assert read_wish(row) == replace(whole, rev=1)
    assert row["due_at"] == rows.at(NOW)
