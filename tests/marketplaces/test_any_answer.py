"""Whatever an answer looks like, every reader ends in a value or in `Unreadable`."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.marketplaces import tiktok_shop
from shipclock.marketplaces.protocol import Call, Kind, Outcome
from shipclock.marketplaces.tiktok_shop import (
    aftersales,
    aftersales_flow,
    answers,
    delivery,
    fulfilment,
    inventory,
    service,
)
from shipclock.ports import HttpReply
from shipclock.reading import Unreadable
from tests.builders import ORDER, REAL, T0, patient, sample, shop

Reader = Callable[[Outcome], object]

TRACK = delivery.Track("50101", T0, "Handed over", "SYN-000101")
READERS: dict[str, tuple[Reader, str]] = {
    "read_tokens": (tiktok_shop.read_tokens, "tokens"),
    "read_orders": (tiktok_shop.read_orders, "orders.awaiting_shipment.with_package"),
    "read_package": (
        lambda o: tiktok_shop.read_package(o, ORDER, shop(), REAL, T0),
        "package.lost",
    ),
    "read_handover": (tiktok_shop.read_handover, "handover"),
    "read_page orders": (lambda o: tiktok_shop.read_page("orders", o, shop()), "orders.page"),
    "read_page cancellations": (
        lambda o: tiktok_shop.read_page("cancellations", o, shop()),
        "cancellations",
    ),
    "read_page returns": (lambda o: tiktok_shop.read_page("returns", o, shop()), "returns"),
    "read_providers": (tiktok_shop.read_providers, "providers"),
    "read_batch_errors": (fulfilment.read_batch_errors, "ship_packages.partly"),
    "read_created": (fulfilment.read_created, "create_package"),
    "read_services": (fulfilment.read_services, "shipping_services"),
    "read_document": (fulfilment.read_document, "shipping_document"),
    "read_upload": (delivery.read_upload, "upload_image"),
    "read_tracks": (delivery.read_tracks, "track.partly"),
    "read_tracks of": (lambda o: delivery.read_tracks(o, [TRACK]), "track.partly"),
    "read_eligibility": (aftersales.read_eligibility, "eligibility.partly"),
    "read_eligibility older": (aftersales.read_eligibility, "eligibility.older_list"),
    "read_cancel_id": (aftersales.read_cancel_id, "cancel"),
    "read_reject_reasons": (aftersales.read_reject_reasons, "reject_reasons"),
    "read_refund": (aftersales.read_refund, "calculate_refund"),
    "read_return_id": (aftersales.read_return_id, "create_return"),
    "read_aftersales": (aftersales_flow.read_aftersales, "aftersales"),
    "read_rma": (aftersales_flow.read_rma, "rma"),
    "read_conversation": (service.read_conversation, "conversation"),
    "read_message": (service.read_message, "message"),
    "read_inventory": (inventory.read_inventory, "search_inventory"),
    "read_inventory_errors": (inventory.read_inventory_errors, "update_inventory.partly"),
}

ODD: tuple[Any, ...] = (
    None,
    "",
    "x",
    "\ud800",
    "\x00",
    "9" * 400,
    0,
    -1,
    10**30,
    1.5,
    float("inf"),
    True,
    [],
    [None],
    ["x"],
    [[]],
    [{}],
    {},
    {"id": {}},
)


def survives(reader: Reader, data: Any) -> None:
    """The reader ends in a value or in `Unreadable`; any other exception fails the test."""
    with suppress(Unreadable):
        reader(Outcome(Kind.OK, data))


def places(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside, objects and lists too."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*where, key)
            yield from places(inner, (*where, key))


def changed(data: Any, where: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """A copy in which the value at a place is changed, by its holder and its key."""
    copy = deepcopy(data)
    holder = copy
    for key in where[:-1]:
        holder = holder[key]
    change(holder, where[-1])
    return copy


def put(odd: Any) -> Callable[[Any, Any], None]:
    def change(holder: Any, key: Any) -> None:
        holder[key] = deepcopy(odd)

    return change


def drop(holder: Any, key: Any) -> None:
    del holder[key]


def data_of(name: str) -> Any:
    return sample(f"tiktok/answers/{READERS[name][1]}.json")["data"]


def test_every_reader_is_here() -> None:
    modules = (answers, fulfilment, delivery, aftersales, aftersales_flow, service, inventory)
    offered = {name for module in modules for name in vars(module) if name.startswith("read_")}
    assert offered == {name.split()[0] for name in READERS}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_reads_its_own_sample(name: str) -> None:
    reader, _ = READERS[name]
    assert reader(Outcome(Kind.OK, data_of(name)))


@pytest.mark.parametrize("name", READERS)
def test_every_wrong_type_at_every_place_is_unreadable_or_does_no_harm(name: str) -> None:
    reader, data = READERS[name][0], data_of(name)
    survives(reader, {})
    for where in places(data):
        survives(reader, changed(data, where, drop))
        for odd in ODD:
            survives(reader, changed(data, where, put(odd)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@patient
@given(st.data())
def test_several_wrong_things_at_once_are_no_worse(draw: st.DataObject) -> None:
    name = draw.draw(st.sampled_from(sorted(READERS)))
    data = data_of(name)
    for _ in range(draw.draw(st.integers(1, 3))):
        ways = list(places(data))
        if ways:
            where = draw.draw(st.sampled_from(ways))
            data = changed(data, where, draw.draw(st.just(drop) | JSON.map(put)))
    survives(READERS[name][0], data)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_that_is_no_json_is_a_clear_outcome_for_every_call(
    name: str, status: int
) -> None:
    whole = json.dumps({"code": 0, "data": data_of(name)}).encode()
    call = Call(READERS[name][1].split(".")[0], "POST", "/x", writes=True)
    page = b"<!doctype html><title>502 Bad Gateway</title>"
    cut = [whole[:at] for at in range(0, len(whole), max(len(whole) // 40, 1))]
    for raw in (
        page,
        b"\xff\xfe" + whole,
        b"[" + whole,
        b"null",
        b'{"code": 0, "data": null}',
        *cut,
    ):
        found = tiktok_shop.interpret(call, HttpReply(status, {}, raw))
        assert found.kind is Kind.UNCLEAR
        assert found.reason
        assert found.data == {}
