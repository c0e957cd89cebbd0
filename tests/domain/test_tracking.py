"""One parcel, folded from its scans."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.tracking import (
    NOT_A_SCAN,
    RANK,
    TERMINAL,
    UNCONFIRMED,
    Parcel,
    Scan,
    TimeBasis,
    TrackingStatus,
    fold_parcel,
)
from tests.builders import NUMBER, REAL, SECOND, after, patient, scan

NEVER_OVERWRITE = ("expired", "unknown")


def told(*scans: Scan) -> Parcel:
    return fold_parcel(NUMBER, scans)


def test_the_status_is_that_of_the_event_which_happened_last_not_of_the_one_heard_last() -> None:
    late, early = scan("out_for_delivery", 5), scan("picked_up", 1)
    assert told(late, early).status == told(early, late).status == "out_for_delivery"


def test_a_parcel_nothing_is_known_of_is_unknown_and_has_no_first_scan() -> None:
    parcel = told()
    assert (parcel.status, parcel.first_scan, parcel.ended_at) == ("unknown", None, None)
    assert (parcel.written, parcel.carrier) == (NUMBER, "")


def test_the_same_event_told_twice_counts_once() -> None:
    once = scan("delivery_attempt_failed", 3)
    assert told(once, once) == told(once)


def test_of_events_at_one_instant_the_further_one_is_the_status() -> None:
    both = (scan("out_for_delivery", 4), scan("in_transit", 4))
    assert told(*both).status == told(*reversed(both)).status == "out_for_delivery"


def test_of_events_that_differ_in_nothing_but_identity_the_order_is_still_fixed() -> None:
    one = scan("in_transit", 4, identity="b", carrier="One")
    other = scan("in_transit", 4, identity="a", carrier="Other")
    assert told(one, other) == told(other, one)
    assert told(one, other).carrier == "Other"


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_an_end_is_left_by_a_later_event_only(end: TrackingStatus) -> None:
    assert told(scan(end, 4), scan("in_transit", 4)).status == end
    assert told(scan(end, 4), scan("returning", 3)).status == end
    assert told(scan(end, 4), scan("in_transit", 4 + 1 / 3600)).status == "in_transit"


def test_an_end_at_the_same_instant_as_a_further_event_stays_the_end() -> None:
    # `returning` ranks after `delivered`: without the rule it would win the tie.
    assert RANK[TrackingStatus.RETURNING] > RANK[TrackingStatus.DELIVERED]
    assert told(scan("returning", 4), scan("delivered", 4)).status == "delivered"
    assert told(scan("lost", 4), scan("returning", 4)).status == "lost"


@pytest.mark.parametrize("silent", NEVER_OVERWRITE)
def test_what_is_said_of_the_tracker_never_overwrites_what_is_known_of_the_parcel(
    silent: str,
) -> None:
    assert told(scan("in_transit", 1), scan(silent, 9)).status == "in_transit"
    assert told(scan("delivered", 1), scan(silent, 9)).status == "delivered"


def test_where_nothing_else_is_known_what_the_tracker_says_is_shown() -> None:
    assert told(scan("unknown", 1), scan("expired", 2)).status == "expired"
    assert told(scan("expired", 2), scan("info_received", 1)).status == "info_received"


@pytest.mark.parametrize("status", sorted(TrackingStatus))
def test_a_first_scan_shows_the_parcel_in_the_carriers_hands(status: TrackingStatus) -> None:
    first = told(scan(status, 1)).first_scan
    assert (first is None) == (status in NOT_A_SCAN)


def test_a_hold_at_the_warehouse_is_no_scan_and_one_at_the_carrier_is() -> None:
    assert told(scan("on_hold", 1, reason="fulfilment_issue")).first_scan is None
    assert told(scan("on_hold", 1, reason="customs")).first_scan is not None
    assert told(scan("on_hold", 1, reason="fulfilment_issue")).status == "on_hold"


def test_the_words_that_are_no_scan_are_those_of_the_design() -> None:
    assert set(NOT_A_SCAN) == {
        "info_received",
        "unknown",
        "expired",
        "pickup_failed",
        "cancelled",
    }


def test_the_first_scan_is_the_earliest_one_however_late_it_was_heard_of() -> None:
    parcel = told(scan("delivered", 30), scan("info_received", 0), scan("picked_up", 2))
    assert parcel.first_scan is not None
    assert parcel.first_scan.occurred_at == after(2)


def test_attempts_are_counted_by_distinct_instants() -> None:
    failed = [scan("delivery_attempt_failed", h, identity=str(h)) for h in (3, 4)]
    echo = scan("delivery_attempt_failed", 4, identity="told again with another reason")
    assert told(*failed, echo).failed_attempts == 2


def test_two_sources_that_tell_the_same_attempt_do_not_double_it() -> None:
    ours = [scan("delivery_attempt_failed", h, source="one") for h in (3, 9)]
    theirs = [scan("delivery_attempt_failed", 3.01, source="other")]
    assert told(*ours, *theirs).failed_attempts == 2


@pytest.mark.parametrize("end", ["delivered", "returned"])
def test_no_attempt_counts_after_the_parcel_was_delivered_or_returned(end: str) -> None:
    scans = [
        scan("delivery_attempt_failed", 3),
        scan(end, 5),
        scan("delivery_attempt_failed", 7),
    ]
    assert told(*scans).failed_attempts == 1


def test_attempts_after_a_parcel_was_lost_and_found_still_count() -> None:
    scans = [scan("delivery_attempt_failed", 3), scan("lost", 5), scan("in_transit", 6)]
    assert told(*scans, scan("delivery_attempt_failed", 7)).failed_attempts == 2


def test_the_end_of_a_parcel_is_its_first_one() -> None:
    parcel = told(scan("lost", 5), scan("in_transit", 6), scan("delivered", 8))
    assert parcel.ended_at == after(5)


def test_the_carrier_is_the_first_one_named() -> None:
    scans = [scan("picked_up", 1), scan("in_transit", 2, carrier="A"), scan(hours=3, carrier="B")]
    assert told(*scans).carrier == "A"


def test_the_number_is_shown_as_its_sender_wrote_it() -> None:
    assert told(scan(written="SYN-000 101")).written == "SYN-000 101"


@pytest.mark.parametrize(
    ("ahead", "suspect"),
    [
        (timedelta(minutes=15), False),
        (timedelta(minutes=15) + SECOND, True),
        (timedelta(days=-400), False),
    ],
)
def test_an_event_from_the_future_is_suspect_after_fifteen_minutes(
    ahead: timedelta, suspect: bool
) -> None:
    event = scan(occurred_at=REAL + ahead, received_at=REAL)
    assert event.suspect is suspect
    assert event.trusted is not suspect


@pytest.mark.parametrize(
    ("basis", "trusted"), [("utc", True), ("offset", True), ("zone", False), ("received", False)]
)
def test_only_a_time_with_its_offset_may_prove_a_miss(basis: str, trusted: bool) -> None:
    assert scan(basis=TimeBasis(basis)).trusted is trusted


@pytest.mark.parametrize(
    ("flags", "sure"), [((), True), (("final",), True), ((UNCONFIRMED,), False)]
)
def test_words_that_are_unconfirmed_prove_nothing(flags: tuple[str, ...], sure: bool) -> None:
    event = scan(flags=flags)
    assert event.confirmed is sure
    assert event.trusted is sure


def test_unconfirmed_words_still_count_for_the_parcel() -> None:
    assert told(scan("in_transit", 1), scan("delivered", 2, flags=(UNCONFIRMED,))).status == (
        "delivered"
    )


def test_an_attempt_told_unconfirmed_and_then_confirmed_is_one() -> None:
    doubtful = scan("delivery_attempt_failed", 1, flags=(UNCONFIRMED,), identity="doubtful")
    parcel = told(doubtful, scan("delivery_attempt_failed", 1))
    assert parcel.failed_attempts == 1
    assert parcel.failed_attempt(1) == after(1)
    assert told(doubtful).failed_attempt(1) is None


def test_a_suspect_event_still_counts_for_the_parcel() -> None:
    ahead = scan("delivered", occurred_at=REAL + timedelta(days=1))
    assert told(scan("in_transit", 1), ahead).status == "delivered"


SCANS = st.lists(
    st.builds(
        scan,
        st.sampled_from([status.value for status in TrackingStatus]),
        st.integers(0, 6),
        source=st.sampled_from(["one", "other"]),
        carrier=st.sampled_from(["", "A", "B"]),
        written=st.sampled_from(["", "syn-000101"]),
    ),
    max_size=12,
)


@patient
@given(SCANS, st.randoms(use_true_random=False))
def test_any_order_and_any_duplication_of_scans_is_the_same_parcel(
    scans: list[Scan], dice: random.Random
) -> None:
    unique = list({one.identity: one for one in scans}.values())
    again = unique + dice.choices(unique, k=5) if unique else []
    dice.shuffle(again)
    assert told(*again) == told(*unique)


@patient
@given(SCANS)
def test_attempts_never_exceed_the_distinct_instants_of_failed_attempts(scans: list[Scan]) -> None:
    failed = {s.occurred_at for s in scans if s.status == "delivery_attempt_failed"}
    assert 0 <= told(*scans).failed_attempts <= len(failed)
