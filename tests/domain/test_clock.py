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


def test_what_comes_at_once_starts_as_it_runs_out_and_is_waited_for_like_any_other() -> None:
    at_once = clock(at_once=True)
    assert at_once.starts_at == DUE
    assert [at_once.state(now) for now in (DUE - SECOND, DUE)] == ["waiting", "missed"]
    assert clock().starts_at is None


def verdict(**more: object) -> Verdict:
    known: dict[str, object] = {
        "key": "untracked##2026-11-06T02:00:00Z",
        "rule": "untracked",
        "due_at": DUE,
        "state": VerdictState.STANDING,
        "noticed_at": DUE,
        "clause": "",
        "explanation": "",
        **more,
    }
    return Verdict(**known)  # type: ignore[arg-type]


def test_a_verdict_turns_into_another_state_and_stays_the_same_in_all_else() -> None:
    for state in VerdictState:
        assert verdict().turned(state) == verdict(state=state)


def test_a_verdict_is_told_of_what_its_clock_is_about_by_now() -> None:
    now_known = clock(due_at=after(119), package_id="P1", number=NUMBER, clause="another")
    assert verdict(clause="first").of(now_known, VerdictState.OVERTAKEN) == verdict(
        clause="first",
        state=VerdictState.OVERTAKEN,
        due_at=after(119),
        package_id="P1",
        number=NUMBER,
    )


@pytest.mark.parametrize(
    ("about", "key"),
    [
        ({}, "c##2026-11-06T02:00:00Z"),
        ({"due_at": DUE + SECOND}, "c##2026-11-06T02:00:01Z"),
        ({"part": NUMBER}, "c#SYN000101#2026-11-06T02:00:00Z"),
        ({"part": NUMBER, "number": "X", "package_id": "P1"}, "c#SYN000101#2026-11-06T02:00:00Z"),
        ({"cause": "lost"}, "c#lost#2026-11-06T02:00:00Z"),
        ({"part": NUMBER, "cause": "lost"}, "c#SYN000101/lost#2026-11-06T02:00:00Z"),
        # of what happens at once an earlier instant may become known
        ({"at_once": True}, "c#"),
        ({"at_once": True, "part": NUMBER, "cause": "lost"}, "c#SYN000101/lost"),
        ({"starts_at": DUE}, "c##2026-11-06T02:00:00Z"),
    ],
)
def test_a_clock_is_kept_under_its_rule_its_part_and_cause_and_the_instant_it_was_waited_for(
    about: dict[str, object], key: str
) -> None:
    assert clock(**about).key == key


def test_a_notice_is_one_of_its_kind_clock_and_day() -> None:
    notice = Notice("untracked", "reminder", DUE, "2026-11-06", "text")
    assert notice.key == "reminder#untracked#2026-11-06"
