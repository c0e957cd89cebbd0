"""Whatever is told, and whatever goes wrong, reaches people once, in its time and no other."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipclock.notify.outbox import PACE
from tests.fakes import KINDS
from tests.notify.people import HOOK, SECRET, WEBHOOK, People

OTHER = "https://ops.example.com/hooks"
NO_TOPIC = {"topic": {"kind": "topic", "off": True}}
QUIET = {**WEBHOOK, "quiet": "22:00-07:00"}

STARTS = [
    ("Asia/Kuala_Lumpur", datetime(2026, 6, 1, 0, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 28, 6, tzinfo=UTC)),  # forward the night after
    ("America/New_York", datetime(2026, 10, 31, 12, tzinfo=UTC)),  # back the night after
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 0, tzinfo=UTC)),  # back by half an hour
]
steps = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 5, 30, 90, 300, 700, 3000]),  # minutes; the last is a sleep
        st.lists(st.sampled_from(["ordinary", "ordinary", "urgent", "critical"]), max_size=3),
        st.dictionaries(st.integers(0, 60), st.sampled_from(KINDS), max_size=2),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def is_quiet(at: datetime, zone: str, start: str, end: str) -> bool:
    """By the wall clock, told another way than the product's."""
    shown = at.astimezone(ZoneInfo(zone)).strftime("%H:%M")
    return start <= shown < end if start < end else not end <= shown < start


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(STARTS),
    steps,
    st.sampled_from(["", "22:00-07:00", "00:30-03:30", "09:00-09:30", "08:00-20:00"]),
    st.sampled_from(["09:15", "02:30", "23:50", "00:00"]),
)
def test_any_shuffle_of_sweeps_sleeps_and_crashes_tells_all_once_and_in_its_hours(
    where: tuple[str, datetime], life: list[Any], quiet: str, digest_at: str
) -> None:
    zone, start = where
    hours = {"quiet": quiet} if quiet else {}
    people = People(
        zone,
        start,
        {
            **NO_TOPIC,
            "erp": {**WEBHOOK, **hours, "digest_at": digest_at},
            "ops": {"kind": "webhook", "url": OTHER, "secrets": [SECRET], "levels": ["critical"]},
        },
    )
    for minutes, levels, plan, twice in life:
        people.passes(minutes)
        for level in levels:
            people.happens(level)
        people.sweep(plan)
        if twice:
            people.sweep()
    people.until(people.now + timedelta(days=4), every=20)
    assert people.sweep() is not None

    wanted = {
        HOOK: set(people.said),
        OTHER: {i for i, (lvl, _) in people.said.items() if lvl == "critical"},
    }
    for whose, ids in wanted.items():
        assert Counter(people.events(whose)) == Counter(ids), "each event is in exactly one message"
        bodies: dict[str, set[bytes]] = {}
        for one in people.arrived:
            bodies.setdefault(one.id, set()).add(one.body)
        assert all(len(each) == 1 for each in bodies.values()), "a repeat says the same"
    digests = [one for one in people.told() if one.level == "ordinary"]
    days = [(one.at.astimezone(ZoneInfo(zone)).date()) for one in digests]
    assert len(set(one.day for one in digests)) == len(digests), "one digest a local day"
    if quiet:
        for one in people.arrived:
            if one.whose == HOOK and one.level != "critical":
                assert not is_quiet(one.at, zone, *quiet.split("-")), (one.level, one.at)
    assert days == sorted(days)


def test_what_is_ordinary_waits_for_the_digest_and_goes_together() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})  # 08:30 in Kuala Lumpur
    first = [people.happens("ordinary") for _ in range(200)]
    people.sweep()
    assert people.told() == []
    people.until(datetime(2026, 6, 1, 1, 14, tzinfo=UTC), every=1)
    assert people.told() == []
    people.until(datetime(2026, 6, 1, 1, 15, tzinfo=UTC), every=1)
    assert sorted(people.events()) == sorted(first)
    assert [len(one.events) for one in people.told()] == [150, 50]
    later = people.happens("ordinary")
    people.until(datetime(2026, 6, 2, 0, 45, tzinfo=UTC), every=30)
    people.until(datetime(2026, 6, 2, 1, 14, tzinfo=UTC), every=1)
    assert later not in people.events()
    people.until(datetime(2026, 6, 2, 1, 15, tzinfo=UTC), every=1)
    assert people.told()[-1].events == (later,)


def test_what_is_urgent_goes_at_once_and_all_of_a_sweep_together() -> None:
    people = People(destinations={**NO_TOPIC, "erp": QUIET})
    ids = [people.happens("urgent") for _ in range(5)]
    report = people.sweep()
    assert report is not None
    assert report.due_left == 0
    (message,) = people.told()
    assert sorted(message.events) == sorted(ids)


def test_after_an_urgent_message_the_next_takes_ten_minutes_news_along() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    first = people.happens("urgent")
    people.sweep()
    more = []
    for _ in range(9):
        people.passes(1)
        more.append(people.happens("urgent"))
        people.sweep()
    assert people.events() == [first]
    people.passes(PACE.total_seconds() / 60 - 9)
    people.sweep()
    assert sorted(people.told()[1].events) == sorted(more)


def test_what_is_critical_waits_for_nothing() -> None:
    people = People(
        start=datetime(2026, 6, 1, 18, 0, tzinfo=UTC), destinations={**NO_TOPIC, "erp": QUIET}
    )
    for _ in range(3):  # 02:00 in Kuala Lumpur
        told = people.happens("critical")
        people.sweep()
        assert told in people.events()
        people.passes(1)


def test_in_quiet_hours_what_is_urgent_waits_for_their_end_and_goes_together() -> None:
    people = People(
        start=datetime(2026, 6, 1, 14, 0, tzinfo=UTC), destinations={**NO_TOPIC, "erp": QUIET}
    )
    waits = []
    for _ in range(5):  # from 22:00 on
        waits.append(people.happens("urgent"))
        people.passes(45)
        people.sweep()
    assert people.told() == []
    people.until(datetime(2026, 6, 1, 22, 59, tzinfo=UTC), every=1)
    assert people.told() == []
    people.passes(1)
    people.sweep()
    (message,) = people.told()
    assert sorted(message.events) == sorted(waits)


@pytest.mark.parametrize(("hours", "at_once"), [(1, True), (24, True), (25, False)])
def test_what_is_about_an_instant_before_the_digest_does_not_wait_for_it(
    hours: float, at_once: bool
) -> None:
    start = datetime(2026, 6, 1, 1, 15, tzinfo=UTC)  # 09:15: the next digest is tomorrow's
    people = People(start=start, destinations={**NO_TOPIC, "erp": WEBHOOK})
    told = people.happens("ordinary", start + timedelta(hours=hours))
    people.sweep()
    assert (told in people.events()) is at_once


def test_after_a_sleep_of_days_there_is_one_digest_and_no_burst() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    first = people.happens("ordinary")
    people.sweep()
    people.passes(6 * 24 * 60 - 30)  # at 08:00, six days later
    people.sweep()
    assert people.events() == [first]
    second = people.happens("ordinary")
    people.sweep()
    people.until(people.now + timedelta(hours=12), every=15)
    assert people.events() == [first], "that day has had its digest"
    people.until(people.now + timedelta(hours=14), every=15)
    assert people.events() == [first, second]


def test_two_sweeps_at_the_same_time_tell_once() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    people.happens("urgent")
    people.happens("critical")
    for _ in range(3):
        people.sweep()
    assert len(people.arrived) == 2
