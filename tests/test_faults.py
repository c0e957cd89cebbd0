"""Nothing lost, nothing twice: every I/O step fails in every way, and all comes out the same."""

import json
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.faults import Fault
from sandbox.wire import Request
from shipclock.connect import connect_shop
from shipclock.marketplaces.protocol import Tokens
from shipclock.ports import StoreError
from shipclock.sweep import Sweep
from tests.evidence import made, wrong
from tests.fakes import KINDS, Faults, FaultyStore, FaultyWire, Gone
from tests.stage import APP_KEY, APP_SECRET, SHOP_ID, START, Stage

ORDERS = 3
HOURS = 5


class Story:
    """A few orders that are placed, handed over and scanned while things go wrong: the first is
    failed to be delivered twice, one more is shipped by the marketplace's carrier, and late."""

    def __init__(self, seed: int) -> None:
        # A rotated refresh token whose answer is lost takes a person (below), so it is not here.
        self.stage = Stage(rotates=False)
        self.dice = random.Random(seed)
        self.orders = [
            self.stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
            for _ in range(ORDERS)
        ]
        late = int((START + timedelta(hours=4)).timestamp())
        self.late = self.stage.sandbox.add_order(
            SHOP_ID, items={"MUG": 1}, shipping_type="TIKTOK", delivery_sla_time=late
        )
        self.stage.sandbox.arrange(self.late)

    def deliver(self) -> None:
        """Everything there is to hear, in any order, some of it twice."""
        stage = self.stage
        stage.marketplace_tells(shuffle=self.dice.shuffle)
        for order_id in self.dice.sample(self.orders, len(self.orders)):
            for _ in range(self.dice.choice((1, 1, 2))):
                answer = stage.carrier_tells(
                    f"SYN-{order_id[-3:]}",
                    "picked_up",
                    at=START + timedelta(hours=1),
                    order_id=order_id,
                )
                assert answer.status == 200
        for hour in self.dice.sample((2, 3), 2):
            number = f"SYN-{self.orders[0][-3:]}"
            at = START + timedelta(hours=hour)
            stage.carrier_tells(number, "delivery_attempt_failed", at=at)

    def sweep_with(self, faults: Faults) -> None:
        """One sweep in which I/O fails as planned; the process may not survive it."""
        stage = self.stage
        world = stage.world
        world.store = FaultyStore(stage.memory, faults)
        world.wire = FaultyWire(stage.wire, faults)
        with suppress(Gone, StoreError):
            Sweep(world, stage.now, timedelta(seconds=65)).run()

    def heal(self) -> None:
        """Time passes, nothing fails any more."""
        self.stage.real.pass_time(600)
        for hour in range(HOURS, HOURS + 40):
            self.stage.until(START + timedelta(hours=hour))
            self.stage.marketplace_tells()
            self.stage.real.pass_time(120)
            left = self.stage.sweep().due_left
        assert left == 0, "something stays due for ever"

    def outcome(self) -> dict[str, Any]:
        """What must be the same whatever went wrong."""
        every = [*self.orders, self.late]
        judged = {order_id: self.stage.judged(order_id) for order_id in every}
        return {
            "effects": Counter(
                (e.call, e.order_id, e.package_id, e.tracking_number) for e in self.stage.effects
            ),
            "statuses": {order_id: j.order.status for order_id, j in judged.items()},
            "heads": {
                order_id: self.stage.memory.rows[f"ORDER#{order_id}"]["HEAD"]["status"]
                for order_id in every
            },
            "verdicts": {order_id: self.stage.verdicts(order_id) for order_id in every},
            "told": {order_id: judged[order_id].recorded.notices for order_id in every},
            "package": [read.told for read in judged[self.late].order.package_reads],
            "pushes": {order_id: self.stage.intents(order_id) for order_id in every},
            "unproven": [
                fault for order_id in every for fault in wrong(made(self.stage, order_id))
            ],
        }


def lived(seed: int, plans: list[dict[int, str]], sandbox: list[Fault] | None = None) -> Any:
    story = Story(seed)
    story.deliver()
    for fault in sandbox or []:
        story.stage.sandbox.fail(fault)
    for plan in plans:
        story.sweep_with(Faults(dict(plan)))
        story.stage.real.pass_time(90)
    story.heal()
    return story.outcome()


@pytest.fixture(scope="module")
def undisturbed() -> Any:
    outcome = lived(0, [])
    assert all(n == 1 for n in outcome["effects"].values())
    assert len(outcome["effects"]) == ORDERS
    assert set(outcome["statuses"].values()) == {"AWAITING_COLLECTION"}
    said = [sorted(verdicts) for verdicts in outcome["verdicts"].values()]
    late = ["abnormal_delivery", "delivery_period", "delivery_sla_time"]
    assert said == [["abnormal_delivery", "two_failed_attempts"], [], [], late]
    assert len(outcome["package"]) == 1
    assert outcome["unproven"] == []
    return outcome


def steps_of_an_undisturbed_sweep() -> int:
    story = Story(0)
    story.deliver()
    faults = Faults()
    story.sweep_with(faults)
    return faults.step


STEPS = steps_of_an_undisturbed_sweep()


@pytest.mark.parametrize("kind", KINDS)
def test_one_fault_at_any_step_changes_nothing_in_the_end(kind: str, undisturbed: Any) -> None:
    for step in range(STEPS):
        assert lived(0, [{step: kind}]) == undisturbed, f"{kind} at step {step}"


plans = st.lists(
    st.dictionaries(st.integers(0, STEPS + 20), st.sampled_from(KINDS), max_size=4), max_size=4
)
marketplace_faults = st.lists(
    st.builds(
        Fault,
        kind=st.sampled_from(
            (
                "rate_limit",
                "code",
                "unavailable",
                "html",
                "no_answer",
                "effect_no_answer",
                "expired_token",
                "truncated",
                "null_data",
                "wrong_types",
            )
        ),
        path=st.sampled_from(("*", "*/ship", "*/orders", "*/search", "*/packages/*")),
        times=st.integers(1, 3),
        after=st.integers(0, 3),
        retry_after=st.integers(0, 5),
    ),
    max_size=3,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), plans=plans, faults=marketplace_faults)
def test_any_faults_arrival_order_and_duplication_come_out_the_same(
    undisturbed: Any, seed: int, plans: list[dict[int, str]], faults: list[Fault]
) -> None:
    assert lived(seed, plans, faults) == undisturbed


def consented(stage: Stage) -> Tokens:
    """What the seller's new consent gives."""
    query = {"app_key": APP_KEY, "app_secret": APP_SECRET, "grant_type": "authorized_code"}
    query["auth_code"] = stage.sandbox.grant(SHOP_ID)
    request = Request("GET", "/api/v2/token/get", query, {}, b"")
    told = json.loads(stage.sandbox.handle(request).body)["data"]
    return Tokens(told["access_token"], told["refresh_token"])


def test_a_renewal_whose_answer_and_rotated_token_are_lost_alarms_and_heals_by_connecting() -> None:
    story = Story(0)
    story.stage = stage = Stage(rotates=True)
    story.orders = [stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})]
    story.late = stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, shipping_type="TIKTOK")
    stage.sandbox.arrange(story.late)
    story.deliver()
    stage.sandbox.fail(Fault(kind="expired_token"))
    stage.sandbox.fail(Fault(kind="effect_no_answer", path="*/token/refresh"))
    stage.sweep()
    assert [line.name for line in stage.lines if line.name == "token.refused"]
    stage.real.pass_time(120)
    assert connect_shop(stage.store, stage.shop(), consented(stage), stage.real.now)
    story.heal()
    assert set(story.outcome()["statuses"].values()) == {"AWAITING_COLLECTION"}
