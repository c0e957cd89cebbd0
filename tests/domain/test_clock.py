"""Where a clock stands, to the second."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shipclock.domain.clock import Clock, ClockState, Notice, Stop, Verdict, VerdictState
from tests.builders import NUMBER, SECOND, after

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


@pytest.mark.parametrize("off", [timedelta(0), -SECOND, timedelta(days=-90)])
def test_a_stop_up_to_the_due_instant_overtakes_nothing(off: timedelta) -> None:
    assert not clock(stop=Stop(DUE + off)).overtaken
    assert clock(stop=Stop(DUE + SECOND)).overtaken


@pytest.mark.parametrize(
    ("stop", "void", "expected"),
    [
        (after(2), after(1), "stopped"),
        (after(2), after(2), "met"),
        (after(2), after(3), "met"),
        (DUE + SECOND, DUE, "stopped"),
        (DUE + SECOND, DUE + SECOND, "missed"),
    ],
)
def test_of_a_stop_and_an_end_the_earlier_decides_and_at_one_instant_the_stop(
    stop: datetime, void: datetime, expected: str
) -> None:
    assert clock(stop=Stop(stop), void_at=void).state(DUE).value == expected


@pytest.mark.parametrize("due", [DUE, DUE.astimezone(ZoneInfo("Asia/Kuala_Lumpur"))])
def test_a_clock_tells_its_instants_in_utc_itself_whatever_zone_they_came_in(due: datetime) -> None:
    told = clock(due_at=due, starts_at=due, void_at=due, stop=Stop(due))
    assert told.stop is not None
    assert [at.tzinfo for at in (told.due_at, told.starts_at, told.void_at) if at] == [UTC] * 3
    assert (told.stop.at.tzinfo, told.stop.at) == (UTC, DUE)
    assert told.at_once


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
    assert verdict().turned(VerdictState.OVERTAKEN) == verdict(state=VerdictState.OVERTAKEN)
    assert verdict().turned(VerdictState.OVERTAKEN).key == verdict().key


@pytest.mark.parametrize("other", [{"rule": "x"}, {"due_at": DUE + SECOND}, {"package_id": "P1"}])
def test_a_verdict_of_another_clock_package_or_instant_is_another_one(
    other: dict[str, object],
) -> None:
    assert verdict().key != verdict(**other).key


@pytest.mark.parametrize(
    ("about", "part"),
    [
        ({}, ""),
        ({"number": NUMBER}, NUMBER),
        ({"package_id": "P1"}, "P1"),
        ({"number": NUMBER, "package_id": "P1"}, NUMBER),
        ({"cause": "lost"}, "lost"),
        ({"number": NUMBER, "cause": "lost"}, f"{NUMBER}/lost"),
        ({"package_id": "P1", "cause": "lost"}, "P1/lost"),
    ],
)
def test_a_clock_and_its_verdict_are_kept_under_one_name_of_rule_part_and_instant(
    about: dict[str, object], part: str
) -> None:
    assert clock(**about).part == part
    assert clock(**about).key == f"c#{part}#2026-11-06T02:00:00Z"
    assert verdict(rule="c", **about).key == clock(**about).key


def test_a_notice_is_one_of_its_kind_clock_and_day() -> None:
    notice = Notice("untracked", "reminder", DUE, "2026-11-06", "text")
    assert notice.key == "reminder#untracked#2026-11-06"
