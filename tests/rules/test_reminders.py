"""The daily reminders and the final warning of an order that is not tracked."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shipclock.domain.order import Order
from shipclock.domain.tracking import TimeBasis
from shipclock.rules import next_instant, notices, timeline, untracked
from shipclock.rules.packs import parse_pack, policy_for
from shipclock.rules.policy import Policy
from tests.builders import SECOND, after, folded, numbered, scan, snapshot

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def placed(create_time: datetime) -> Order:
    return folded(snapshot(create_time=create_time, update_time=create_time))


def by(zone: str) -> Policy:
    return policy_for("XX", date(2026, 1, 1), zone)


def said(
    order: Order, rules: Policy, sweeps: Iterable[datetime]
) -> list[tuple[str, str, datetime]]:
    """What sweeps at these instants say, each thing once, as a settle would record it."""
    known: set[str] = set()
    found = []
    for now in sweeps:
        for notice in notices(order, timeline(order, rules), rules, now):
            if notice.key not in known:
                known.add(notice.key)
                found.append((notice.kind, notice.day, now))
    return found


def every(step: timedelta, first: datetime, last: datetime) -> list[datetime]:
    return [first + step * n for n in range(int((last - first) / step) + 1)]


def reminders(order: Order, rules: Policy, sweeps: Iterable[datetime]) -> list[datetime]:
    return [at for kind, _, at in said(order, rules, sweeps) if kind == "reminder"]


def test_the_first_comes_at_120_hours_and_then_one_at_nine_each_local_day_to_the_end() -> None:
    zone = "Asia/Kuala_Lumpur"  # eight hours ahead: the first falls on 13:30 local time
    start = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    found = reminders(placed(start), by(zone), every(15 * MINUTE, start, start + 20 * DAY))
    nine = datetime(2026, 11, 7, 1, 0, tzinfo=UTC)
    assert found == [start + 120 * HOUR, *every(DAY, nine, start + 15 * DAY - SECOND)]
    assert len(found) == 1 + 10


def test_nothing_is_said_a_second_before_its_time() -> None:
    start = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    order, rules = placed(start), by("UTC")
    first = start + 120 * HOUR
    nine = datetime(2026, 11, 7, 9, 0, tzinfo=UTC)
    assert reminders(order, rules, [first - SECOND]) == []
    assert reminders(order, rules, [first]) == [first]
    assert reminders(order, rules, [nine - SECOND]) == []
    assert reminders(order, rules, [nine]) == [nine]


def test_where_the_first_one_falls_after_nine_that_day_has_no_second_one() -> None:
    start = datetime(2026, 11, 1, 23, 50, tzinfo=UTC)
    found = reminders(placed(start), by("UTC"), every(MINUTE, start + 119 * HOUR, start + 7 * DAY))
    assert found == [start + 120 * HOUR, datetime(2026, 11, 7, 9, 0, tzinfo=UTC), *found[2:]]
    assert len({at.date() for at in found}) == len(found)


def test_where_the_first_one_falls_before_nine_that_day_has_no_second_one_either() -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    found = reminders(placed(start), by("UTC"), every(HOUR, start, start + 7 * DAY))
    assert found[:2] == [start + 120 * HOUR, datetime(2026, 11, 7, 9, 0, tzinfo=UTC)]


def test_a_reminder_is_given_once_however_often_the_day_is_swept() -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    nine = datetime(2026, 11, 8, 9, 0, tzinfo=UTC)
    sweeps = [nine, nine, nine + MINUTE, nine + 14 * HOUR]
    assert reminders(placed(start), by("UTC"), sweeps) == [nine]


def test_days_slept_through_are_left_out_and_never_made_up_for_in_a_burst() -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    awake = datetime(2026, 11, 11, 15, 0, tzinfo=UTC)
    sweeps = [start + 121 * HOUR, *every(HOUR, awake, awake + 2 * DAY)]
    found = said(placed(start), by("UTC"), sweeps)
    assert [day for kind, day, _ in found if kind == "reminder"] == [
        "2026-11-06",
        "2026-11-11",
        "2026-11-12",
        "2026-11-13",
    ]


def test_a_day_on_which_no_sweep_ran_after_nine_is_left_out() -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    before_nine = [datetime(2026, 11, day, 8, 59, 59, tzinfo=UTC) for day in (8, 9)]
    assert reminders(placed(start), by("UTC"), before_nine) == []


def test_the_final_warning_comes_a_day_before_the_end_once_and_is_no_reminder() -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    end = start + 15 * DAY
    found = said(placed(start), by("UTC"), every(MINUTE, end - 25 * HOUR, end))
    assert [at for kind, _, at in found if kind == "warning"] == [end - DAY]


def test_a_final_warning_slept_through_is_given_late_but_never_after_the_end() -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    end, order = start + 15 * DAY, placed(start)
    assert ("warning", "2026-11-16T04:00:00Z", end - SECOND) in said(
        order, by("UTC"), [end - SECOND]
    )
    assert said(order, by("UTC"), [end, end + SECOND, end + DAY]) == []


def test_reminder_and_warning_say_when_the_marketplace_cancels_and_are_of_their_moment() -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    now, order = start + 14 * DAY + 6 * HOUR, placed(start)
    reminder, warning = notices(order, timeline(order, by("UTC")), by("UTC"), now)
    assert reminder.key == "reminder#untracked#2026-11-15"
    assert warning.key == "warning#untracked#2026-11-16T04:00:00Z"
    assert reminder.at == warning.at == now
    assert "Mon 16 Nov 2026, 04:00 (UTC)" in reminder.text
    assert warning.text == f"Last warning. {reminder.text}"


@pytest.mark.parametrize(
    ("shipping_type", "says"), [("SELLER", "enter its number"), ("TIKTOK", "Arrange the shipment")]
)
def test_a_reminder_says_what_this_seller_can_do(shipping_type: str, says: str) -> None:
    order, rules = folded(snapshot(shipping_type=shipping_type)), by("UTC")
    (reminder,) = notices(order, timeline(order, rules), rules, after(120))
    todo = {"enter its number", "Arrange the shipment"}
    assert {words for words in todo if words in reminder.text} == {says}


def test_the_day_of_the_first_one_is_the_shops() -> None:
    start = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)  # already the second in Kuala Lumpur
    zone = "Asia/Kuala_Lumpur"
    found = reminders(placed(start), by(zone), every(HOUR, start, start + 7 * DAY))
    assert found[:2] == [start + 120 * HOUR, datetime(2026, 11, 8, 1, 0, tzinfo=UTC)]


def test_a_reminder_that_would_fall_on_the_very_end_is_not_announced() -> None:
    start = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
    order, end = placed(start), start + 15 * DAY
    own = tuple(t.clock for t in timeline(order, by("UTC")) if t.clock.name == "untracked")
    assert untracked.next_notice(own, by("UTC"), end - DAY - SECOND) == end - DAY
    assert untracked.next_notice(own, by("UTC"), end - DAY) is None


def test_who_need_not_be_reminded_is_not_woken_for_it() -> None:
    order, rules = folded(snapshot(), numbers=(numbered(scan(hours=1)),)), by("UTC")
    ticking = timeline(order, rules)
    alarms = [next_instant(ticking, rules, after(hours)) for hours in (2, 120, 287)]
    assert alarms == [after(120), after(288), after(288)]


def test_an_order_that_is_tracked_is_not_reminded_of() -> None:
    start = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
    sweeps = every(6 * HOUR, start, start + 15 * DAY)
    tracked = folded(snapshot(), numbers=(numbered(scan(hours=100)),))
    assert said(tracked, by("UTC"), sweeps) == []
    uncertain = folded(snapshot(), numbers=(numbered(scan(hours=100, basis=TimeBasis.ZONE)),))
    assert said(uncertain, by("UTC"), sweeps) == []


def test_an_order_ruled_by_the_marketplaces_own_line_is_not_reminded_of() -> None:
    replaced = folded(snapshot(deadlines={"collection_due_time": after(500)}))
    assert said(replaced, by("UTC"), every(HOUR, after(120), after(360))) == []


def test_a_cancelled_order_is_not_reminded_of() -> None:
    gone = folded(snapshot(), snapshot("CANCELLED", 130, cancel_time=after(130)))
    assert said(gone, by("UTC"), every(HOUR, after(131), after(360))) == []


# Packs that want less


def pack_with(*figures: str) -> Policy:
    text = """
        name = "night"
        markets = []
        from = 2020-01-01
        ship_on = "scan"
        title = "Night"
        [clauses.untracked]
        clause = "made up"
        source = "nobody"
        dated = 2026-01-01
        confidence = "unconfirmed"
        hours = 360
    """
    return Policy(parse_pack("\n".join([text, *figures]), "night"), ZoneInfo(NEW_YORK))


@pytest.mark.parametrize(
    ("figures", "kinds"),
    [
        ((), set()),
        (("reminder_at = 09:00:00",), set()),
        (("first_reminder_hours = 24",), set()),
        (("first_reminder_hours = 24", "reminder_at = 09:00:00"), {"reminder"}),
        (("final_warning_hours = 24",), {"warning"}),
        (("final_warning_hours = 24", "reminder_at = 09:00:00"), {"warning"}),
    ],
)
def test_a_pack_that_names_no_time_for_it_does_not_remind_or_warn(
    figures: tuple[str, ...], kinds: set[str]
) -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    order, rules = placed(start), pack_with(*figures)
    found = said(order, rules, every(6 * HOUR, start, start + 15 * DAY))
    assert {kind for kind, _, _ in found} == kinds


def test_without_a_clause_nobody_is_reminded_or_woken() -> None:
    rules, order = by("UTC"), placed(after(0))
    bare = Policy(rules.pack.model_copy(update={"clauses": {}}), rules.zone)
    own = tuple(t.clock for t in timeline(order, rules) if t.clock.name == "untracked")
    assert untracked.notices(order, own, bare, after(340)) == ()
    assert untracked.next_notice(own, bare, after(1)) is None


# Zones that change their clocks

NEW_YORK = "America/New_York"
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("change", "before", "from_then"),
    [(SPRING, (14, 0), (13, 0)), (AUTUMN, (13, 0), (14, 0))],
)
def test_nine_stays_nine_in_the_shops_own_time_when_the_clocks_change(
    change: date, before: tuple[int, int], from_then: tuple[int, int]
) -> None:
    start = datetime(change.year, change.month, change.day, 12, 0, tzinfo=UTC) - 8 * DAY
    found = reminders(placed(start), by(NEW_YORK), every(HOUR, start, start + 15 * DAY))
    local = [at.astimezone(ZoneInfo(NEW_YORK)) for at in found[1:]]
    assert {(at.hour, at.minute) for at in local} == {(9, 0)}
    days = [at.date() for at in local]
    assert change in days
    assert days == [days[0] + DAY * n for n in range(len(days))]
    utc = {at.date(): (at.hour, at.minute) for at in found[1:]}
    assert utc[change - DAY] == before
    assert utc[change] == utc[change + DAY] == from_then


def pack_with_reminder_at(clock_time: str) -> Policy:
    return pack_with("first_reminder_hours = 24", f"reminder_at = {clock_time}")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # 02:30 does not exist: an hour late, once
        (SPRING, datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        # there is no doubt about 02:30 on that day
        (AUTUMN, datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_reminder_in_the_changed_hour_comes_once(change: date, expected: datetime) -> None:
    rules = pack_with_reminder_at("02:30:00")
    start = datetime(change.year, change.month, change.day, 12, 0, tzinfo=UTC) - 5 * DAY
    found = reminders(placed(start), rules, every(10 * MINUTE, start, start + 8 * DAY))
    zone = ZoneInfo(NEW_YORK)
    assert [at for at in found if at.astimezone(zone).date() == change] == [expected]


def test_a_reminder_in_the_hour_that_comes_twice_comes_the_first_time_only() -> None:
    rules = pack_with_reminder_at("01:30:00")
    start = datetime(2026, 10, 27, 12, 0, tzinfo=UTC)
    found = reminders(placed(start), rules, every(10 * MINUTE, start, start + 8 * DAY))
    zone = ZoneInfo(NEW_YORK)
    on_the_day = [at for at in found if at.astimezone(zone).date() == AUTUMN]
    assert on_the_day == [datetime(2026, 11, 1, 5, 30, tzinfo=UTC)]


@pytest.mark.parametrize("zone", [NEW_YORK, "Asia/Kuala_Lumpur", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_who_wakes_only_when_told_to_says_the_same_as_who_looks_every_ten_minutes(
    zone: str, change: date
) -> None:
    start = datetime(change.year, change.month, change.day, 6, 20, tzinfo=UTC) - 9 * DAY
    order, rules = placed(start), by(zone)
    ticking = timeline(order, rules)
    alarms, now = [], start
    while (following := next_instant(ticking, rules, now)) is not None:
        alarms.append(following)
        now = following
        assert len(alarms) < 100
    diligent = every(10 * MINUTE, start, start + 16 * DAY)
    assert said(order, rules, alarms) == said(order, rules, diligent)
    assert alarms[-1] == start + 15 * DAY
