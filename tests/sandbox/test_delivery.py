"""Proofs, deliveries and tracks that a seller with a fleet of their own reports."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from sandbox import wire
from sandbox.files import LARGEST_IMAGE, LARGEST_PDF
from tests.sandbox.bench import START, Bench, Client, bench, shop, told_by

DELIVER = "/fulfillment/202309/packages/deliver"
IMAGES = "/fulfillment/202309/images/upload"
FILES = "/fulfillment/202309/files/upload"
TRACKS = "/fulfillment/202609/order/sof/track/update"
CARRIER = "6610000000000000001"


def png(width: int = 640, height: int = 480, size: int = 0) -> bytes:
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)
    return head.ljust(max(size, len(head) + 9), b"\r\n--x"[:1])


def jpeg(width: int = 640, height: int = 480) -> bytes:
    frame = struct.pack(">BBHBHHB", 0xFF, 0xC0, 17, 8, height, width, 3)
    return b"\xff\xd8" + b"\xff\xe0\x00\x04ab" + frame + bytes(20)


def pdf(size: int = 0) -> bytes:
    return b"%PDF-1.4\n".ljust(size, b" ")


def upload(b: Bench, path: str, content: bytes, name: str = "", **how: Any) -> Any:
    mark = "----synthetic"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="data"; filename="proof"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
    ]
    if name:
        head = f'--{mark}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}'
        parts.append(head.encode())
    body = how.pop("raw", b"\r\n".join([*parts, f"--{mark}--\r\n".encode()]))
    headers = {"content-type": how.pop("kind", f"multipart/form-data; boundary={mark}")}
    return b.client.call("POST", path, raw=body, headers=headers, **how)


def fleet(market: str = "MY", **flags: Any) -> tuple[Bench, str]:
    """A shop with a fleet of its own and an order it has shipped."""
    b = bench(market)
    b.shop.own_fleet = True
    for name, value in flags.items():
        setattr(b.shop, name, value)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    answer = b.client.mark(order_id) if market == "US" else b.client.ship(order_id)
    assert answer.code == 0
    return b, order_id


def report(b: Bench, order_id: str, kind: str = "DELIVERY_SUCCESS", **more: Any) -> Any:
    told = {"id": b.client.package_of(order_id), "delivery_type": kind, **more}
    return b.client.post(DELIVER, {"packages": [told]})


def code_of(answer: Any) -> int:
    """The code of the one package's error, 0 when there is none."""
    assert answer.code == 0
    return next((int(error["code"]) for error in answer.data["errors"]), 0)


# Proofs


def test_a_proof_is_kept_and_found_again() -> None:
    b, _ = fleet()
    image = upload(b, IMAGES, png())
    assert (image.data["width"], image.data["height"]) == (640, 480)
    photo = upload(b, IMAGES, jpeg(300, 200))
    assert (photo.data["width"], photo.data["height"]) == (300, 200)
    file = upload(b, FILES, pdf(), "pod.pdf")
    assert file.data["name"] == "pod.pdf"
    urls = [each.data["url"] for each in (image, photo, file)]
    assert len(set(urls)) == 3
    assert [e.call for e in b.sandbox.effects[1:]] == ["upload_image"] * 2 + ["upload_file"]
    reply = b.client.reply("GET", urls[0].removeprefix("https://files.sandbox.example"))
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "image/png", png())


@pytest.mark.parametrize(
    ("path", "content", "name", "code"),
    [
        (IMAGES, png(size=LARGEST_IMAGE), "", 0),
        (IMAGES, png(size=LARGEST_IMAGE + 1), "", wire.BAD_PARAMETER),
        (IMAGES, png(99, 480), "", wire.BAD_PARAMETER),
        (IMAGES, png(100, 20_000), "", 0),
        (IMAGES, png(640, 20_001), "", wire.BAD_PARAMETER),
        (IMAGES, pdf(), "", wire.BAD_PARAMETER),
        (IMAGES, b"GIF89a", "", wire.BAD_PARAMETER),
        (IMAGES, b"", "", wire.BAD_PARAMETER),
        (IMAGES, b"\xff\xd8\xff", "", wire.BAD_PARAMETER),
        (IMAGES, png(), "x.png", wire.BAD_PARAMETER),
        (FILES, pdf(LARGEST_PDF), "x.pdf", 0),
        (FILES, pdf(LARGEST_PDF + 1), "x.pdf", wire.BAD_PARAMETER),
        (FILES, png(), "x.pdf", wire.BAD_PARAMETER),
        (FILES, pdf(), "", wire.BAD_PARAMETER),
    ],
    ids=range(14),
)
def test_a_proof_is_of_a_known_kind_and_size(
    path: str, content: bytes, name: str, code: int
) -> None:
    b, _ = fleet()
    assert upload(b, path, content, name).code == code
    assert len(b.sandbox.effects) == (2 if code == 0 else 1)


@pytest.mark.parametrize(
    "how",
    [
        {"kind": "application/json"},
        {"kind": "multipart/form-data"},
        {"kind": "multipart/form-data; boundary=other"},
        {"raw": b""},
        {"raw": b"------synthetic\r\n\r\n"},
        {"raw": b"------synthetic\r\nno end of headers\r\n------synthetic--"},
        {"raw": b'------synthetic\r\nX: name="data"\r\n\r\nno filename\r\n------synthetic--'},
    ],
)
def test_a_body_that_is_no_form_is_refused(how: dict[str, Any]) -> None:
    b, _ = fleet()
    assert upload(b, IMAGES, png(), **how).code == wire.BAD_FORM


def test_a_form_field_given_twice_is_refused() -> None:
    b, _ = fleet()
    part = b'------synthetic\r\nX: name="data"; filename="x"\r\n\r\n%b\r\n' % png()
    raw = part + part + b"------synthetic--\r\n"
    assert upload(b, IMAGES, b"", raw=raw).code == wire.BAD_PARAMETER


def test_only_who_delivers_by_themselves_uploads_proofs() -> None:
    b, _ = fleet(own_fleet=False)
    assert upload(b, IMAGES, png()).code == wire.NOT_SELF_DELIVERED


def test_the_form_is_not_signed_and_the_query_is() -> None:
    b, _ = fleet()
    assert upload(b, IMAGES, png(), sign="0" * 64).code == wire.BAD_SIGNATURE


# Update Package Delivery Status


@pytest.mark.parametrize("scanned", [False, True])
def test_a_delivery_is_reported_once(scanned: bool) -> None:
    b, order_id = fleet()
    if scanned:
        b.sandbox.collect(order_id)
    url = upload(b, IMAGES, png()).data["url"]
    b.sandbox.take_webhooks()
    assert code_of(report(b, order_id, file_type="IMG", file_url=url)) == 0
    order = b.client.read(order_id)[0]
    assert (order["status"], order["delivery_time"]) == ("DELIVERED", START)
    effect = b.sandbox.effects[-1]
    assert len(b.sandbox.effects) == 3
    assert effect.call == "update_package_delivery_status"
    assert effect.detail == f"DELIVERY_SUCCESS {url}"
    statuses = [hook["data"]["order_status"] for hook in told_by(b.sandbox)]
    assert statuses == ([] if scanned else ["IN_TRANSIT"]) + ["DELIVERED"]
    assert code_of(report(b, order_id)) == wire.ALREADY_DELIVERED
    assert len(b.sandbox.effects) == 3


@pytest.mark.parametrize(
    ("reason", "exception"),
    [
        ("PACKAGE_LOST", "PACKAGE_LOST"),
        ("PACKAGE_DAMAGE", "PACKAGE_DAMAGAED"),
        ("BUYER_REFUSED", "RETURNED_TO_SHIPPER"),
        ("FORCE_MAJEURE", "RETURNED_TO_SHIPPER"),
    ],
)
def test_a_failed_delivery_is_an_exception_of_the_package(reason: str, exception: str) -> None:
    b, order_id = fleet()
    b.sandbox.collect(order_id)
    assert code_of(report(b, order_id, "DELIVERY_FAILED", fail_delivery_reason=reason)) == 0
    package = b.client.get(f"/fulfillment/202309/packages/{b.client.package_of(order_id)}").data
    assert (package["package_status"], package["ship_exception_reason"]) == ("CANCELLED", exception)
    assert b.sandbox.effects[-1].detail == f"DELIVERY_FAILED {reason}"
    again = report(b, order_id, "DELIVERY_FAILED", fail_delivery_reason=reason)
    assert code_of(again) == wire.ORDER_CANCELLED


@pytest.mark.parametrize(
    ("kind", "more", "code"),
    [
        ("DELIVERY_FAILED", {}, wire.BAD_PARAMETER),
        ("DELIVERY_SUCCESS", {"fail_delivery_reason": "OTHER"}, wire.BAD_PARAMETER),
        ("DELIVERY_SUCCESS", {"file_url": "https://files.sandbox.example/x"}, wire.BAD_PARAMETER),
        ("DELIVERY_SUCCESS", {"file_type": "IMG"}, wire.BAD_PARAMETER),
        (
            "DELIVERY_SUCCESS",
            {"file_type": "IMG", "file_url": "https://files.example/x.png"},
            wire.BAD_PARAMETER,
        ),
        ("DELIVERY_SUCCESS", {"verification_code": "1"}, wire.BAD_PARAMETER),
        ("UPDATE_POD", {}, wire.BAD_PARAMETER),
    ],
)
def test_a_report_is_read_to_the_letter(kind: str, more: dict[str, Any], code: int) -> None:
    b, order_id = fleet()
    assert code_of(report(b, order_id, kind, **more)) == code
    assert len(b.sandbox.effects) == 1


def test_a_proof_must_be_of_this_shop_and_of_its_kind() -> None:
    b, order_id = fleet()
    other = shop("MY", 2, own_fleet=True)
    b.sandbox.add_shop(other)
    own = upload(b, IMAGES, png()).data["url"]
    b.client, mine = Client(b.sandbox, other, b.real), b.client
    foreign = upload(b, IMAGES, png()).data["url"]
    b.client = mine
    for kind, url in (("PDF", own), ("IMG", foreign)):
        told = report(b, order_id, file_type=kind, file_url=url)
        assert code_of(told) == wire.BAD_PARAMETER


def test_a_proof_can_be_needed_and_can_follow() -> None:
    b, order_id = fleet(needs_proof=True)
    assert code_of(report(b, order_id)) == wire.BAD_PARAMETER
    proof = {"file_type": "PDF", "file_url": upload(b, FILES, pdf(), "x").data["url"]}
    assert code_of(report(b, order_id, "UPDATE_POD", **proof)) == wire.STATUS_FORBIDS
    assert code_of(report(b, order_id, **proof)) == 0
    assert code_of(report(b, order_id, "UPDATE_POD", **proof)) == 0


def test_who_is_no_fleet_gets_an_error_per_package() -> None:
    b, order_id = fleet(own_fleet=False)
    assert code_of(report(b, order_id)) == wire.NOT_SELF_DELIVERED
    b.shop.own_fleet = True
    tiktok = b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK")
    b.client.post(f"/fulfillment/202309/packages/{b.client.package_of(tiktok)}/ship")
    assert code_of(report(b, tiktok)) == wire.NOT_SELF_DELIVERED
    unsent = b.sandbox.add_order(b.shop.shop_id)
    assert code_of(report(b, unsent)) == wire.NOT_SHIPPED
    nobody = b.client.post(
        DELIVER, {"packages": [{"id": "1", "delivery_type": "DELIVERY_SUCCESS"}]}
    )
    assert code_of(nobody) == wire.NOT_OF_THIS_SHOP


@pytest.mark.parametrize(("market", "code"), [("US", wire.WRONG_REGION), ("VN", 0)])
def test_deliveries_are_reported_in_south_east_asia_only(market: str, code: int) -> None:
    b, order_id = fleet(market)
    assert report(b, order_id).code == code


@pytest.mark.parametrize("packages", [[], [{"id": "1"}], "all"])
def test_a_report_body_is_refused_as_a_whole(packages: Any) -> None:
    b, _ = fleet()
    assert b.client.post(DELIVER, {"packages": packages}).code == wire.BAD_PARAMETER


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"verification_code": "482913"}, 0),
        ({"verification_code": "482914"}, wire.BAD_PARAMETER),
        ({}, wire.BAD_PARAMETER),
    ],
)
def test_a_pickup_in_a_store_needs_the_buyers_code(more: dict[str, str], code: int) -> None:
    b = bench("ID")
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_type="IN-STORE PICKUP")
    b.client.post(f"/fulfillment/202309/packages/{b.client.package_of(order_id)}/ship")
    assert code_of(report(b, order_id, **more)) == code


# Tracking status update


def track(code: int = 30901, at: int = START, number: str = "SYN-TRK-000001", **more: Any) -> Any:
    shown = {"action_code": code, "occur_time": at * 1000, "tracking_no": number}
    return {**shown, "description": "seen", **more}


def tracks(b: Bench, order_id: str, /, *told: Any, **more: Any) -> Any:
    body = {"country": "US", "order_id": order_id, "provider_id": CARRIER, "tracks": list(told)}
    return b.client.post(TRACKS, body | more)


def test_tracks_move_the_order_and_each_is_an_effect() -> None:
    b, order_id = fleet("US", own_tracks=True)
    b.sandbox.advance(START + 100)
    b.sandbox.take_webhooks()
    answer = tracks(b, order_id, track(), track(50101, START + 90), track(50101, number="NOPE"))
    assert [row["code"] for row in answer.data["track_results"]] == [0, 0, wire.TRACK_NOT_FOUND]
    order = b.client.read(order_id)[0]
    assert order["status"] == "DELIVERED"
    assert order["collection_time"] == START
    assert [hook["data"]["order_status"] for hook in told_by(b.sandbox)] == [
        "IN_TRANSIT",
        "DELIVERED",
    ]
    assert [(e.call, e.detail) for e in b.sandbox.effects[1:]] == [
        ("update_tracking_status", f"30901 {START}000"),
        ("update_tracking_status", f"50101 {START + 90}000"),
    ]
    told = b.client.get(f"/fulfillment/202309/orders/{order_id}/tracking").data["tracking"]
    assert [(row["action_code"], row["update_time_millis"]) for row in told] == [
        (50101, (START + 90) * 1000),
        (30901, START * 1000),
    ]


def test_a_track_said_twice_is_two_effects() -> None:
    b, order_id = fleet("US", own_tracks=True)
    for _ in range(2):
        tracks(b, order_id, track())
    assert len(b.sandbox.effects) == 3


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (track(12345), wire.BAD_PARAMETER),
        (track(at=START + 1), wire.BAD_PARAMETER),
        (track(at=START - 1), wire.BAD_PARAMETER),
        (track() | {"occur_time": START}, wire.BAD_PARAMETER),
        (track(60101), wire.BAD_PARAMETER),
        (track(60101, failed_reason="R999"), wire.BAD_PARAMETER),
        (track(60101, failed_reason="R106"), 0),
        (track(30901, failed_reason="R106"), wire.BAD_PARAMETER),
    ],
)
def test_each_track_is_judged_by_itself(told: Any, code: int) -> None:
    b, order_id = fleet("US", own_tracks=True)
    (row,) = tracks(b, order_id, told).data["track_results"]
    assert row["code"] == code
    assert len(b.sandbox.effects) == (2 if code == 0 else 1)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"provider_id": "6610000000000000002"}, wire.TRACK_PROVIDER),
        ({"order_id": "576000000000000099"}, wire.TRACK_NOT_FOUND),
        ({"country": "BR"}, wire.BAD_PARAMETER),
        ({"tracks": []}, wire.BAD_PARAMETER),
        ({"tracks": [track()] * 50}, 0),
        ({"tracks": [track()] * 51}, wire.BAD_PARAMETER),
        ({"tracks": [track() | {"occur_time": "soon"}]}, wire.BAD_PARAMETER),
    ],
)
def test_a_track_call_is_refused_as_a_whole(more: dict[str, Any], code: int) -> None:
    b, order_id = fleet("US", own_tracks=True)
    assert tracks(b, order_id, track(), **more).code == code


def test_tracks_are_for_listed_sellers_in_the_us_and_brazil() -> None:
    b, order_id = fleet("US")
    assert tracks(b, order_id, track()).code == wire.NOT_ALLOW_LISTED
    asia, order_id = fleet("MY", own_tracks=True)
    assert tracks(asia, order_id, track()).code == wire.WRONG_REGION
    brazil, order_id = fleet("BR", own_tracks=True)
    assert tracks(brazil, order_id, track(), country="BR").code == 0


def test_a_parcel_that_was_lost_takes_no_tracks() -> None:
    b, order_id = fleet("US", own_tracks=True)
    b.sandbox.collect(order_id)
    b.sandbox.report_exception(order_id)
    (row,) = tracks(b, order_id, track(50101)).data["track_results"]
    assert row["code"] == wire.ORDER_CANCELLED


def test_a_form_without_its_file_is_refused() -> None:
    b, _ = fleet()
    raw = b'------synthetic\r\nX: name="name"\r\n\r\nx.pdf\r\n------synthetic--\r\n'
    told = upload(b, FILES, b"", raw=raw)
    assert (told.code, told.message) == (wire.BAD_PARAMETER, "form field data is missing")


def test_a_boundary_may_be_quoted_and_a_file_may_hold_anything() -> None:
    b, _ = fleet()
    content = png() + b"\r\n--synthetic\r\n\r\n\x00\xff"
    kind = 'multipart/form-data; boundary="----synthetic"'
    assert upload(b, IMAGES, content, kind=kind).code == 0
    (kept,) = b.sandbox._world.files.values()
    assert kept.content == content
