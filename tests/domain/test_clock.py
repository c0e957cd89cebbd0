"""Where a clock stands, to the second."""

from datetime import timedelta

import pytest

from shipclock.domain.clock import Clock, ClockState, Stop, Verdict, VerdictState
from tests.builders import SECOND, after

DUE = after(120)


def clock(**more: object) -> Clock:
    return Clock(**{"name": "c", "due_at": DUE, "set_by": "pack", **more})  # type: ignore[arg-type]


AROUND = (DUE - SECOND, DUE, DUE + SECOND)


def states(of: Clock) -> list[str]:
    return [of.state(now).value for now in AROUND]


def test_a_clock_that_nothing_stopped_is_missed_from_its_due_instant_on() -> None:
    assert states(clock()) == ["running", "missed", "missed"]


@pytest.mark.parametrize(
    ("stopped", "at_the_end"),
    [(-SECOND, "met"), (timedelta(0), "met"), (SECOND, "missed")],
)
def test_a_stop_up_to_the_due_instant_meets_the_clock(stopped: timedelta, at_the_end: str) -> None:
    assert states(clock(stop=Stop(DUE + stopped)))[2] == at_the_end


def test_a_stop_that_becomes_known_late_counts_by_its_own_time() -> None:
    assert clock(stop=Stop(after(1))).state(DUE + timedelta(days=400)) is ClockState.MET


def test_a_stop_after_the_due_instant_leaves_the_clock_running_until_then() -> None:
    assert states(clock(stop=Stop(DUE + SECOND))) == ["running", "missed", "missed"]


@pytest.mark.parametrize("off", [-SECOND, timedelta(0), SECOND, timedelta(days=90)])
def test_a_time_that_is_not_trusted_stops_a_clock_and_never_proves_it_missed(
    off: timedelta,
) -> None:
    assert states(clock(stop=Stop(DUE + off, trusted=False))) == ["met", "met", "met"]


@pytest.mark.parametrize(
    ("void", "expected"),
    [
        (-SECOND, ["stopped", "stopped", "stopped"]),
        (timedelta(0), ["stopped", "stopped", "stopped"]),
        (SECOND, ["running", "missed", "missed"]),
    ],
)
def test_a_clock_that_stopped_to_apply_in_time_is_stopped(
    void: timedelta, expected: list[str]
) -> None:
    assert states(clock(void_at=DUE + void)) == expected


def test_a_clock_met_before_it_stopped_to_apply_stays_met() -> None:
    assert states(clock(stop=Stop(after(1)), void_at=after(2))) == ["met", "met", "met"]


def test_a_clock_waits_until_it_starts() -> None:
    later = clock(starts_at=after(24))
    assert [later.state(now).value for now in (after(24) - SECOND, after(24), after(25))] == [
        "waiting",
        "running",
        "running",
    ]


def test_a_clock_whose_end_lies_before_its_start_is_missed_not_waiting() -> None:
    assert clock(starts_at=DUE + timedelta(days=1)).state(DUE) is ClockState.MISSED


def verdict(**more: object) -> Verdict:
    known: dict[str, object] = {
        "rule": "untracked",
        "due_at": DUE,
        "state": VerdictState.STANDING,
        "noticed_at": DUE,
        "clause": "",
        "explanation": "",
        **more,
    }
    return Verdict(**known)  # type: ignore[arg-type]


def test_a_verdict_is_the_same_one_whenever_it_is_noticed_and_however_it_turned() -> None:
    again = verdict(noticed_at=DUE + SECOND, state=VerdictState.WITHDRAWN, explanation="other")
    assert verdict().key == again.key
    assert verdict().turned(VerdictState.OVERTAKEN).key == verdict().key


@pytest.mark.parametrize("other", [{"rule": "x"}, {"due_at": DUE + SECOND}, {"package_id": "P1"}])
def test_a_verdict_of_another_clock_package_or_instant_is_another_one(
    other: dict[str, object],
) -> None:
    assert verdict().key != verdict(**other).key
