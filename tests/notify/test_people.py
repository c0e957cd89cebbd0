"""Whatever is told, and whatever goes wrong, reaches people once, in its time and no other."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipclock import rows
from shipclock.announce import announcement
from shipclock.notify.destinations import destinations_of
from shipclock.notify.outbox import PACE, Outbox, Told
from shipclock.ports import Change, OutletFailed, Store, StoreError, Taken, Write
from tests.fakes import KINDS, Faults, FaultyStore
from tests.notify.people import HOOK, SECRET, WEBHOOK, People
from tests.stage import SHOP_ID

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


@pytest.mark.parametrize(("hours", "at_once"), [(15.5, True), (16, True), (16.1, False)])
def test_what_is_about_an_instant_before_its_digest_may_go_out_is_told_before_quiet_hours(
    hours: float, at_once: bool
) -> None:
    start = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)  # 18:00: the next digest waits until 10:00
    people = People(
        start=start, destinations={**NO_TOPIC, "erp": {**WEBHOOK, "quiet": "22:00-10:00"}}
    )
    told = people.happens("ordinary", start + timedelta(hours=hours))
    people.sweep()
    assert (told in people.events()) is at_once


@pytest.mark.parametrize(("hours", "at_once"), [(15, True), (32.25, True), (32.3, False)])
def test_what_is_about_an_instant_before_the_next_digest_does_not_wait_where_one_came_early(
    hours: float, at_once: bool
) -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})  # 08:30 in Kuala Lumpur
    people.happens("ordinary")
    people.sweep()
    people.passes(16.5 * 60)  # at 01:00 the digest of the day before is made up for
    people.sweep()
    assert [one.day for one in people.told()] == ["2026-06-02"]
    told = people.happens("ordinary", people.now + timedelta(hours=hours))
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
    assert people.told()[-1].at.astimezone(ZoneInfo(people.zone)).strftime("%H:%M") == "09:15"


def test_two_sweeps_at_the_same_time_tell_once() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    people.happens("urgent")
    people.happens("critical")
    for _ in range(3):
        people.sweep()
    assert len(people.arrived) == 2


# Races and crashes that take their luck to meet


def test_what_was_not_taken_before_quiet_hours_waits_for_their_end() -> None:
    people = People(
        start=datetime(2026, 6, 1, 13, 59, tzinfo=UTC), destinations={**NO_TOPIC, "erp": QUIET}
    )
    told = people.happens("urgent")  # 21:59 in Kuala Lumpur
    people.sweep(outlets=Down())
    people.until(datetime(2026, 6, 1, 22, 59, tzinfo=UTC), every=1)
    assert people.events() == []
    people.until(datetime(2026, 6, 1, 23, 0, tzinfo=UTC), every=1)
    assert people.events() == [told]


class Down:
    """Outlets that take nothing; they count what was brought."""

    def __init__(self, status: int = 500) -> None:
        self.status, self.tries = status, 0

    def publish(self, subject: str, text: str, attributes: Mapping[str, str]) -> None:
        raise OutletFailed("the topic did not take it: InternalError")

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        self.tries += 1
        return Taken(self.status)


def test_what_was_kept_just_before_quiet_hours_is_told_with_what_came_in_them() -> None:
    people = People(
        start=datetime(2026, 6, 1, 13, 59, tzinfo=UTC), destinations={**NO_TOPIC, "erp": QUIET}
    )
    first = people.happens("urgent")
    outbox_of(people).keep(told_of(people))  # and the process is gone
    more = []
    for _ in range(2):
        people.passes(15)
        more.append(people.happens("urgent"))
        people.sweep()
    people.until(datetime(2026, 6, 1, 23, 0, tzinfo=UTC), every=30)
    (message,) = people.told()
    assert sorted(message.events) == sorted([first, *more])


def outbox_of(people: People, store: Store | None = None) -> Outbox:
    return Outbox(
        store or people.stage.memory,
        destinations_of(people.stage.destinations),
        lambda one, shop_id: ZoneInfo(people.zone),
        people.now,
        people.stage.real.now,
    )


def told_of(people: People) -> list[Told]:
    """What waits to be kept."""
    found = [
        row
        for partition in people.stage.memory.rows.values()
        for row in partition.values()
        if row["sk"].startswith(rows.NOTICE) and "due_at" in row
    ]
    return [Told(dict(row), announcement(rows.key_of(row), row)) for row in found]


class Between(FaultyStore):
    """A store in which something happens just before the first commit."""

    def __init__(self, people: People, happens: Callable[[], object]) -> None:
        super().__init__(people.stage.memory, Faults())
        self._happens: list[Callable[[], object]] = [happens]

    def commit(self, writes: Sequence[Write]) -> bool:
        if self._happens:
            self._happens.pop()()
        return super().commit(writes)


@pytest.mark.parametrize("level", ["ordinary", "urgent", "critical"])
@pytest.mark.parametrize("what", ["the same is kept", "more is kept", "the box is closed"])
def test_of_two_sweeps_that_fill_or_close_a_box_at_once_nothing_is_lost_or_doubled(
    level: str, what: str
) -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    people.happens(level)
    outbox_of(people).keep(told_of(people))
    people.happens(level)
    mine = told_of(people)

    def other() -> None:
        if what == "more is kept":
            people.happens(level)
        if what == "the box is closed":
            later = replace(outbox_of(people), now=people.now + timedelta(hours=1))
            assert later.close((rows.tell_pk("erp", SHOP_ID), rows.BOX + level))
        else:
            outbox_of(people).keep(told_of(people))

    outbox_of(people, Between(people, other)).keep(mine)
    people.until(people.now + timedelta(days=2), every=60)
    assert Counter(people.events()) == Counter(list(people.said))
    for one in people.told():
        assert one.events


def test_of_two_sweeps_that_fill_a_box_at_once_each_counts_what_it_brings() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    for _ in range(149):
        people.happens("urgent")
    outbox_of(people).keep(told_of(people))
    people.happens("urgent")
    mine = told_of(people)

    def other() -> None:
        people.happens("urgent")
        outbox_of(people).keep(told_of(people)[1:])

    outbox_of(people, Between(people, other)).keep(mine)
    people.sweep()
    assert Counter(people.events()) == Counter(list(people.said))
    assert [len(one.events) for one in people.told()] == [150, 1]


def test_of_two_sweeps_that_close_a_box_at_once_one_does() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    people.happens("urgent")
    outbox_of(people).keep(told_of(people))
    key = rows.tell_pk("erp", SHOP_ID), rows.BOX + "urgent"
    found: list[Any] = []
    second = outbox_of(people, Between(people, lambda: found.append(outbox_of(people).close(key))))
    found.append(second.close(key))
    assert [one is None for one in found] == [False, True]
    people.sweep()
    assert len(people.told()) == 1


def test_a_box_that_others_change_again_and_again_leaves_all_due() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    people.happens("urgent")

    class Never(Between):
        def commit(self, writes: Sequence[Write]) -> bool:
            return False

    with pytest.raises(StoreError, match="8 times"):
        outbox_of(people, Never(people, lambda: None)).keep(told_of(people))
    people.sweep()
    assert people.events() == list(people.said)


def test_what_turns_within_the_second_in_which_it_is_kept_keeps_its_mark() -> None:
    people = People(destinations={**NO_TOPIC, "erp": WEBHOOK})
    people.happens("critical")
    (mine,) = told_of(people)
    key = rows.key_of(mine.row)

    def turns() -> None:  # as a settle turns a verdict: it counts how often, its mark is the same
        assert people.stage.store.write(Change(key, set={"told": 2}))

    outbox_of(people, Between(people, turns)).keep([mine])
    row = people.stage.store.get(key)
    assert row is not None
    assert row["due_at"] == mine.row["due_at"]
