"""A buyer's wish to cancel: its deadline, what ends it, the warning, and what late news changes.

The buyer asks at hour 2 and is to be answered by hour 50, unless a case says otherwise.
"""

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock.decide import decide
from shipclock.domain.clock import Ask, Clock, ClockState, Notice, Stop, Verdict
from shipclock.domain.event import CaseChange, OrderEvent
from shipclock.domain.order import Order
from shipclock.rules import buyer_cancel_request, next_instant, notices, timeline
from shipclock.situation import Recorded, Situation
from tests.builders import SECOND, after, case, folded, hint, policy, shop, snapshot

NAME = "buyer_cancel_request"
PENDING = "CANCELLATION_REQUEST_PENDING"
SUCCESS = "CANCELLATION_REQUEST_SUCCESS"
COMPLETE = "CANCELLATION_REQUEST_COMPLETE"
WITHDRAWN = "CANCELLATION_REQUEST_CANCEL"
FIRST, SECOND_CASE = "4030000000000000101", "4030000000000000199"
ZERO, HOUR = timedelta(0), timedelta(hours=1)
DUE = after(50)
WARNED_AT = DUE - 6 * HOUR
LATER = after(24 * 400)
OFF = (-SECOND, ZERO, SECOND)


def asks(hours: float = 2, deadline: datetime | None = DUE, **more: Any) -> CaseChange:
    """The request waits; its identity is made of what it says."""
    case_id = more.get("case_id", FIRST)
    name = f"{PENDING}#{case_id}#{hours}#{deadline}"
    return case(PENDING, hours, **{"deadline": deadline, "identity": name, **more})


def ends(status: str, at: datetime, **more: Any) -> CaseChange:
    """The request waits no longer."""
    name = f"{status}#{more.get('case_id', FIRST)}#{at.isoformat()}"
    return case(status, **{"update_time": at, "identity": name, **more})


def shows(wish: bool, hours: float, status: str = "AWAITING_SHIPMENT", **more: Any) -> OrderEvent:
    """The order, changed at that hour, shows a wish to cancel or none."""
    return snapshot(status, hours, cancel_requested=wish, **more)


def order(*events: OrderEvent) -> Order:
    return folded(snapshot(), *events)


def found(of: Order) -> list[Clock]:
    return [tick.clock for tick in timeline(of, policy()) if tick.clock.name == NAME]


def stands(clock: Clock, now: datetime = LATER) -> str:
    state = clock.state(now)
    if state is not ClockState.MISSED:
        return state.value
    return "overtaken" if clock.overtaken else "standing"


def told(of: Order) -> list[str]:
    return [stands(clock) for clock in found(of)]


# The clock


def test_a_request_with_a_deadline_is_a_clock_of_its_own() -> None:
    assert found(order(asks())) == [
        Clock(
            name=NAME,
            due_at=DUE,
            set_by="seller_next_action_response.deadline",
            clause="the request's own deadline, seller_next_action_response.deadline",
            part=FIRST,
            starts_at=after(2),
            ask=Ask.ONCE,
        )
    ]


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (after(2) - SECOND, "waiting"),
        (after(2), "running"),
        (DUE - SECOND, "running"),
        (DUE, "standing"),
        (DUE + SECOND, "standing"),
    ],
)
def test_it_runs_from_the_asking_to_the_deadline(now: datetime, state: str) -> None:
    (clock,) = found(order(asks()))
    assert stands(clock, now) == state


NO_CLOCK: dict[str, list[OrderEvent]] = {
    "no request": [],
    "no deadline": [asks(deadline=None)],
    "the order's own word alone": [shows(True, 3)],
    "the order's own word, and no deadline": [shows(True, 3), asks(deadline=None)],
    "a return": [asks(case="return")],
    "an answer alone, whatever deadline it names": [ends(WITHDRAWN, after(9), deadline=DUE)],
}


@pytest.mark.parametrize("facts", NO_CLOCK)
def test_without_a_deadline_there_is_no_clock(facts: str) -> None:
    assert found(order(*NO_CLOCK[facts])) == []


@pytest.mark.parametrize(
    "more",
    [
        {"fulfillment_type": "FULFILLMENT_BY_TIKTOK"},
        {"fulfillment_type": "FULFILLMENT_BY_DILAYANI_TOKOPEDIA"},
        {"shipping_type": "TIKTOK_DIGITAL"},
    ],
)
def test_an_order_that_others_fulfil_has_no_such_clock_and_no_warning(more: dict[str, Any]) -> None:
    of = folded(snapshot(**more), asks())
    assert (found(of), warnings(of, WARNED_AT)) == ([], [])


def test_before_the_order_itself_is_known_there_is_none() -> None:
    assert found(folded(hint(), asks())) == []


DEADLINES: dict[str, tuple[list[OrderEvent], datetime]] = {
    "told twice": ([asks(), asks(identity="again")], DUE),
    "put off without a change of its time": ([asks(), asks(deadline=after(60))], after(60)),
    "put off with one": ([asks(), asks(9, after(60))], after(60)),
    "brought forward with one": ([asks(), asks(9, after(40))], after(40)),
    "a later word that names none": ([asks(), asks(9, None)], DUE),
    "a word of the same time that names none": ([asks(), asks(deadline=None)], DUE),
    "named late": ([asks(deadline=None), asks(9, DUE)], DUE),
    "an answer's own deadline is none": ([asks(), ends("X", after(60), deadline=after(70))], DUE),
}


@pytest.mark.parametrize("facts", DEADLINES)
def test_the_newest_deadline_counts_from_the_first_asking_in_any_order_of_arrival(
    facts: str,
) -> None:
    events, due_at = DEADLINES[facts]
    for arrived in itertools.permutations(events):
        assert [(c.due_at, c.starts_at) for c in found(order(*arrived))] == [(due_at, after(2))]


# What ends it


@pytest.mark.parametrize("off", OFF)
@pytest.mark.parametrize(
    ("status", "late"),
    [
        (WITHDRAWN, "overtaken"),
        ("CANCELLATION_REQUEST_CANCELLED", "overtaken"),
        ("TOMORROW", "overtaken"),
        # the cancellation that was foretold: it undoes nothing that was late
        (SUCCESS, "standing"),
        (COMPLETE, "standing"),
    ],
)
def test_an_answer_up_to_the_deadline_meets_it(status: str, late: str, off: timedelta) -> None:
    of = order(asks(), ends(status, DUE + off))
    assert told(of) == [late if off > ZERO else "met"]


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        (ends(SUCCESS, after(49)), ends(COMPLETE, after(51)), "met"),
        (ends(SUCCESS, after(51)), ends(COMPLETE, after(52)), "standing"),
        (ends(SUCCESS, after(51)), ends(COMPLETE, after(51)), "standing"),
        (ends(SUCCESS, after(51)), ends(WITHDRAWN, after(52)), "standing"),
        (ends(WITHDRAWN, after(51)), ends(COMPLETE, after(52)), "overtaken"),
        (ends(WITHDRAWN, after(51)), ends(COMPLETE, after(51)), "overtaken"),
    ],
)
def test_the_first_word_that_ends_it_counts(first: Any, second: Any, state: str) -> None:
    for arrived in itertools.permutations((asks(), first, second)):
        assert told(order(*arrived)) == [state]


def test_of_one_second_the_end_is_the_later_word() -> None:
    assert found(order(asks(), ends(WITHDRAWN, after(2))))[0].stop == Stop(after(2))


def test_an_answer_to_what_was_put_off_is_held_against_the_new_deadline() -> None:
    late = ends(WITHDRAWN, after(55))
    assert told(order(asks(), late)) == ["overtaken"]
    assert told(order(asks(), late, asks(deadline=after(60)))) == ["met"]


@pytest.mark.parametrize("off", OFF)
def test_a_cancelled_order_stops_it_up_to_the_deadline(off: timedelta) -> None:
    over = snapshot("CANCELLED", 60, cancel_time=DUE + off)
    assert told(order(asks(), over)) == ["standing" if off > ZERO else "stopped"]


@pytest.mark.parametrize(("hours", "state"), [(29, "met"), (30, "met"), (31, "stopped")])
def test_an_answer_up_to_the_cancellation_is_an_answer(hours: float, state: str) -> None:
    over = snapshot("CANCELLED", 30, cancel_time=after(30))
    assert told(order(asks(), over, ends(SUCCESS, after(hours)))) == [state]


AGAIN = {
    "withdrawn and made anew": (
        [asks(), ends(WITHDRAWN, after(10)), asks(20, after(70))],
        [(DUE, after(2), "met"), (after(70), after(20), "standing")],
    ),
    "made anew and answered": (
        [asks(), ends(WITHDRAWN, after(10)), asks(20, after(70)), ends(SUCCESS, after(60))],
        [(DUE, after(2), "met"), (after(70), after(20), "met")],
    ),
    "missed, withdrawn and made anew": (
        [asks(), ends(WITHDRAWN, after(51)), asks(60, after(70)), ends(WITHDRAWN, after(61))],
        [(DUE, after(2), "overtaken"), (after(70), after(60), "met")],
    ),
    "made anew without a deadline": (
        [asks(), ends(WITHDRAWN, after(10)), asks(20, None)],
        [(DUE, after(2), "met")],
    ),
    "made anew, and only then with a deadline": (
        [asks(deadline=None), ends(WITHDRAWN, after(10)), asks(20, after(70))],
        [(after(70), after(20), "standing")],
    ),
    "ended before it was heard of": (
        [ends(WITHDRAWN, after(1)), asks()],
        [(DUE, after(2), "standing")],
    ),
}


@pytest.mark.parametrize("facts", AGAIN)
def test_each_time_a_request_is_made_has_its_own_clock(facts: str) -> None:
    events, expected = AGAIN[facts]
    for arrived in itertools.permutations(events):
        of = order(*arrived)
        assert [(c.due_at, c.starts_at, stands(c)) for c in found(of)] == expected
        assert {clock.part for clock in found(of)} == {FIRST}


def test_two_requests_are_judged_each_by_its_own_words() -> None:
    second = asks(30, after(80), case_id=SECOND_CASE)
    of = order(second, ends(WITHDRAWN, after(10)), asks())
    assert [(c.part, c.due_at, stands(c)) for c in found(of)] == [
        (FIRST, DUE, "met"),
        (SECOND_CASE, after(80), "standing"),
    ]
    of = order(asks(), second, ends(WITHDRAWN, after(60), case_id=SECOND_CASE))
    assert told(of) == ["standing", "met"]


# The order's own word, where the request's was missed

SILENCE: dict[str, tuple[list[OrderEvent], str]] = {
    "changed before the request": ([shows(False, 1)], "standing"),
    "changed as it was made": ([shows(False, 2)], "standing"),
    "changed a second after": ([snapshot(update_time=after(2) + SECOND)], "met"),
    "changed and still asked": ([shows(True, 9)], "standing"),
    "changed again and again": ([shows(False, 9), shows(False, 60), shows(False, 90)], "met"),
    # when it was answered nobody knows
    "changed after the deadline": ([shows(False, 60)], "met"),
    "asked, then silent": ([shows(True, 9), shows(False, 20)], "met"),
    "silent, then asked again": ([shows(False, 9), shows(True, 20)], "standing"),
    "silent, asked, silent": ([shows(False, 9), shows(True, 20), shows(False, 30)], "met"),
    "told to wait after the silence": ([shows(False, 9), asks(10)], "standing"),
    "told to wait as it fell silent": ([shows(False, 9), asks(9)], "standing"),
    "cancelled, which is no answer": ([shows(False, 60, "CANCELLED")], "standing"),
    "silent, then cancelled": ([shows(False, 9), shows(False, 60, "CANCELLED")], "met"),
    "silent, then cancelled with the wish": (
        [shows(False, 9), shows(True, 60, "CANCELLED")],
        "met",
    ),
    "the end told after all, in time": ([shows(False, 60), ends(WITHDRAWN, after(9))], "met"),
    "the end told after all, late": ([shows(False, 9), ends(WITHDRAWN, after(51))], "overtaken"),
}


@pytest.mark.parametrize("facts", SILENCE)
def test_an_order_that_changed_since_and_shows_no_wish_ends_it(facts: str) -> None:
    events, state = SILENCE[facts]
    for arrived in itertools.permutations(events):
        assert told(order(asks(), *arrived)) == [state]


@pytest.mark.parametrize(
    "after_it", [(), (shows(False, 60),), (shows(False, 40), shows(False, 60))]
)
def test_what_the_silence_proves_stays_the_same_when_the_order_changes_on(after_it: Any) -> None:
    (clock,) = found(order(asks(), shows(False, 9), *after_it))
    assert clock.stop == Stop(after(9), trusted=False)


def test_of_one_change_of_the_order_the_newest_telling_counts() -> None:
    early, late = after(240), after(240) + SECOND
    for wishes, state in (((False, True), "standing"), ((True, False), "met")):
        tellings = [
            shows(wish, 9, sent=sent, identity=f"{wish}")
            for wish, sent in zip(wishes, (early, late), strict=True)
        ]
        assert told(order(asks(), *tellings)) == [state]


@pytest.mark.parametrize(
    ("hours", "more", "state"),
    [
        (8, {}, "standing"),
        (9, {}, "met"),
        (15, {}, "met"),
        (20, {}, "met"),
        (21, {}, "standing"),
        (15, {"case": "return"}, "standing"),
        (15, {"case_id": FIRST, "case": "return"}, "standing"),
    ],
)
def test_a_wish_shown_after_the_silence_may_be_another_request(
    hours: float, more: Any, state: str
) -> None:
    other = asks(hours, after(90), **{"case_id": SECOND_CASE, **more})
    of = order(asks(), shows(False, 9), shows(True, 20), other)
    assert stands(found(of)[0]) == state


def test_only_a_request_that_waits_explains_the_wish_that_the_order_shows() -> None:
    other = ends(WITHDRAWN, after(15), case_id=SECOND_CASE)
    of = order(asks(), shows(False, 9), shows(True, 20), other)
    assert told(of) == ["standing"]


def test_a_second_request_keeps_no_silent_one_open() -> None:
    second = asks(15, after(90), case_id=SECOND_CASE)
    of = order(asks(), shows(False, 9), second)
    assert told(of) == ["met", "standing"]


# The warning


def warnings(of: Order, now: datetime) -> list[Notice]:
    said = notices(of, timeline(of, policy()), policy(), now)
    return [notice for notice in said if notice.clock == NAME]


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (WARNED_AT - SECOND, 0),
        (WARNED_AT, 1),
        (WARNED_AT + SECOND, 1),
        (DUE - SECOND, 1),
        (DUE, 0),
        (DUE + SECOND, 0),
    ],
)
def test_six_hours_before_the_end_it_warns_until_the_end(now: datetime, count: int) -> None:
    assert len(warnings(order(asks()), now)) == count


def test_the_warning_says_by_when_what_happens_then_and_what_to_do() -> None:
    (warning,) = warnings(order(asks()), WARNED_AT)
    assert (warning.kind, warning.clock, warning.at) == ("warning", NAME, WARNED_AT)
    assert warning.key == f"warning#{NAME}#{FIRST}#2026-11-03T04:00:00Z"
    assert "for your answer until Tue 3 Nov 2026, 12:00 (Asia/Kuala_Lumpur); then " in warning.text
    assert "answers with yes. Accept it, or reject it if " in warning.text
    assert warning.text.endswith(" in Seller Center or with `shipclock ask`.")


def test_each_deadline_warns_once_for_each_request() -> None:
    put_off = order(asks(), asks(deadline=after(52)))
    keys = [w.key for of in (order(asks()), put_off) for w in warnings(of, after(47))]
    assert len(set(keys)) == 2
    both = order(asks(), asks(case_id=SECOND_CASE))
    assert len({warning.key for warning in warnings(both, after(47))}) == 2


@pytest.mark.parametrize(
    "over",
    [
        ends(WITHDRAWN, after(45)),
        shows(False, 45),
        snapshot("CANCELLED", 45, cancel_time=after(45)),
    ],
)
def test_what_is_over_is_warned_of_no_more(over: OrderEvent) -> None:
    assert warnings(order(asks(), over), after(47)) == []


def test_a_request_made_within_its_last_hours_warns_as_it_is_made() -> None:
    of = order(asks(48))
    assert warnings(of, after(48) - SECOND) == []
    assert len(warnings(of, after(48))) == 1
    assert next_instant(timeline(of, policy()), policy(), after(47)) == after(48)


@pytest.mark.parametrize(
    ("now", "instant"),
    [
        (WARNED_AT - SECOND, WARNED_AT),
        (WARNED_AT, DUE),
        (WARNED_AT + SECOND, DUE),
        (DUE - SECOND, DUE),
    ],
)
def test_it_is_looked_at_as_it_warns_and_as_it_runs_out(now: datetime, instant: datetime) -> None:
    assert next_instant(timeline(order(asks()), policy()), policy(), now) == instant


@pytest.mark.parametrize(
    ("deadlines", "now", "expected"),
    [
        ((DUE,), WARNED_AT - SECOND, WARNED_AT),
        ((DUE,), WARNED_AT, None),
        ((DUE,), DUE, None),
        ((DUE,), after(1), None),  # it does not run yet
        ((after(90), DUE, after(70)), after(3), WARNED_AT),
        ((after(90), DUE, after(70)), WARNED_AT, after(64)),
        ((after(90), DUE, after(70)), LATER, None),
        ((), after(3), None),
    ],
)
def test_the_next_warning_is_the_first_that_is_still_to_come(
    deadlines: tuple[datetime, ...], now: datetime, expected: datetime | None
) -> None:
    of = order(*(asks(2, due, case_id=f"40300{n}") for n, due in enumerate(deadlines)))
    assert buyer_cancel_request.next_notice(tuple(found(of)), policy(), now) == expected


# What it says, and what turns it


def sweeps(*looks: tuple[datetime, Iterable[OrderEvent]]) -> list[list[Verdict]]:
    """What is said of the request at each look, at what is known by then."""
    recorded, said = Recorded(), []
    for now, events in looks:
        of = order(*events)
        decision = decide(of, recorded, Situation(now, policy(), shop(connected=False)))
        verdicts = {**recorded.verdicts, **{v.key: v for v in decision.verdicts}}
        recorded = Recorded(recorded.version + 1, now, verdicts)
        said.append([verdict for verdict in verdicts.values() if verdict.rule == NAME])
    return said


def test_a_missed_answer_says_by_when_what_the_marketplace_does_and_what_to_do() -> None:
    before, ((verdict,)) = sweeps((DUE - SECOND, [asks()]), (DUE, [asks()]))
    assert before == []
    assert verdict.explanation.startswith(
        "The buyer's wish to cancel was not answered by Tue 3 Nov 2026, 12:00 "
        "(Asia/Kuala_Lumpur): the marketplace accepts it"
    )
    for words in ("Keep the parcel back", "have the carrier bring it back"):
        assert words in verdict.explanation
    assert verdict.clause == (
        "seller_next_action_response.deadline: "
        "the request's own deadline, seller_next_action_response.deadline"
    )
    assert verdict.key == f"{NAME}#{FIRST}#2026-11-03T04:00:00Z"
    assert verdict.alerts


LATE_NEWS: dict[str, tuple[list[OrderEvent], list[tuple[datetime, str]]]] = {
    "rejected in time": ([ends(WITHDRAWN, DUE)], [(DUE, "withdrawn")]),
    "accepted in time": ([ends(SUCCESS, DUE)], [(DUE, "withdrawn")]),
    "rejected a second late": ([ends(WITHDRAWN, DUE + SECOND)], [(DUE, "overtaken")]),
    "accepted a second late": ([ends(SUCCESS, DUE + SECOND)], [(DUE, "standing")]),
    "put off": ([asks(deadline=after(60))], [(DUE, "withdrawn")]),
    "put off until by now": (
        [asks(deadline=after(52))],
        [(DUE, "withdrawn"), (after(52), "standing")],
    ),
    "told once more": ([asks(identity="again")], [(DUE, "standing")]),
    "asked earlier than was known": ([asks(1, after(40))], [(DUE, "standing")]),
    "silent": ([shows(False, 9)], [(DUE, "withdrawn")]),
    "cancelled in time": (
        [snapshot("CANCELLED", 51, cancel_time=DUE)],
        [(DUE, "withdrawn")],
    ),
    "cancelled late": (
        [snapshot("CANCELLED", 51, cancel_time=DUE + SECOND)],
        [(DUE, "standing")],
    ),
    "withdrawn late and made anew": (
        [ends(WITHDRAWN, after(50.5)), asks(51, after(90))],
        [(DUE, "overtaken")],
    ),
    "another request": ([asks(51, after(90), case_id=SECOND_CASE)], [(DUE, "standing")]),
}


@pytest.mark.parametrize("news", LATE_NEWS)
def test_late_news_turns_what_was_said(news: str) -> None:
    events, expected = LATE_NEWS[news]
    first, then = sweeps((after(50.1), [asks()]), (after(52), [asks(), *events]))
    assert [(verdict.due_at, verdict.state) for verdict in first] == [(DUE, "standing")]
    assert [(verdict.due_at, verdict.state) for verdict in then] == expected
    (at_once,) = sweeps((after(52), [asks(), *events]))
    kept = [(v.due_at, v.state) for v in at_once]
    assert kept == [pair for pair in expected if pair[1] != "withdrawn"]


def test_before_it_is_said_the_order_is_read_once_more() -> None:
    of, connected = order(asks()), shop()
    decision = decide(of, Recorded(), Situation(DUE, policy(), connected))
    assert [verdict for verdict in decision.verdicts if verdict.rule == NAME] == []
    assert decision.owed
    assert decision.reread_at is not None
