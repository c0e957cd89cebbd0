"""What the recorded history of one parcel comes to."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shipclock.domain.order import Order
from shipclock.domain.tracking import UNCONFIRMED, TrackingStatus, fold_parcel
from shipclock.fulfillment.history import Fate, histories, history, unscanned
from tests.builders import NUMBER, SECOND, after, folded, hint, line, link, numbered, scan, snapshot
from tests.fulfillment.parcels import KL, UNTRUSTED, parcel

OTHER = "SYN000102"
PICKED_UP = scan("picked_up", 0)

# What has become of it


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        ("delivered", "delivered"),
        ("returning", "returned"),
        ("returned", "returned"),
        ("lost", "lost"),
        ("disposed", "disposed"),
        ("cancelled", "cancelled"),
        ("damaged", "open"),
        ("delayed", "open"),
        ("on_hold", "open"),
        ("expired", "open"),
        ("unknown", "open"),
        ("delivery_attempt_failed", "open"),
        ("available_for_pickup", "open"),
        ("in_transit", "open"),
    ],
)
def test_a_word_of_the_carrier_decides_what_has_become_of_a_parcel(status: str, fate: str) -> None:
    told = parcel(PICKED_UP, scan(status, 5))
    assert told.fate == fate
    assert told.ended_at == (None if fate == "open" else after(5))


@pytest.mark.parametrize(
    ("words", "fate", "hours"),
    [
        (("lost", "in_transit"), "open", None),
        (("lost", "on_hold"), "lost", 1),
        (("lost", "delayed"), "lost", 1),
        (("lost", "in_transit", "delivered"), "delivered", 3),
        (("lost", "delivered"), "delivered", 2),
        (("disposed", "out_for_delivery"), "open", None),
        (("cancelled", "in_transit"), "open", None),
        (("cancelled", "in_transit", "delivered"), "delivered", 3),
        (("delivered", "in_transit"), "delivered", 1),
        (("delivered", "delivered"), "delivered", 1),
        (("delivered", "damaged"), "delivered", 1),
        (("delivered", "cancelled"), "delivered", 1),
        (("delivered", "lost"), "lost", 2),
        (("delivered", "returning", "returned"), "returned", 2),
        (("returning", "in_transit"), "returned", 1),
        (("returning", "returned"), "returned", 1),
        (("returned", "in_transit"), "returned", 1),
        (("returning", "delivered"), "delivered", 2),
        (("returning", "lost"), "lost", 2),
    ],
)
def test_the_last_deciding_word_counts_and_of_equal_ones_the_first(
    words: tuple[str, ...], fate: str, hours: float | None
) -> None:
    told = parcel(PICKED_UP, *(scan(word, hour) for hour, word in enumerate(words, 1)))
    assert told.fate == fate
    assert told.ended_at == (None if hours is None else after(hours))


def test_what_was_decided_is_changed_by_a_later_instant_only() -> None:
    assert parcel(PICKED_UP, scan("delivered", 4), scan("returning", 4)).fate == Fate.DELIVERED
    assert parcel(PICKED_UP, scan("lost", 4), scan("in_transit", 4)).fate == Fate.LOST
    assert parcel(PICKED_UP, scan("lost", 4), scan("in_transit", 4.01)).fate == Fate.OPEN


def test_damage_ends_a_parcel_only_where_the_carrier_says_so_and_it_has_not_arrived() -> None:
    final = scan("damaged", 5, flags=("final",))
    assert parcel(PICKED_UP, final).fate == Fate.DAMAGED
    assert parcel(PICKED_UP, final, scan("in_transit", 6)).fate == Fate.OPEN
    assert parcel(PICKED_UP, scan("delivered", 4), final).fate == Fate.DELIVERED


def test_an_attempt_that_was_the_last_one_does_not_end_a_parcel_by_itself() -> None:
    last = scan("delivery_attempt_failed", 5, flags=("final",))
    assert parcel(PICKED_UP, last).fate == Fate.OPEN


def test_damage_is_told_by_a_scan_or_by_a_flag_on_another() -> None:
    assert parcel(PICKED_UP, scan("damaged", 3), scan("delivered", 5)).damaged
    assert parcel(PICKED_UP, scan("delivered", 5, flags=("damaged",))).damaged
    assert not parcel(PICKED_UP, scan("delivered", 5, flags=("partial",))).damaged


def test_a_proof_counts_where_it_is_one_of_the_delivery() -> None:
    assert parcel(PICKED_UP, scan("delivered", 5, proof="photo")).proven
    twice = (scan("delivered", 5), scan("delivered", 5, proof="otp", source="other"))
    assert parcel(PICKED_UP, *twice).proven
    assert not parcel(PICKED_UP, scan("delivered", 5, proof="none")).proven
    assert not parcel(scan("picked_up", 0, proof="signature"), scan("delivered", 5)).proven


# How long it took


def test_transit_runs_from_the_first_scan_to_the_delivery() -> None:
    told = parcel(
        scan("info_received", -9), PICKED_UP, scan("in_transit", 3), scan("delivered", 30.5)
    )
    assert (told.transit, told.first_scan_at) == (int(30.5 * 3600), after(0))


def test_a_fraction_of_a_second_is_cut_off() -> None:
    late = scan("delivered", occurred_at=after(1) + timedelta(microseconds=999_999))
    assert parcel(PICKED_UP, late).transit == 3600


@pytest.mark.parametrize("odd", UNTRUSTED)
def test_a_time_that_proves_nothing_is_no_ground_for_transit_or_promise(
    odd: dict[str, Any],
) -> None:
    sure, unsure = scan("delivered", 30), scan("delivered", 30, **odd)
    promised_at = after(40)
    started = parcel(scan("picked_up", 0, **odd), sure, promised_at=promised_at)
    assert (started.transit, started.days, started.promise_kept) == (None, None, True)
    ended = parcel(PICKED_UP, unsure, promised_at=promised_at)
    assert (ended.fate, ended.transit, ended.days, ended.promise_kept) == (
        Fate.DELIVERED,
        None,
        None,
        None,
    )


def test_a_parcel_first_scanned_at_its_delivery_has_no_transit_time() -> None:
    told = parcel(scan("info_received", -9), scan("delivered", 0))
    assert (told.transit, told.days) == (None, None)
    at_once = parcel(scan("out_for_delivery", 0), scan("delivered", 0))
    assert (at_once.transit, at_once.days) == (None, None)


@pytest.mark.parametrize("status", ["returned", "lost", "in_transit"])
def test_what_was_not_delivered_has_no_transit_time_and_keeps_no_promise(status: str) -> None:
    told = parcel(PICKED_UP, scan(status, 9), promised_at=after(10))
    assert (told.transit, told.days, told.promise_kept) == (None, None, None)


def test_a_promise_is_kept_up_to_its_very_instant() -> None:
    delivered = scan("delivered", 30)
    assert parcel(PICKED_UP, delivered, promised_at=after(30)).promise_kept is True
    assert parcel(PICKED_UP, delivered, promised_at=after(30) - SECOND).promise_kept is False
    assert parcel(PICKED_UP, delivered).promise_kept is None


@pytest.mark.parametrize(
    ("zone", "first", "delivered", "days"),
    [
        # Kuala Lumpur is eight hours ahead: 15:59:59 UTC is the last second of a day.
        ("Asia/Kuala_Lumpur", "2026-11-01T16:00:00+00:00", "2026-11-02T15:59:59+00:00", 0),
        ("Asia/Kuala_Lumpur", "2026-11-01T15:59:59+00:00", "2026-11-01T16:00:00+00:00", 1),
        ("Asia/Kuala_Lumpur", "2026-11-01T15:59:59+00:00", "2026-11-04T15:59:59+00:00", 3),
        ("Asia/Kuala_Lumpur", "2026-11-01T15:59:59+00:00", "2026-11-04T16:00:00+00:00", 4),
        # Clocks go back in New York on 1 November 2026: that day has 25 hours.
        ("America/New_York", "2026-11-01T04:00:00+00:00", "2026-11-02T04:59:59+00:00", 0),
        ("America/New_York", "2026-11-01T04:00:00+00:00", "2026-11-02T05:00:00+00:00", 1),
    ],
)
def test_days_are_those_of_the_shops_calendar(
    zone: str, first: str, delivered: str, days: int
) -> None:
    told = parcel(
        scan("picked_up", occurred_at=datetime.fromisoformat(first)),
        scan("delivered", occurred_at=datetime.fromisoformat(delivered)),
        zone=ZoneInfo(zone),
    )
    assert told.days == days


@pytest.mark.parametrize("at", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
@pytest.mark.parametrize("zone", ["Asia/Kuala_Lumpur", "America/New_York"])
def test_a_time_at_the_end_of_the_calendar_has_a_day_too(at: datetime, zone: str) -> None:
    told = parcel(scan("picked_up", occurred_at=at), zone=ZoneInfo(zone))
    assert abs((told.day - at.date()).days) <= 1


# When we heard of it


def heard(status: str, hours: float, minutes_later: float, **more: Any) -> Any:
    """A scan that we heard of so many minutes later."""
    return scan(status, hours, received_at=after(hours, minutes=minutes_later), **more)


def test_the_latency_of_a_scan_is_from_its_time_to_its_receipt() -> None:
    told = parcel(heard("picked_up", 0, 2), heard("in_transit", 5, 30), heard("delivered", 9, 1))
    assert (told.latencies, told.unheard) == ((60, 120, 1800), 0)


def test_a_scan_heard_of_before_its_time_was_heard_of_at_once() -> None:
    told = parcel(heard("picked_up", 0, -15))
    assert (told.latencies, told.unheard) == ((0,), 0)


@pytest.mark.parametrize("basis", ["zone", "received"])
def test_a_time_that_proves_nothing_is_no_ground_for_latency(basis: str) -> None:
    told = parcel(heard("picked_up", 0, 2), heard("delivered", 9, 1, basis=basis))
    assert (told.latencies, told.unheard) == ((120,), 1)
    ahead = parcel(heard("picked_up", 0, 2), heard("delivered", 9, -16))
    assert (ahead.latencies, ahead.unheard) == ((120,), 1)


def test_a_label_is_no_scan_to_be_heard_of() -> None:
    told = parcel(heard("info_received", -9, 1), heard("picked_up", 0, 2))
    assert (told.latencies, told.unheard) == ((120,), 0)


def test_history_that_a_first_telling_brings_along_spoils_no_latency() -> None:
    late = after(200)
    backfilled = [
        scan("picked_up", 0, received_at=late),
        scan("in_transit", 20, received_at=late),
        scan("out_for_delivery", 190, received_at=late),
    ]
    told = parcel(*backfilled, heard("delivered", 210, 5))
    assert (told.latencies, told.unheard) == ((300,), 3)


def test_a_history_posted_scan_by_scan_is_one_telling_up_to_a_pause_of_a_minute() -> None:
    late = after(200)
    posts = [
        scan(status, hours, received_at=late + n * timedelta(minutes=1))
        for n, (status, hours) in enumerate(
            [("picked_up", 0), ("in_transit", 20), ("out_for_delivery", 190)]
        )
    ]
    assert parcel(*posts).latencies == ()
    paused = scan("delivered", 199, received_at=late + timedelta(minutes=3, seconds=1))
    assert parcel(*posts, paused).latencies == (3600 + 181,)


def test_of_a_later_telling_the_latest_scan_is_the_news() -> None:
    told = parcel(
        heard("picked_up", 0, 2),
        scan("in_transit", 20, received_at=after(31)),
        scan("out_for_delivery", 30, received_at=after(31)),
    )
    assert (told.latencies, told.unheard) == ((120, 3600), 1)


def test_each_source_has_tellings_of_its_own() -> None:
    told = parcel(
        heard("picked_up", 0, 2),
        scan("picked_up", 0, received_at=after(1), source="other"),
        scan("picked_up", 0, received_at=after(1), account="south", identity="south"),
    )
    assert (told.latencies, told.unheard) == ((120, 3600, 3600), 0)


# Of an order


def order(*numbers: Any, **facts: Any) -> Order:
    """An order of one unit."""
    told = {"lines": (line(package_id="P1", tracking_number=NUMBER),), **facts}
    return folded(snapshot("IN_TRANSIT", **told), numbers=numbers)


def test_an_orders_parcels_know_promise_lane_carrier_and_number() -> None:
    (told,) = histories(
        order(
            numbered(PICKED_UP, scan("delivered", 30, carrier="J&T Express (MY)")),
            warehouse_id="6950000000000000101",
            delivery_option_id="7090000000000000001",
            deadlines={"delivery_due_time": after(900), "delivery_sla_time": after(29)},
        ),
        "MY",
        KL,
    )
    assert told.order_id == "576000000000000101"
    assert told.number == NUMBER
    assert (told.carrier, told.spelled) == ("J&T Express", "J&T Express (MY)")
    assert told.lane == "MY/SELLER/6950000000000000101/7090000000000000001"
    assert (told.promised_at, told.promise_kept) == (after(29), False)


def test_what_is_not_known_of_a_lane_is_a_dash() -> None:
    (told,) = histories(order(numbered(PICKED_UP), shipping_type=""), "MY", KL)
    assert told.lane == "MY/-/-/-"
    (slash,) = histories(order(numbered(PICKED_UP), shipping_type="A/B"), "MY", KL)
    assert slash.lane == "MY/A-B/-/-"


def test_an_order_of_which_only_webhooks_told_has_parcels_too() -> None:
    (told,) = histories(folded(hint("IN_TRANSIT"), numbers=(numbered(PICKED_UP),)), "MY", KL)
    assert (told.lane, told.promised_at, told.carrier) == ("MY/-/-/-", None, "")


def test_a_parcel_is_that_of_the_carrier_who_moved_it_first() -> None:
    def carrier(*scans: Any) -> str:
        assigned = line(package_id="P1", tracking_number=NUMBER, provider="Assigned Post")
        (told,) = histories(order(numbered(*scans), lines=(assigned,)), "MY", KL)
        return told.spelled

    label = scan("info_received", -1, carrier="Label Maker")
    assert (
        carrier(label, scan("picked_up", 0, carrier="Mover"), scan("delivered", 9, carrier="Z"))
        == "Mover"
    )
    assert carrier(label, PICKED_UP) == "Label Maker"
    assert carrier(PICKED_UP) == "Assigned Post"


def test_a_number_that_two_packages_bear_is_one_parcel() -> None:
    both = tuple(line(str(n), package_id=f"P{n}", tracking_number=NUMBER) for n in (1, 2))
    assert len(list(histories(order(numbered(PICKED_UP), lines=both), "MY", KL))) == 1


def test_words_that_may_be_anybodys_decide_nothing_until_they_are_confirmed() -> None:
    doubtful = {"flags": (UNCONFIRMED,), "source": "other"}
    (told,) = histories(
        order(
            numbered(
                scan("picked_up", -2, carrier="Doubtful Post", **doubtful),
                PICKED_UP,
                scan("damaged", 4, **doubtful),
                scan("delivery_attempt_failed", 5, **doubtful),
                scan("lost", 6, **doubtful),
            ),
        ),
        "MY",
        KL,
    )
    assert (told.first_scan_at, told.fate, told.carrier) == (after(0), Fate.OPEN, "")
    assert (told.damaged, told.failed_attempts, told.unheard) == (False, 0, 0)
    bare = order(numbered(scan("delivered", 5, **doubtful)))
    assert (list(histories(bare, "MY", KL)), unscanned(bare)) == ([], 1)


def test_each_number_of_an_order_is_a_parcel() -> None:
    lines = (
        line("1", package_id="P1", tracking_number=NUMBER),
        line("2", package_id="P2", tracking_number=OTHER),
    )
    other = numbered(scan("picked_up", 1, number=OTHER), number=OTHER)
    found = histories(order(numbered(PICKED_UP), other, lines=lines), "MY", KL)
    assert sorted(told.number for told in found) == [NUMBER, OTHER]


@pytest.mark.parametrize("status", ["info_received", "pickup_failed", "cancelled", "expired"])
def test_a_number_that_nobody_scanned_is_no_parcel_and_is_counted_apart(status: str) -> None:
    bare = order(numbered(scan(status, 0), links=(link(),)))
    assert (list(histories(bare, "MY", KL)), unscanned(bare)) == ([], 1)
    scanned = order(numbered(PICKED_UP))
    assert unscanned(scanned) == 0
    assert unscanned(folded(snapshot("AWAITING_SHIPMENT", lines=(line(package_id="P1"),)))) == 0
    told_only = folded(snapshot("IN_TRANSIT", lines=(line(package_id="P1", tracking_number="X"),)))
    assert unscanned(told_only) == 1


def test_a_parcel_without_a_scan_has_no_history() -> None:
    with pytest.raises(ValueError, match="has no scan"):
        history(fold_parcel(NUMBER, []), "", "", "", KL, None)


def test_every_status_leads_somewhere() -> None:
    for status in TrackingStatus:
        assert parcel(PICKED_UP, scan(status, 5)).fate in Fate
