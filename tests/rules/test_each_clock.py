"""One clock of each rule, told in full: its part, who set it, what that rests on, who is asked."""

from datetime import datetime
from typing import Any

import pytest

from shipclock.domain.clock import Ask, Clock, Stop
from shipclock.domain.order import Order
from shipclock.rules import RULES, timeline
from shipclock.rules.policy import Policy
from tests.builders import (
    NUMBER,
    T0,
    after,
    case,
    every_rule,
    folded,
    line,
    numbered,
    package_read,
    scan,
    snapshot,
)

POLICY = every_rule()
P1 = "1150000000000000101"
PACKED = {"lines": (line(package_id=P1, tracking_number=NUMBER, provider="Other Post"),)}
OF_P1: dict[str, Any] = {"part": NUMBER, "package_id": P1, "number": NUMBER}
FAILED = "delivery_attempt_failed"


def order(*scans: Any, status: str = "AWAITING_SHIPMENT", reads: Any = (), **more: Any) -> Order:
    return folded(snapshot(status, **{**PACKED, **more}), *reads, numbers=(numbered(*scans),))


def clock(name: str, due_at: datetime, starts_at: datetime, **more: Any) -> Clock:
    """A clock that the pack's clause of its name sets, unless told otherwise."""
    cited = {"set_by": f"guide-2023:{name}", "clause": ""}
    if name in POLICY.pack.clauses:
        cited["clause"] = POLICY.pack.clauses[name].clause
    return Clock(**{"name": name, "due_at": due_at, "starts_at": starts_at, **cited, **more})


def at_once(name: str, due_at: datetime, **more: Any) -> Clock:
    """One that something which happened has set."""
    return clock(name, due_at, due_at, at_once=True, **more)


def own_field(name: str, ask: Ask) -> Clock:
    return clock(name, after(50), T0, set_by=name, clause=f"the order's own field {name}", ask=ask)


def given(*names: str) -> dict[str, Any]:
    return {"deadlines": dict.fromkeys(names, after(50))}


LOST_TWICE = (scan(FAILED, 20), scan(FAILED, 30))
TOLD = (package_read(P1, exception="PACKAGE_LOST", update_time=after(60)),)
CLAUSES = POLICY.pack.clauses

TIMELINE: dict[str, tuple[Order, Clock]] = {
    "a hard line": (
        order(**given("shipping_due_time")),
        own_field("shipping_due_time", Ask.AROUND),
    ),
    "a metric line": (order(**given("tts_sla_time")), own_field("tts_sla_time", Ask.NEVER)),
    "the legacy line": (
        order(**given("cancel_order_sla_time")),
        own_field("cancel_order_sla_time", Ask.AROUND),
    ),
    "the status": (order(), clock("status_update", after(120), T0)),
    "the collection": (
        order(scan("picked_up", 10), shipping_type="TIKTOK"),
        clock("collected_to_shipped", after(58), after(10), ask=Ask.ONCE),
    ),
    "no tracking": (order(), clock("untracked", after(360), T0, ask=Ask.DAILY)),
    "two attempts": (
        order(*LOST_TWICE),
        at_once("two_failed_attempts", after(30), ask=Ask.ONCE, **OF_P1),
    ),
    "no receipt": (
        order(scan("picked_up", 10)),
        clock("not_acknowledged", after(288), T0, ask=Ask.ONCE, **OF_P1),
    ),
    "no scan": (
        order(scan("picked_up", 10), scan("in_transit", 30)),
        clock("parcel_silent", after(270), after(30), ask=Ask.ONCE, **OF_P1),
    ),
    "a delivery at the end of a run": (
        order(scan("picked_up", 10), scan("delivered", 30)),
        clock("parcel_silent", after(250), after(10), stop=Stop(after(30)), ask=Ask.ONCE, **OF_P1),
    ),
    "the period": (
        order(**given("delivery_sla_time")),
        clock(
            "delivery_period",
            after(50),
            T0,
            set_by="delivery_sla_time",
            clause=f"guide-2023:delivery_period: {CLAUSES['delivery_period'].clause}",
            ask=Ask.ONCE,
        ),
    ),
    "damage that the carrier reports": (
        order(scan("damaged", 40)),
        at_once("abnormal_delivery", after(40), cause="damaged", **OF_P1),
    ),
    "a loss that the marketplace tells": (
        order(reads=TOLD),
        at_once("abnormal_delivery", after(60), cause="package_lost", **{**OF_P1, "part": P1}),
    ),
    "a loss told of a package that the order has no more": (
        order(reads=TOLD, lines=()),
        at_once("abnormal_delivery", after(60), cause="package_lost", part=P1, package_id=P1),
    ),
    "a loss by attempts": (
        order(*LOST_TWICE),
        at_once("abnormal_delivery", after(30), cause="deemed_lost", ask=Ask.ONCE, **OF_P1),
    ),
    "a loss by silence": (
        order(scan("picked_up", 10)),
        at_once("abnormal_delivery", after(288), cause="deemed_lost", ask=Ask.ONCE, **OF_P1),
    ),
    "a delay": (
        order(**given("delivery_sla_time")),
        at_once(
            "abnormal_delivery",
            after(50),
            cause="deemed_delayed",
            ask=Ask.ONCE,
            **{**OF_P1, "part": ""},
        ),
    ),
    "a delay that a delivery ended": (
        order(scan("delivered", 60), **given("delivery_sla_time")),
        at_once(
            "abnormal_delivery",
            after(50),
            cause="deemed_delayed",
            ask=Ask.ONCE,
            stop=Stop(after(60)),
            **{**OF_P1, "part": ""},
        ),
    ),
    "a delay of several packages": (
        order(lines=(*PACKED["lines"], line("2", package_id="P9")), **given("delivery_sla_time")),
        at_once("abnormal_delivery", after(50), cause="deemed_delayed", ask=Ask.ONCE),
    ),
    "a delay of the one package that is still out": (
        order(
            scan("delivered", 50),
            lines=(*PACKED["lines"], line("2", package_id="P9")),
            **given("delivery_sla_time"),
        ),
        at_once(
            "abnormal_delivery", after(50), cause="deemed_delayed", ask=Ask.ONCE, package_id="P9"
        ),
    ),
    "a delay of an order without packages": (
        folded(snapshot(**given("delivery_sla_time"))),
        at_once("abnormal_delivery", after(50), cause="deemed_delayed", ask=Ask.ONCE),
    ),
    "a delay of a package without a number": (
        folded(snapshot(package_ids=("P9",), **given("delivery_sla_time"))),
        at_once(
            "abnormal_delivery", after(50), cause="deemed_delayed", ask=Ask.ONCE, package_id="P9"
        ),
    ),
    "no proof": (
        order(scan("delivered", 30)),
        at_once("delivered_unproven", after(30), **OF_P1),
    ),
    "a late proof": (
        order(scan("delivered", 30), scan("delivered", 40, proof="photo", source="other")),
        at_once("delivered_unproven", after(30), stop=Stop(after(40)), **OF_P1),
    ),
    "a buyer's wish to cancel": (
        folded(snapshot(), case("CANCELLATION_REQUEST_PENDING", 2, deadline=after(50))),
        clock(
            "buyer_cancel_request",
            after(50),
            after(2),
            set_by="seller_next_action_response.deadline",
            clause="the request's own deadline, seller_next_action_response.deadline",
            part="4030000000000000101",
            ask=Ask.ONCE,
        ),
    ),
    "a deadline of the pack's": (
        order(order_type="AUCTION"),
        clock("dispatch", after(48), T0, clause="in transit within two days", ask=Ask.ONCE),
    ),
    "a deadline that deems": (
        order(order_type="AUCTION"),
        clock("arrival", after(48), T0, clause="in transit within two days", ask=Ask.ONCE),
    ),
    "another carrier": (
        order(scan("picked_up", 10, carrier="Synthetic Express")),
        at_once("carrier_mismatch", after(10), **OF_P1),
    ),
}


@pytest.mark.parametrize("which", TIMELINE)
def test_a_clock_names_its_part_who_set_it_what_that_rests_on_and_who_is_asked(which: str) -> None:
    of, expected = TIMELINE[which]
    found = [t.clock for t in timeline(of, POLICY) if t.clock.name == expected.name]
    assert [one for one in found if one.cause == expected.cause] == [expected]


def test_no_rule_is_left_out_of_these() -> None:
    told = {t.rule.name for of, _ in TIMELINE.values() for t in timeline(of, POLICY)}
    assert told == {rule.name for rule in RULES}


@pytest.mark.parametrize("which", [of for of in TIMELINE if TIMELINE[of][1].name in CLAUSES])
def test_a_pack_without_the_clause_sets_no_such_clock(which: str) -> None:
    of, expected = TIMELINE[which]
    others = {name: clause for name, clause in CLAUSES.items() if name != expected.name}
    bare = Policy(POLICY.pack.model_copy(update={"clauses": others}), POLICY.zone)
    assert expected.name not in {tick.clock.name for tick in timeline(of, bare)}
