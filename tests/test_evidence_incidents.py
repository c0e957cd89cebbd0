"""Evidence of orders that an incident was about: what was said of it is bound, and counts."""

from dataclasses import replace
from typing import Any

import pytest

from cli.evidence.case import Case, case_in, files_of, told_chain
from cli.evidence.check import check
from cli.evidence.made import told_files
from cli.evidence.telling import view
from cli.evidence.zipped import MANIFEST, manifest, unzipped, zipped
from shipclock import chain, incidents, rows
from shipclock.domain.incident import Incident, IncidentFact
from shipclock.ports import Row
from shipclock.views import OrderView
from tests.evidence import altered, faults, made, wrong
from tests.stage import Stage
from tests.test_incidents import (
    LOST,
    POSTCODE,
    at,
    declare,
    due,
    lift,
    on_its_way,
    placed,
    shown,
    told,
    until,
)


@pytest.fixture
def stage() -> Stage:
    return Stage(untracked_after=None)


def case(stage: Stage, order_id: str) -> Case:
    return case_in(unzipped(made(stage, order_id)))


def text(stage: Stage, order_id: str, name: str) -> str:
    return unzipped(made(stage, order_id))[name].decode()


def words(found: Case) -> list[str]:
    """What the case has of incidents: their rows' keys."""
    return [row["sk"] for row in found.facts if row["pk"] == rows.INCIDENTS]


def told_of(view: OrderView) -> dict[str, Any]:
    """What a view says that may depend on incidents."""
    return view.model_dump(include={"clocks", "incidents", "verdicts", "tasks"})


def same(stage: Stage, order_id: str) -> Case:
    """The order's case, which fits and tells of the order what the hub does."""
    assert wrong(made(stage, order_id), stage) == []
    found = case(stage, order_id)
    assert told_of(view(found)) == told_of(shown(stage, order_id))
    return found


def change(stage: Stage, incident: Incident, **more: Any) -> None:
    said = IncidentFact(incident.incident_id, "changed", stage.real.now, "ops", **more)
    incidents.change(stage.store, said, stage.real.now)


def test_a_clock_that_an_incident_moved_is_told_as_the_hub_tells_it(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage, evidence=("https://weather.example/flood",))
    stage.settle_down()
    assert due(stage, order_id) == at(LOST + 10)
    found = same(stage, order_id)
    assert words(found) == [f"{incident.incident_id}#0"]
    moved = {clock.name: clock.due_at for clock in view(found).clocks}
    assert moved["not_acknowledged"] == at(LOST + 10)
    page, timeline = (text(stage, order_id, name) for name in ("page.html", "timeline.txt"))
    for word in (incident.incident_id, "affected", "A flood", "https://weather.example/flood"):
        assert word in page
    assert f"not_acknowledged, else {at(LOST):%Y-%m-%dT%H:%M:%SZ}" in page
    assert f"Incident {incident.incident_id} declared, A flood, from " in timeline
    assert "(ops)" in timeline


def test_a_verdict_that_was_taken_back_for_an_incident_fits_it(stage: Stage) -> None:
    order_id = on_its_way(stage)
    until(stage, LOST + 1)
    assert {v.state for v in shown(stage, order_id).verdicts} == {"standing"}
    declare(stage)
    stage.settle_down()
    assert {v.state for v in view(same(stage, order_id)).verdicts} == {"withdrawn"}


def test_what_changes_or_ends_an_incident_is_bound_as_well(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage)
    stage.settle_down()
    change(stage, incident, ends_at=at(20))
    stage.settle_down()
    assert due(stage, order_id) == at(LOST + 20)
    assert len(words(same(stage, order_id))) == 2
    lift(stage, incident, 5)
    stage.settle_down()
    assert due(stage, order_id) == at(LOST + 5)
    assert len(words(same(stage, order_id))) == 3


def test_what_lets_an_order_go_is_bound_as_well(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage)
    stage.settle_down()
    change(stage, incident, carriers=("Ninja Van",))
    stage.settle_down()
    assert due(stage, order_id) == at(LOST)
    assert len(words(same(stage, order_id))) == 2
    change(stage, incident, reason="A storm")
    stage.settle_down()
    assert len(words(same(stage, order_id))) == 3


def test_of_incidents_that_are_not_or_only_may_be_about_the_order_nothing_is_bound(
    stage: Stage,
) -> None:
    order_id = placed(stage)
    declare(stage)
    declare(stage, carriers=(), postcodes=("99999",))
    stage.settle_down()
    assert [one.listed for one in shown(stage, order_id).incidents] == ["possible"]
    found = case(stage, order_id)
    assert words(found) == []
    assert "incidents" not in found.head
    assert wrong(made(stage, order_id), stage) == []


def test_an_order_that_a_person_put_in_shows_so(stage: Stage) -> None:
    order_id = placed(stage)
    incident = declare(stage)
    stage.settle_down()
    incidents.include(stage.store, incident.incident_id, [order_id], True, stage.real.now, by="Ann")
    stage.settle_down()
    found = same(stage, order_id)
    assert [(one.listed, one.by_hand) for one in view(found).incidents] == [("affected", True)]


def test_an_address_is_known_no_more_and_still_the_order_was_in_the_area(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    told(stage, order_id, 2, postal_code="", region_code="", districts="")
    found = same(stage, order_id)
    assert [one.listed for one in view(found).incidents] == ["affected"]
    assert found.head["incidents"].keys() == {incident.incident_id}


def test_one_incident_of_many_orders_is_bound_by_each(stage: Stage) -> None:
    orders = [on_its_way(stage, f"SYN-{number}") for number in range(3)]
    declare(stage)
    stage.settle_down()
    for order_id in orders:
        assert len(words(same(stage, order_id))) == 1


def test_a_completed_order_keeps_its_pack_whatever_is_said_of_the_incident_later(
    stage: Stage,
) -> None:
    order_id = placed(stage)
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    stage.sandbox.cancel(order_id, "out of stock", "SELLER")
    until(stage, 3)
    assert len(words(same(stage, order_id))) == 1
    before = made(stage, order_id)
    lift(stage, incident, 2)
    stage.settle_down()
    assert made(stage, order_id) == before
    assert faults(check(before, stage.store)) == []


def test_a_word_of_an_incident_that_is_changed_or_removed_shows(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage)
    stage.settle_down()
    data, key = made(stage, order_id), (rows.INCIDENTS, f"{incident.incident_id}#0")

    def otherwise(row: Row) -> Row:
        return {**row, "doc": row["doc"].replace("A flood", "A drought")}

    for change_it in (otherwise, lambda row: None):
        altered(stage, key, change_it)
        assert wrong(data, stage) != []
        assert wrong(made(stage, order_id), stage) != []


def test_a_due_mark_is_no_word(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage)
    stage.settle_down()
    key = (rows.INCIDENTS, f"{incident.incident_id}#0")
    altered(stage, key, lambda row: {**row, **rows.mark(key, "0#1")})
    same(stage, order_id)
    assert chain.what({"pk": rows.INCIDENTS, "sk": key[1]}) == chain.INCIDENT


def reheaded(stage: Stage, order_id: str, incidents: dict[str, str]) -> bytes:
    """A pack whose maker says otherwise how the order stood in its incidents."""
    found = case(stage, order_id)
    other = replace(found, head={**found.head, "incidents": incidents})
    files = files_of(other)
    files |= told_files(case_in(files))
    return zipped({**files, MANIFEST: manifest(files, about(other))})


def about(found: Case) -> dict[str, Any]:
    return {"order_id": found.order_id, "chain": told_chain(found)}


def test_whoever_says_otherwise_how_the_order_stood_is_found_out_by_the_table(
    stage: Stage,
) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    change(stage, incident, postcodes=("99999",))
    stage.settle_down()
    known = case(stage, order_id).head["incidents"]
    assert reheaded(stage, order_id, dict(known)) == made(stage, order_id)
    forged = {name: told.replace(" out", " in affected") for name, told in known.items()}
    data = reheaded(stage, order_id, forged)
    assert any("how the order stood" in what for what in wrong(data, stage))
    foreign = {**known, "a1b2c3d4e5": " in affected"}
    assert any(
        "no fact has: a1b2c3d4e5" in what for what in wrong(reheaded(stage, order_id, foreign))
    )


def test_a_word_that_can_not_be_read_keeps_no_pack_from_being_made(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage)
    stage.settle_down()
    key = (rows.INCIDENTS, f"{incident.incident_id}#0")
    altered(stage, key, lambda row: {**row, "doc": "garbage"})
    assert any("is not what was known" in what for what in wrong(made(stage, order_id)))
