"""Short ways to say a fact. Instants are told in hours after `T0`."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from shipclock.domain.event import CaseChange, Hint, Line, Link, OrderFacts, PackageRead, Snapshot
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import Order, OrderEvents, fold
from shipclock.domain.push import Intent
from shipclock.domain.tracking import Scan, TimeBasis, TrackingStatus
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Call, Keys, Known, Shop, Telling
from shipclock.rules.packs import policy_for
from shipclock.rules.policy import Clause, Deadline, Extension, Policy

T0 = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
REAL = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

SHOP = "7490000000000000001"
OTHER_SHOP = "7490000000000000002"
ORDER = "576000000000000101"
OTHER_ORDER = "576000000000000102"
NUMBER = "SYN000101"

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties: none of them is about speed, and the first example pays for the imports."""

SAMPLES = Path(__file__).parent / "samples"


def after(hours: float = 0, **more: float) -> datetime:
    """An instant that long after `T0`."""
    return T0 + timedelta(hours=hours, **more)


def sample(path: str) -> Any:
    """A sample, parsed."""
    return json.loads((SAMPLES / path).read_text("utf-8"))


def sample_bytes(path: str) -> bytes:
    """A sample as it would be sent."""
    return (SAMPLES / path).read_bytes()


def samples(folder: str) -> list[str]:
    """The paths of all samples of a folder."""
    return sorted(f"{folder}/{path.name}" for path in (SAMPLES / folder).glob("*.json"))


def scan(status: str = "in_transit", hours: float = 0, **more: Any) -> Scan:
    """A scan of `NUMBER`; its identity is made of what it says, unless told otherwise."""
    known: dict[str, Any] = {
        "number": NUMBER,
        "status": TrackingStatus(status),
        "occurred_at": after(hours),
        "basis": TimeBasis.UTC,
        "received_at": REAL,
        "source": "standard_webhooks",
        "account": "default",
        "raw_code": status,
        **more,
    }
    said = (known["source"], known["number"], status, known["occurred_at"].isoformat())
    return Scan(**{"identity": "#".join(said), **known})


def facts(status: str = "AWAITING_SHIPMENT", **more: Any) -> OrderFacts:
    """An order as the marketplace tells it; placed and last changed at `T0`."""
    known: dict[str, Any] = {
        "create_time": T0,
        "update_time": T0,
        "shipping_type": "SELLER",
        "fulfillment_type": "FULFILLMENT_BY_SELLER",
        **more,
    }
    return OrderFacts(status=status, **known)


def snapshot(status: str = "AWAITING_SHIPMENT", hours: float = 0, **more: Any) -> Snapshot:
    """A re-read that told `status`, changed that many hours after `T0`.

    `sent`, `shop_id` and `identity` are the snapshot's own; all else is about the order.
    """
    sent: datetime = more.pop("sent", REAL)
    shop_id: str = more.pop("shop_id", SHOP)
    identity: str = more.pop("identity", "")
    told = facts(status, **{"update_time": after(hours), **more})
    name = identity or f"{status}#{told.update_time.isoformat()}#{sent.isoformat()}"
    return Snapshot(name, ORDER, shop_id, sent, after(hours), told)


def hint(status: str = "AWAITING_SHIPMENT", hours: float = 0, **more: Any) -> Hint:
    """A thin webhook about `ORDER`."""
    known: dict[str, Any] = {
        "identity": f"hint#{status}#{hours}",
        "order_id": ORDER,
        "shop_id": SHOP,
        "topic": "order_status_change",
        "received_at": REAL,
        "status": status,
        "update_time": after(hours),
        **more,
    }
    return Hint(**known)


def case(status: str, hours: float = 0, **more: Any) -> CaseChange:
    """A state of the one cancellation case of `ORDER`."""
    known: dict[str, Any] = {
        "identity": f"case#{status}#{hours}",
        "order_id": ORDER,
        "shop_id": SHOP,
        "case_id": "4030000000000000101",
        "case": "cancellation",
        "status": status,
        "update_time": after(hours),
        **more,
    }
    return CaseChange(**known)


def package_read(package_id: str, sent: datetime = REAL, **more: Any) -> PackageRead:
    """A package's detail, asked for at the real time `sent`."""
    said = "#".join(map(str, more.values()))
    return PackageRead(f"{package_id}#{said}#{sent}", ORDER, SHOP, package_id, sent, **more)


def line(line_id: str = "577000000000000101", **more: str) -> Line:
    """One unit of the order."""
    return Line(line_id, **more)


def link(order_id: str = ORDER, created_at: datetime | None = None, **more: Any) -> Link:
    """`NUMBER` belongs to an order."""
    known: dict[str, Any] = {"number": NUMBER, "source": "standard_webhooks", **more}
    return Link(order_id=order_id, created_at=created_at, **known)


def numbered(*scans: Scan, number: str = NUMBER, links: tuple[Link, ...] = ()) -> NumberFacts:
    """What is kept under a number; linked to `ORDER` unless told otherwise."""
    return NumberFacts(number, scans, links or (link(number=number),))


def folded(*events: Any, numbers: tuple[NumberFacts, ...] = ()) -> Order:
    """`ORDER` folded from these."""
    told: OrderEvents = events
    return fold(ORDER, told, numbers)


def policy(zone: str = "Asia/Kuala_Lumpur", market: str = "MY") -> Policy:
    """The policy of an order placed at `T0`."""
    return policy_for(market, T0.date(), zone)


def every_clause(judged_by: Policy | None = None, hours: int = 240) -> Policy:
    """The same with the one clause that the guide has no figure for."""
    known = judged_by or policy()
    silent = Clause(
        clause="a parcel is lost after ten days without a scan",
        source="nobody",
        dated="undated",
        confidence="unconfirmed",
        hours=hours,
    )
    clauses = {**known.pack.clauses, "parcel_silent": silent}
    return replace(known, pack=known.pack.model_copy(update={"clauses": clauses}))


def deadline(**more: Any) -> Deadline:
    """A deadline of a pack: in transit within 48 hours of the order, a metric line."""
    known: dict[str, Any] = {
        "clause": "in transit within two days",
        "source": "nobody",
        "dated": "undated",
        "confidence": "unconfirmed",
        "starts": "created",
        "hours": 48,
        "stops": "in_transit",
        "line": "metric",
        **more,
    }
    if {"calendar_days", "working_days"} & more.keys():
        del known["hours"]
    return Deadline(**known)


def extension(first: date, last: date, **more: Any) -> Extension:
    """More time for the clock `dispatch`, for starts on these days; how much must be said."""
    known: dict[str, Any] = {
        "clause": "New Year: more time",
        "source": "an announcement",
        "dated": "2026-11-01",
        "confidence": "official",
        "from": first,
        "to": last,
        "clocks": ("dispatch",),
        **more,
    }
    return Extension.model_validate(known)


def with_deadlines(judged_by: Policy | None = None, **deadlines: Deadline) -> Policy:
    """The same with deadlines of these names."""
    known = judged_by or policy()
    return replace(known, pack=known.pack.model_copy(update={"deadlines": deadlines}))


def every_rule() -> Policy:
    """A policy by which each rule has something to say; its deadlines are of auctions alone."""
    return with_deadlines(
        every_clause(),
        dispatch=deadline(order_types=("AUCTION",)),
        arrival=deadline(order_types=("AUCTION",), stops="delivered", then="deem_delayed"),
    )


def shop(market: str = "MY", **more: Any) -> Shop:
    """A connected shop."""
    known: dict[str, Any] = {
        "shop_id": SHOP,
        "marketplace": "tiktok_shop",
        "market": market,
        "zone": "Asia/Kuala_Lumpur",
        "app_key": "synthkey0001",
        "cipher": "GCP_made_up",
        "authorisation": "synthkey0001",
        **more,
    }
    return Shop(**known)


def told(intent: Intent, order: Order, connection: Shop, provider_id: str = "") -> Call:
    """The call that tells an intent, everything it asks before left out."""
    known = Known(T0, provider_id)
    return MARKETPLACES[connection.marketplace].tell([Telling(intent, order, known)], connection)


KEYS = Keys("synthetic-app-secret-0001", "TTP_access", "TTP_refresh")
