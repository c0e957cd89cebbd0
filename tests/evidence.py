"""An order's whole life and its evidence pack, and ways to alter either."""

import copy
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from cli.evidence.bound import Finding
from cli.evidence.case import case_in, told_chain
from cli.evidence.check import check
from cli.evidence.gather import Wish, gather
from cli.evidence.made import pack
from cli.evidence.zipped import MANIFEST, manifest, unzipped, zipped
from shipclock import rows
from shipclock.ports import Key, Row
from tests.stage import SECRETS, SHOP_ID, START, Stage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NUMBER = "SYN-0001"


def told(stage: Stage, order_id: str, hours: float, *statuses: str, number: str = NUMBER) -> None:
    """Time passes, a carrier calls back, the marketplace does, and all of it is settled."""
    stage.until(START + hours * HOUR)
    for status in statuses:
        stage.carrier_tells(number, status, order_id=order_id)
    stage.marketplace_tells()
    stage.settle_down()


def lived() -> tuple[Stage, str]:
    """A parcel that is handed over, fails to be delivered twice and is deemed lost: events, a link,
    scans, pushes, verdicts and notices."""
    stage = Stage()
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    told(stage, order_id, 0)
    told(stage, order_id, 5, "picked_up")
    stage.sandbox.collect(order_id)
    for day in (1, 2):
        told(stage, order_id, 24 * day, "delivery_attempt_failed")
    told(stage, order_id, 15 * 24)
    return stage, order_id


def waited() -> tuple[Stage, str]:
    """An order that nobody hands over: the seller is reminded of it."""
    stage, order_id = small()
    for day in (5, 6, 7):
        told(stage, order_id, 24 * day + 12)
    return stage, order_id


def small() -> tuple[Stage, str]:
    """An order that one webhook told of."""
    stage = Stage()
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    told(stage, order_id, 0)
    return stage, order_id


def made(
    stage: Stage, order_id: str, secrets: Mapping[str, Any] | None = SECRETS, **wish: bool
) -> bytes:
    """The pack of an order."""
    return pack(gather(stage.store, order_id, stage.real.now, secrets, Wish(**wish)))


def faults(found: list[Finding]) -> list[str]:
    """What does not fit."""
    return [finding.what for finding in found if finding.fault]


def wrong(data: bytes, stage: Stage | None = None) -> list[str]:
    """What does not fit in a pack, alone or against the table."""
    return faults(check(data, stage.store if stage else None))


def altered(stage: Stage, key: Key, change: Callable[[Row], Row | None]) -> None:
    """Change a row behind the product's back, or remove it."""
    partition = stage.memory.rows[key[0]]
    row = change(copy.deepcopy(partition.pop(key[1])))
    if row is not None:
        partition[row["sk"]] = row


def keys_of(stage: Stage, order_id: str, number: str = "SYN0001") -> dict[str, list[Key]]:
    """The keys of an order's rows and of its number's, by their kind."""
    found: dict[str, list[Key]] = {}
    for pk in (rows.order_pk(order_id), rows.number_pk(number)):
        for sk in stage.memory.rows.get(pk, {}):
            kind = f"{pk.partition('#')[0]} {sk.partition('#')[0]}"
            found.setdefault(kind, []).append((pk, sk))
    return found


def forged(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """A pack whose files were changed by somebody who knows the format: manifest and zip fit."""
    files = unzipped(data)
    change(files)
    about: dict[str, Any] = {}
    with suppress(Exception):  # of what is no case there is nothing to tell
        case = case_in(files)
        about = {"order_id": case.order_id, "chain": told_chain(case)}
    return zipped({**files, MANIFEST: manifest(files, about)})
