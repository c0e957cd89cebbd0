"""What a missed clock tells a reader: of which parcel, since when, by whose word."""

from typing import Any

import pytest

from shipclock.domain.clock import Clock
from shipclock.domain.order import Order
from shipclock.rules import RULES, timeline
from tests.builders import (
    NUMBER,
    T0,
    after,
    folded,
    line,
    numbered,
    package_read,
    policy,
    scan,
    snapshot,
)

P1, P2, P3 = "1150000000000000101", "1150000000000000102", "1150000000000000103"
OTHER_NUMBER = "SYN000202"
WRITTEN, OTHER_WRITTEN = "SYN-000 101", "SYN-000 202"
FAILED = "delivery_attempt_failed"
TWO = (
    # its number is not linked, so it has no parcel
    line("1", package_id=P1, tracking_number="SYN000099", provider="Third Post"),
    line("2", package_id=P2, tracking_number=NUMBER, provider="Other Post"),
    line("3", package_id=P3, tracking_number=OTHER_NUMBER, provider="Other Post"),
)


def mine(status: str, hours: float, **more: Any) -> Any:
    return scan(status, hours, written=WRITTEN, **more)


def theirs(status: str, hours: float, **more: Any) -> Any:
    return scan(status, hours, number=OTHER_NUMBER, written=OTHER_WRITTEN, **more)


def order(*scans: Any, status: str = "IN_TRANSIT", reads: Any = (), **more: Any) -> Order:
    told = {"lines": TWO, **more}
    numbers = [
        numbered(*(s for s in scans if s.number == number), number=number)
        for number in (OTHER_NUMBER, NUMBER)
        if number in {one.tracking_number for one in told["lines"]}
    ]
    return folded(snapshot(status, **told), *reads, numbers=tuple(numbers))


def said(of: Order, name: str, **more: str) -> list[str]:
    """What the order's clocks of that name, and of that part or cause, say when they are missed."""
    return [
        tick.rule.explain(of, tick.clock, policy())
        for tick in timeline(of, policy())
        if tick.clock.name == name
        and all(getattr(tick.clock, key) == value for key, value in more.items())
    ]


def read(exception: str, meaning: str = "", package_id: str = P2) -> tuple[Any, ...]:
    """The marketplace tells of an exception, and then of nothing about another package."""
    return (
        package_read(package_id, exception=exception, meaning=meaning, update_time=after(40)),
        package_read(P3),
    )


AT_40 = "Tue 3 Nov 2026, 02:00 (Asia/Kuala_Lumpur)"


@pytest.mark.parametrize(
    ("of", "begins"),
    [
        (
            order(mine("damaged", 40)),
            f"{WRITTEN} was damaged on its way, as the carrier tells of {AT_40}. ",
        ),
        (
            order(mine("lost", 40), reads=(package_read(P2, exception=""),)),
            f"{WRITTEN} is lost, as the carrier tells of {AT_40}. ",
        ),
        (
            # at that very instant it is deemed lost as well
            order(mine(FAILED, 20), mine(FAILED, 40), mine("damaged", 40)),
            f"{WRITTEN} was damaged on its way, as the carrier tells of {AT_40}. ",
        ),
        (
            order(reads=read("PACKAGE_DAMAGAED", "damaged")),
            f"{NUMBER} was damaged on its way, as the marketplace tells of {AT_40} "
            "(PACKAGE_DAMAGAED). ",
        ),
        (
            order(reads=read("TOMORROW", package_id=P1)),
            f"The parcel met with something that needs a look, as the marketplace tells of {AT_40} "
            "(TOMORROW). ",
        ),
    ],
)
def test_what_is_abnormal_is_told_with_the_parcel_the_cause_and_by_whose_word(
    of: Order, begins: str
) -> None:
    (text,) = (t for t in said(of, "abnormal_delivery") if "deemed" not in t)
    assert text.startswith(begins)
    assert "are prepared" in text


@pytest.mark.parametrize(
    ("of", "cause", "rule"),
    [
        (order(mine(FAILED, 20), mine(FAILED, 30)), "deemed_lost", "two_failed_attempts"),
        (order(mine("picked_up", 20)), "deemed_lost", "not_acknowledged"),
        # the attempts would deem it lost later
        (order(mine(FAILED, 300), mine(FAILED, 310)), "deemed_lost", "not_acknowledged"),
        (
            order(deadlines={"delivery_sla_time": after(50)}),
            "deemed_delayed",
            "delivery_period",
        ),
        (
            order(mine("info_received", 9), lines=TWO[1:2], deadlines={"delivery_sla_time": T0}),
            "deemed_delayed",
            "delivery_period",
        ),
    ],
)
def test_what_is_deemed_says_why_in_the_words_of_the_rule_that_deems_it(
    of: Order, cause: str, rule: str
) -> None:
    (why,) = said(of, rule)
    for text in said(of, "abnormal_delivery", cause=cause):
        assert text.startswith(f"{why} ")
        assert "are prepared" in text
    assert said(of, "abnormal_delivery", cause=cause)


def test_of_two_parcels_deemed_lost_at_one_instant_each_is_told_by_its_own_name() -> None:
    scans = [told(FAILED, hours) for told in (mine, theirs) for hours in (20, 30)]
    for name in ("two_failed_attempts", "abnormal_delivery"):
        for number, written in ((NUMBER, WRITTEN), (OTHER_NUMBER, OTHER_WRITTEN)):
            (text,) = said(order(*scans), name, number=number)
            assert f"{written} for the 2nd time on Mon 2 Nov 2026, 16:00" in text


def test_a_parcel_nobody_acknowledged_is_told_with_its_carriers_last_word() -> None:
    scans = (mine("picked_up", 5), mine("on_hold", 9), theirs("out_for_delivery", 9))
    for number, words in (
        (NUMBER, (WRITTEN, "on_hold")),
        (OTHER_NUMBER, (OTHER_WRITTEN, "out_for_delivery")),
    ):
        (text,) = said(order(*scans), "not_acknowledged", number=number)
        assert f"receipt of {words[0]} by Fri 13 Nov 2026, 10:00" in text
        assert f"(the carrier's last word is {words[1]})" in text


def test_a_mismatch_names_both_carriers() -> None:
    scans = (
        theirs("picked_up", 5, carrier="Other Post"),
        mine("info_received", 5, carrier="Third Post"),
        mine("picked_up", 40, carrier="Synthetic Express"),
    )
    (text,) = said(order(*scans), "carrier_mismatch")
    assert text.startswith(f"{WRITTEN} was first scanned by Synthetic Express on {AT_40}, ")
    assert "the marketplace expects Other Post. " in text


def test_of_a_parcel_that_the_order_has_no_more_what_is_unknown_is_not_made_up() -> None:
    gone, rules = folded(snapshot()), {rule.name: rule for rule in RULES}
    clock = Clock("", after(40), "", number=NUMBER)
    mismatch = rules["carrier_mismatch"].explain(gone, clock, policy())
    assert f"{NUMBER} was first scanned by another carrier on {AT_40}, " in mismatch
    assert "the marketplace expects the one assigned. " in mismatch
    silent = rules["not_acknowledged"].explain(gone, clock, policy())
    assert f"receipt of {NUMBER} by " in silent
    assert "(the carrier's last word is unknown)" in silent


def test_the_collected_order_is_told_with_its_collection_and_its_status() -> None:
    of = order(mine("picked_up", 40), status="AWAITING_COLLECTION", shipping_type="TIKTOK")
    (text,) = said(of, "collected_to_shipped")
    assert f"has had the parcel since {AT_40}, " in text
    assert "shows AWAITING_COLLECTION on Thu 5 Nov 2026, 02:00 (Asia/Kuala_Lumpur)" in text


def test_a_delivery_without_proof_is_told_with_its_parcel_and_time() -> None:
    (text,) = said(order(mine("delivered", 40)), "delivered_unproven")
    assert text.startswith(f"{WRITTEN} was reported delivered on {AT_40} ")


def test_the_stale_status_names_every_number_that_nobody_has_scanned() -> None:
    (text,) = said(order(status="AWAITING_SHIPMENT"), "status_update")
    assert f"SYN000099, {NUMBER}, {OTHER_NUMBER} " in text
