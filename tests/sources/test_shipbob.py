"""ShipBob: a body speaks for itself, and its topic, which nobody signs, only where it is silent."""

from datetime import datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from shipclock import codec, rows
from shipclock.domain.event import Link
from shipclock.domain.tracking import UNCONFIRMED, Scan, TimeBasis, fold_parcel
from shipclock.reading import Unreadable
from shipclock.sources import Account, Delivery, NotAuthentic, Translation, Unsigned, shipbob
from tests.builders import ORDER, REAL, SHOP, sample, samples
from tests.sources.senders import SENDERS, as_json
from tests.stage import Stage

VECTORS = sample("signatures/shipbob.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account("us", (vector["secret"],))
    arguments = vector["headers"], vector["body"].encode(), [account], REAL
    if vector["authentic"]:
        assert shipbob.verify(*arguments) == account
    else:
        with pytest.raises(NotAuthentic) as refused:
            shipbob.verify(*arguments)
        old = "shipbob-topic" in vector["headers"]
        assert isinstance(refused.value, Unsigned) is old


def test_what_the_specifications_own_library_signs_is_let_in() -> None:
    secret = SENDERS["shipbob"].secret
    body = as_json(sample("shipbob/delivered.json"))
    headers = {
        "webhook-id": "msg_101",
        "webhook-timestamp": str(int(REAL.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_101", REAL, body.decode()),
    }
    account = Account("us", (secret,))
    assert shipbob.verify(headers, body, [account], REAL) == account


# What its words mean


def short(scan: Scan) -> str:
    reason = f"/{scan.reason}" if scan.reason else ""
    return scan.status.value + reason + "".join(f"+{flag}" for flag in scan.flags)


def told(body: object, topic: str = "", shops: tuple[str, ...] = ()) -> Translation:
    headers = {shipbob.TOPIC: topic} if topic else {}
    return shipbob.translate(Delivery("shipbob", "us", as_json(body), REAL, shops, headers=headers))


STATUSES = """
Processing | - | -
Processing | Picked | -
Processing | Packed | -
Processing | Labeled | info_received
LabelCreated | - | info_received
LabeledCreated | - | info_received
Completed | - | info_received
Completed | Processing | info_received
Completed | Labeled | info_received
Completed | AwaitingCarrierScan | info_received
Completed | InTransit | in_transit
Completed | OutForDelivery | out_for_delivery
Completed | Delivered | delivered
Completed | DeliveryException | delivery_attempt_failed/other
Completed | DeliveryAttemptFailed | delivery_attempt_failed/other
Completed | BeamedUp | unknown
Completed | InTransit,Delivered | delivered
Completed | Delivered,InTransit | delivered
Completed | InTransit,BeamedUp | in_transit
InTransit | - | in_transit
OutForDelivery | - | out_for_delivery
Delivered | - | delivered
DeliveryException | - | delivery_attempt_failed/other
DeliveryAttemptFailed | - | delivery_attempt_failed/other
AwaitingCarrierScan | - | info_received
Exception | - | on_hold/fulfilment_issue
Exception | OutOfStock | on_hold/fulfilment_issue
Exception | Delivered | on_hold/fulfilment_issue
OnHold | - | on_hold/fulfilment_issue
On Hold | InvalidAddress | on_hold/fulfilment_issue
on_hold | - | on_hold/fulfilment_issue
Cancelled | - | cancelled
Teleported | - | unknown
Teleported | Delivered | unknown
- | - | -
"""


@pytest.mark.parametrize(
    ("status", "details", "meant"), [line.split(" | ") for line in STATUSES.strip().split("\n")]
)
def test_every_status_and_detail_has_its_meaning(status: str, details: str, meant: str) -> None:
    body = sample("shipbob/in_transit.json") | {
        "status": status.replace("-", ""),
        "status_details": [{"name": name} for name in details.replace("-", "").split(",")],
    }
    found = told(body)
    assert [short(scan) for scan in found.scans] == ([] if meant == "-" else [meant])
    assert bool(found.note) is (meant == "-")


def test_the_tables_hold_nothing_else() -> None:
    rows = [line.split(" | ") for line in STATUSES.strip().split("\n")]
    assert set(shipbob.STATUSES) <= {shipbob.folded(status) for status, *_ in rows}
    for status, details in shipbob.DETAILS.items():
        of_it = {shipbob.folded(d) for s, d, _ in rows if shipbob.folded(s) == status}
        assert set(details) <= of_it


# The topic


TOPICS = """
order.shipped | info_received+unconfirmed
order.shipment.tracking_received | info_received+unconfirmed
order.shipment.tracking.updated | -
order.shipment.delivered | delivered+unconfirmed
order.delivered | delivered+unconfirmed
order.shipment.exception | on_hold/fulfilment_issue+unconfirmed
order.shipment.on_hold | on_hold/fulfilment_issue+unconfirmed
order.shipment.cancelled | cancelled+unconfirmed
return.created | -
return.updated | -
return.completed | returned+unconfirmed
order.beamed_up | -
"""


@pytest.mark.parametrize(
    ("topic", "meant"), [line.split(" | ") for line in TOPICS.strip().split("\n")]
)
def test_of_a_body_without_a_status_the_topic_counts_unconfirmed(topic: str, meant: str) -> None:
    body = sample("shipbob/left.json") | {"status": None}
    if topic.startswith("return."):
        body = {"id": 700000101, "tracking_number": "SYN-SB 000111"}
    found = told(body, topic)
    assert [short(scan) for scan in found.scans] == ([] if meant == "-" else [meant])


def test_the_table_of_topics_holds_nothing_else() -> None:
    assert set(shipbob.TOPICS) == {t.split(" | ")[0] for t in TOPICS.strip().split("\n")[:-1]}


def test_a_parcel_that_left_is_delivered_where_the_topic_says_so_and_unconfirmed() -> None:
    body = sample("shipbob/left.json")
    (left,) = told(body, "order.shipped").scans
    (delivered,) = told(body, "order.shipment.delivered").scans
    assert (short(left), left.confirmed) == ("info_received", True)
    assert short(delivered) == f"delivered+{UNCONFIRMED}"
    assert left.identity != delivered.identity


@pytest.mark.parametrize("name", ["words_of_tomorrow", "status_of_tomorrow"])
def test_of_words_that_we_do_not_know_the_topic_counts_unconfirmed(name: str) -> None:
    body = sample(f"shipbob/{name}.json")
    (scan,) = told(body, "order.shipment.delivered").scans
    assert short(scan) == f"delivered+{UNCONFIRMED}"
    (scan,) = told(body, "order.shipment.tracking.updated").scans
    assert short(scan) == "unknown"


@pytest.mark.parametrize(
    ("name", "topic", "meant"),
    [
        ("in_transit", "order.shipment.delivered", "in_transit"),
        ("delivered", "order.shipment.exception", "delivered"),
        ("left", "order.shipment.cancelled", "info_received"),
        ("on_hold", "order.delivered", "on_hold/fulfilment_issue"),
        ("delivered", "return.completed", "delivered"),
    ],
)
def test_where_topic_and_body_disagree_the_body_counts_and_it_is_told(
    name: str, topic: str, meant: str
) -> None:
    found = told(sample(f"shipbob/{name}.json"), topic)
    assert [short(scan) for scan in found.scans] == [meant]
    assert f"x-webhook-topic says {topic}" in found.note


def test_a_topic_that_agrees_changes_nothing() -> None:
    body = sample("shipbob/delivered.json")
    assert told(body, "order.shipment.delivered") == told(body) == told(body, "order.beamed_up")
    assert told(body).note == ""


def test_the_topic_that_came_at_the_door_is_there_when_it_is_translated() -> None:
    stage = Stage()
    sender = SENDERS["shipbob"]
    stage.secrets = {**stage.secrets, "shipbob": [{"secrets": [sender.secret]}]}
    headers, raw = sender.send(as_json(sample("shipbob/left.json")), at=stage.real.now)
    headers |= {shipbob.TOPIC: "order.shipment.delivered"}
    assert stage.ring("shipbob", headers, raw).status == 200
    stage.sweep()
    found = stage.store.read(rows.number_pk("SYNSB000103"), rows.EVENT)
    assert [short(codec.read_scan(row)) for row in found] == [f"delivered+{UNCONFIRMED}"]


# What a delivery says

SAID = {
    "label": ["000101 info_received"],
    "shipped": ["000101 info_received", "000102 info_received"],
    "in_transit": ["000101 in_transit"],
    "out_for_delivery": ["000101 out_for_delivery"],
    "failed_attempt": ["000101 delivery_attempt_failed/other"],
    "delivered": ["000101 delivered"],
    "left": ["000103 info_received"],
    "on_hold": ["000104 on_hold/fulfilment_issue"],
    "exception": [],
    "cancelled": ["000105 cancelled"],
    "picking": [],
    "words_of_tomorrow": ["000107 unknown"],
    "status_of_tomorrow": ["000107 unknown"],
    "odd_shipments": ["000108 in_transit"],
    "returned.to_sender": ["000109 returned"],
    "returned.by_the_buyer": ["000111 returned"],
    "return_expected": [],
    "another_event": [],
}
TOLD_OF = {"shipped", "exception", "picking", "odd_shipments", "return_expected", "another_event"}


@pytest.mark.parametrize("name", SAID)
def test_each_sample_says_what_it_should(name: str) -> None:
    found = told(sample(f"shipbob/{name}.json"), shops=(SHOP,))
    assert [f"{s.number.removeprefix('SYNSB')} {short(s)}" for s in found.scans] == SAID[name]
    assert bool(found.note) is (name in TOLD_OF)
    linked = {Link(s.number, ORDER, "shipbob", shops=(SHOP,)) for s in found.scans}
    assert set(found.links) == (set() if "return" in name or "odd" in name else linked)


def test_every_sample_is_tried() -> None:
    assert set(samples("shipbob")) == {f"shipbob/{name}.json" for name in SAID}


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("label", "2026-11-17T20:00:00.123456Z"),
        ("left", "2026-11-17T20:00:00Z"),
        ("in_transit", "2026-11-18T11:00:00Z"),
        ("delivered", "2026-11-20T10:02:15Z"),
        ("cancelled", "2026-11-18T12:00:00Z"),
        ("returned.to_sender", "2026-11-21T09:00:00Z"),
        ("returned.by_the_buyer", "2026-11-22T09:00:00Z"),
    ],
)
def test_what_is_told_has_the_time_beside_it_and_proves_nothing_missed(name: str, at: str) -> None:
    (scan,) = told(sample(f"shipbob/{name}.json")).scans
    assert scan.occurred_at == datetime.fromisoformat(at)
    assert scan.basis is TimeBasis.RECEIVED


def test_without_any_time_it_is_of_its_receipt_and_one_event_however_often_it_comes() -> None:
    body = {
        "status": "Completed",
        "status_details": [{"name": "OutForDelivery"}],
        "tracking": {"tracking_number": "SYN-SB 000101"},
    }
    (scan,) = told(body).scans
    assert scan.occurred_at == REAL
    (again,) = told(body | {"ship_option": "Express"}).scans
    assert again.identity == scan.identity


def test_a_carriers_mishap_that_stands_for_days_is_one_attempt() -> None:
    body = sample("shipbob/failed_attempt.json")
    later = body | {"last_tracking_update_at": "2026-11-20T12:00:00+00:00"}
    scans = [*told(body).scans, *told(later).scans]
    assert fold_parcel("SYNSB000101", scans).failed_attempts == 1


def test_where_no_shipment_can_be_read_a_person_must_look() -> None:
    with pytest.raises(Unreadable, match=r"shipments\[0\]"):
        told({"reference_id": ORDER, "shipments": ["a shipment"]})
    with pytest.raises(Unreadable, match=r"tracking\.tracking_number"):
        told(sample("shipbob/left.json") | {"tracking": {"tracking_number": 5}})


@pytest.mark.parametrize("shipments", [None, []])
def test_an_order_without_a_shipment_is_kept_with_a_note(shipments: object) -> None:
    body = as_json({"id": 800000101, "status": "Fulfilled", "shipments": shipments})
    found = shipbob.translate(Delivery("shipbob", "default", body, REAL))
    assert (found.scans, found.links) == ((), ())
    assert found.note == "an order without a shipment yet"
