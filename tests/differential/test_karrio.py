"""Held against Karrio's own package: PyPI `karrio` 2026.1.32 (LGPL, for tests only).

Its lists of words, and the tracker as its models write it. Not its times: those are of no zone.
"""

import json
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from shipclock.domain.tracking import Scan, TrackingStatus
from shipclock.sources import Delivery, karrio
from tests.builders import NUMBER, ORDER, REAL, sample, samples

LEFT_TO_THE_STATUS = {
    "carrier_address_not_found",
    "carrier_capacity_exceeded",
    "carrier_mechanical_delay",
    "carrier_not_enough_time",
    "carrier_vehicle_issue",
    "consignee_safe_place_unavailable",
    "retailer_incorrect_data",
    "retailer_incorrect_dimensions",
    "retailer_incorrect_parcel",
    "retailer_not_ready",
    "retailer_packaging_issue",
    "unknown",
}
"""Reasons of Karrio's that are unknown to us on purpose: the reference does not say whether they
mean a delay, a hold or a failed attempt. The event's status counts."""


@pytest.fixture(scope="module")
def theirs() -> Iterator[Any]:
    """Their modules; one that they import warns of its age."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield import_module("karrio.lib")


@pytest.fixture(scope="module")
def units(theirs: Any) -> Any:
    return import_module("karrio.core.units")


def test_every_status_of_theirs_is_in_our_table(units: Any) -> None:
    assert set(units.TrackingStatus.__members__) == set(karrio.STATUSES)


def test_every_reason_of_theirs_is_in_our_table_or_unknown_on_purpose(units: Any) -> None:
    members = set(units.TrackingIncidentReason.__members__)
    assert members == set(karrio.REASONS) | LEFT_TO_THE_STATUS
    assert not set(karrio.REASONS) & LEFT_TO_THE_STATUS
    for reason in LEFT_TO_THE_STATUS:
        for status in karrio.STATUSES:
            assert karrio.meaning(status, reason) == karrio.meaning(status)


def read(theirs: Any, tracker: Any) -> tuple[Scan, ...]:
    """What we read of a tracker that their models wrote."""
    data = {**theirs.to_dict(tracker), "metadata": {"order_id": ORDER}}
    body = json.dumps({"event": "tracker_updated", "data": data}).encode()
    return karrio.translate(Delivery("karrio", "default", body, REAL)).scans


def test_a_tracker_that_their_models_write_is_read_event_by_event(theirs: Any, units: Any) -> None:
    models = import_module("karrio.core.models")
    reasons = units.TrackingIncidentReason.__members__
    told = [(status, "") for status in units.TrackingStatus.__members__]
    told += [("delivery_failed", reason) for reason in reasons]
    events = [
        models.TrackingEvent(
            date="2026-11-05",
            time=f"10:{at:02}",
            timestamp=f"2026-11-05T10:{at:02}:00.000Z",
            description="made up",
            code=f"X{at}",
            status=status,
            reason=reason or None,
            location="KLANG, MY",
        )
        for at, (status, reason) in enumerate(told)
    ]
    tracker = models.TrackingDetails(
        carrier_name="synthetic_express",
        carrier_id="synthetic",
        tracking_number="SYN-000 101",
        events=events,
        delivered=False,
        status="in_transit",
    )
    found = read(theirs, tracker)
    assert [scan.number for scan in found] == [NUMBER] * len(told)
    assert [scan.raw_code for scan in found] == ["/".join(filter(None, each)) for each in told]
    for scan, (status, reason) in zip(found, told, strict=True):
        assert scan.status is karrio.meaning(status, reason).status
        # of all that they can say, one word alone is not understood
        assert (scan.status is TrackingStatus.UNKNOWN) is (status == "unknown")


def test_their_models_take_every_tracker_of_the_samples(theirs: Any) -> None:
    models = import_module("karrio.core.models")
    fields = {"carrier_name", "carrier_id", "tracking_number", "events", "status", "delivered"}
    for path in samples("karrio"):
        if "odd_entries" in path or "another_event" in path:
            continue
        data = sample(path)["data"]
        tracker = theirs.to_object(models.TrackingDetails, {k: data[k] for k in fields})
        assert tracker.tracking_number == "SYN-000 101"
        assert len(tracker.events) == len(data["events"])
