"""What the documents name is there, and what must be in them is."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from cli import docs, event_docs
from shipclock import backoff, escalation, sources
from shipclock.domain.level import Level
from shipclock.domain.push import IntentState
from shipclock.domain.tracking import TrackingStatus
from shipclock.events import EVENTS
from shipclock.fulfillment.definitions import DEFINITIONS
from shipclock.fulfillment.lines import (
    DELIVERY_FIELDS,
    DISPATCH_FIELDS,
    DISPATCH_RULE,
    DISPATCHED,
    TRACKING_FIELDS,
    TRACKING_RULE,
)
from shipclock.fulfillment.signals import WHY
from shipclock.fulfillment.terms import Terms, parse_terms
from shipclock.horizon.feed import MOST_EVENTS, MOST_ORDERS, WANTED
from shipclock.horizon.lines import Line
from shipclock.horizon.shapes import DueClocks, ForecastPage
from shipclock.horizon.tally import OUTCOMES
from shipclock.hub import ROLES, OrderList, QuarantineList, every_stage
from shipclock.incident_shapes import IncidentView
from shipclock.notify import delivery, destinations, outbox
from shipclock.rules.packs import parse_pack
from shipclock.sources.mapped.auth import STRATEGIES
from shipclock.sources.mapped.proof import ALGORITHMS, ENCODINGS, KEYS, STAMPS
from shipclock.sources.mapped.schema import PRESENT
from shipclock.sources.mapped.tables import Table
from shipclock.sources.mapped.times import FORMS
from shipclock.standing_views import SignalsList
from shipclock.views import OrderIncidentView, OrderView, PushView
from tests.sources import mappings

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
FOLDERS = (
    *("functions", "layers", "tests", "docs", "sandbox", "cli", "benchmarks", "requirements"),
    ".ci",
)
MADE = (".local/", ".venvs/")
"""Made by make, so not in a fresh copy."""
FORBIDDEN = (
    *(f"/{top}/" for top in ("work", "tmp", "home", "root", "Users", "private")),
    *("pypi.", "pythonhosted.", "npmjs.", "proxy.golang.", "artifactory", "nexus", "/simple/"),
)
ADDRESSES = {
    "api.eu.shipengine.com",
    "api.shipengine.com",
    "auth.tiktok-shops.com",
    "open-api.tiktokglobalshop.com",
    "127.0.0.1:PORT",
}
"""The only hosts a document sends its reader to."""

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.M | re.S)


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from their words."""
    heads = re.findall(r"^#+ (.+)$", prose(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def links(page: Path) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", prose(page))


def test_there_are_pages() -> None:
    assert len(PAGES) > 15


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / unquote(path)).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    for word in re.findall(r"`([\w./-]+)`", prose(page)):
        inside = word.startswith(tuple(f"{folder}/" for folder in FOLDERS))
        at_top = word.endswith((".yaml", ".toml", ".md")) and "/" not in word
        if not (inside or at_top) or word.startswith(MADE):
            continue
        if word in {"tiktok-shop.md", "carriers.md"}:  # what docstrings cite; told in 0000
            continue
        assert (ROOT / word).exists(), f"`{word}` is named and not there"


@every_page
def test_paths_in_commands_exist(page: Path) -> None:
    for script in blocks(page, "sh"):
        for word in re.findall(r"(?<![\w./])(?:tests|cli|docs|layers|functions)/[\w./-]+", script):
            assert (ROOT / word).exists(), word


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))


@every_page
def test_make_targets_exist(page: Path) -> None:
    spoken = re.findall(r"`make ([a-z]+)[^`]*`", prose(page))
    typed = [
        word
        for script in blocks(page, "sh")
        for word in re.findall(r"^make ([a-z]+)", script, flags=re.M)
    ]
    assert set(spoken + typed) <= targets()


@every_page
def test_nothing_of_one_machine_and_no_foreign_host(page: Path) -> None:
    lower = text_of(page).lower()
    assert [word for word in FORBIDDEN if word.lower() in lower] == []
    hosts = set(re.findall(r"https?://([^/\s\"'`)|<]+)", text_of(page)))
    assert hosts <= ADDRESSES


@every_page
def test_lines_are_plain_text(page: Path) -> None:
    text = text_of(page)
    assert text.endswith("\n")
    assert "\t" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


# What must be told


SHIPPED = (*sources.MODULES, "example_3pl")
"""Carriers that must be told of. A seller's own mapping may be, and need not."""


def test_every_source_has_its_row_its_section_and_its_samples() -> None:
    page = text_of(ROOT / "docs" / "sources.md")
    rows = re.findall(r"^\| `(\w+)` \| `(/webhooks/[\w/]+)` \| \S.* \| \S.* \|$", page, re.M)
    table = dict(rows)
    assert {*sources.MARKETPLACES, *SHIPPED} <= set(table) <= set(sources.SOURCES)
    assert table == {
        **dict.fromkeys(sources.MARKETPLACES, "/webhooks/tiktok"),
        **{name: f"/webhooks/carriers/{name}" for name in table if name in sources.CARRIERS},
    }
    assert set(SHIPPED) <= set(re.findall(r"^## (\w+)$", page, re.M))
    readme = text_of(ROOT / "README.md").partition("## Sources")[2].partition("###")[0]
    told = set(re.findall(r"`(\w+)`", readme))
    assert {*sources.MARKETPLACES, *SHIPPED} <= told <= set(sources.SOURCES)
    security = text_of(ROOT / "SECURITY.md")
    for name in SHIPPED:
        assert list((ROOT / "tests" / "samples" / name).glob("*.json")), name
        assert (ROOT / "tests" / "samples" / "signatures" / f"{name}.json").is_file(), name
        assert f"`{name}`" in security, name


def test_every_tracking_status_is_on_the_page_of_sources() -> None:
    told = set(re.findall(r"`(\w+)`", text_of(ROOT / "docs" / "sources.md")))
    assert {status.value for status in TrackingStatus} <= told


class Loader(yaml.SafeLoader):
    """Reads the template; what `!Ref` and the like say does not matter here."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: suffix)


def test_every_parameter_is_told_with_its_default() -> None:
    template = yaml.load((ROOT / "template.yaml").read_text("utf-8"), Loader)  # noqa: S506
    page = text_of(ROOT / "docs" / "configuration.md")
    told = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", page.partition("## The sources'")[0], re.M))
    assert told == {
        name: f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"
        for name, parameter in template["Parameters"].items()
    }
    readme = text_of(ROOT / "README.md")
    assert all(f"`{name}`" in readme for name in template["Parameters"])


def test_every_output_that_is_named_exists() -> None:
    template = yaml.load((ROOT / "template.yaml").read_text("utf-8"), Loader)  # noqa: S506
    for page in PAGES:
        named = re.findall(r"\$\(output (\w+)\)|<(\w+Url)>|output `(\w+)`", text_of(page), re.I)
        assert {"".join(one) for one in named} <= template["Outputs"].keys()


def test_the_pack_that_is_shown_is_the_one_that_ships() -> None:
    shown, *clauses = blocks(ROOT / "docs" / "configuration.md", "toml")
    path = ROOT / "layers/common/shipclock/rules/policies/guide-2023.toml"
    shipped = path.read_text("utf-8")
    assert tomllib.loads(shown) == tomllib.loads(shipped)
    assert clauses, "what a pack may have besides is shown too"
    parts = ("clauses", "deadlines", "extensions", "signals")
    own = parse_pack(shown, "guide-2023")
    for clause in clauses:
        more = parse_pack(f"{shown}\n{clause}", "guide-2023")
        assert sum(len(getattr(more, part)) - len(getattr(own, part)) for part in parts) == 1


def test_the_terms_that_are_shown_are_read() -> None:
    page = ROOT / "docs" / "scorecards.md"
    (shown,) = blocks(page, "toml")
    assert len(parse_terms(shown, "shown").terms) == 2
    told = set(re.findall(r"`(\w+)`", text_of(page)))
    keys = {field.alias or name for name, field in Terms.model_fields.items()}
    assert keys <= told


def test_the_page_of_rules_is_what_the_rules_themselves_say() -> None:
    assert text_of(docs.PAGE) == docs.rules_page(), "run `python -m cli docs`"


def test_the_folder_of_events_is_what_the_events_themselves_say() -> None:
    there = {path.name: path.read_text("utf-8") for path in event_docs.FOLDER.iterdir()}
    assert there == event_docs.pages(), "run `python -m cli docs`"


def test_every_event_has_a_row_where_it_is_told_what_is_told() -> None:
    page = text_of(ROOT / "docs" / "configuration.md").partition("## What is told")[2]
    told = set(re.findall(r"`(\w+\.[\w.]+)`", page.partition("## Fixed")[0]))
    assert {*EVENTS} - {"destination.test"} == told & {*EVENTS}


def test_the_destinations_that_are_shown_are_read_and_every_key_is_told() -> None:
    page = ROOT / "docs" / "notifications.md"
    (shown,) = blocks(page, "json")
    filled = re.sub(r"https://<[^>]+>", "https://hooks.example.com/x", shown)
    filled = re.sub(r"whsec_<\w+>", "whsec_MDEyMzQ1Njc4", filled)
    found = destinations.destinations_of(json.loads(filled))
    assert found.problems == ()
    assert {one.kind for one in found.all} == {"topic", "slack", "webhook"}
    told = set(re.findall(r"`(\w+)`", text_of(page)))
    assert {*destinations.Entry.model_fields} - {"name"} <= told
    assert {*Level} <= told


def test_the_figures_on_the_page_of_notifications_are_those_of_the_code() -> None:
    text = " ".join(text_of(ROOT / "docs" / "notifications.md").split())
    assert timedelta(minutes=10) == outbox.PACE
    assert "no sooner than ten minutes after" in text
    assert f"More than {outbox.EVENTS_PER_PART} events make further parts" in text
    assert f"goes out at {destinations.DIGEST_AT} of" in text
    assert (outbox.KEPT.days, delivery.GIVEN_UP.days) == (90, 7)
    assert "kept for 90 days" in text
    assert "within seven days" in text
    waits = [int(wait / timedelta(minutes=1)) for wait in backoff.MESSAGE]
    assert waits == [1, 5, 15, 60, 180, 360, 720]
    assert "after 1, 5, 15 minutes, 1, 3, 6 and 12 hours" in text
    assert escalation.DEFAULT == "24=ordinary,6=urgent,1=critical"
    assert "At 24 hours (`ordinary`), 6 hours (`urgent`) and one hour (`critical`)" in text
    assert destinations.MOST == 20
    assert "at most twenty" in text


@every_page
def test_json_that_is_shown_is_json(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block)


def test_the_secrets_that_are_shown_are_read() -> None:
    found = {
        name: sources.accounts_of(secret, name)
        for page in (ROOT / "README.md", ROOT / "docs" / "configuration.md")
        for secret in map(json.loads, blocks(page, "json"))
        for name in sources.SOURCES
        if name in secret
    }
    assert {*sources.MARKETPLACES, *SHIPPED} <= set(found)
    assert all(found.values())


def test_every_key_of_a_mapping_is_told_and_what_is_shown_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[str] = set()
    get = Table._get

    def remembering(table: Table, key: str, needed: str = "") -> object:
        asked.add(key)
        return get(table, key, needed)

    monkeypatch.setattr(Table, "_get", remembering)
    page = ROOT / "docs" / "mappings.md"
    (codes,) = blocks(page, "toml")
    for strategy in STRATEGIES:
        shown = mappings.text(auth=f'strategy = "{strategy}"\nheader = "X"')
        whole = shown.partition("[codes]")[0].replace('code = "code"', 'code = ["a", "b"]') + codes
        problems = mappings.wrong(whole)
        assert [each for each in problems if not each.startswith("line 5: auth.header")] == []
    own = {"DELIVERED", "WEIGHED"}
    told = set(re.findall(r"[`{\[.](\w+)[`}\]]", text_of(page)))
    words = {"status", "flags", "proof", "time"}  # shown in the block, and as names of tables
    assert {key for key in asked - own - words if not re.search(r"\W|[A-Z]", key)} <= told
    assert {*STRATEGIES, *ALGORITHMS, *ENCODINGS, *KEYS, *STAMPS, *FORMS, *PRESENT} <= told


def test_the_api_page_shows_what_the_hub_answers() -> None:
    shown = [json.loads(block) for block in blocks(ROOT / "docs" / "api.md", "json")]
    for model, mark in (
        (OrderView, "clocks"),
        (OrderList, "orders"),
        (QuarantineList, "deliveries"),
        (PushView, "call"),
        (SignalsList, "shops"),
        (IncidentView, "counts_until"),
    ):
        found = [one for one in shown if mark in one]  # an incident names shops too
        (example,) = [one for one in found if ("incident_id" in one) is (model is IncidentView)]
        assert model.model_validate(example).model_dump(mode="json") == example
    (met,) = [one for one in shown if isinstance(one, list) and "by_hand" in one[0]]
    assert [OrderIncidentView.model_validate(one).model_dump(mode="json") for one in met] == met


def test_the_page_of_what_lies_ahead_shows_what_the_hub_answers() -> None:
    page = ROOT / "docs" / "horizon.md"
    shown = [json.loads(block) for block in blocks(page, "json")]
    for model, mark in ((DueClocks, "clocks"), (ForecastPage, "days")):
        (example,) = [one for one in shown if mark in one]
        assert model.model_validate(example).model_dump(mode="json") == example
    told = set(re.findall(r"`(\w+)`", text_of(page)))
    assert {*Line, *OUTCOMES, *WANTED} - {"all"} <= told
    assert f"{MOST_ORDERS:,} orders, {MOST_EVENTS:,} events" in text_of(page)


def test_the_page_of_signals_tells_each_of_them_and_every_reason_for_leaving_out() -> None:
    told = set(re.findall(r"`(\w+)`", text_of(ROOT / "docs" / "signals.md")))
    assert DEFINITIONS.keys() | WHY.keys() <= told
    fields = {*DISPATCH_FIELDS, *DELIVERY_FIELDS, *TRACKING_FIELDS, DISPATCH_RULE, TRACKING_RULE}
    assert fields | DISPATCHED <= told


def test_the_api_page_tells_every_state_stage_and_role() -> None:
    told = set(re.findall(r"`(\w+)`", text_of(ROOT / "docs" / "api.md")))
    assert {state.value for state in IntentState} <= told
    assert set(every_stage()) <= told
    assert ROLES.keys() <= told


def test_decisions_are_numbered_dated_and_can_be_undone() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(len(pages)))
    for number, page in zip(numbers, pages, strict=True):
        text = text_of(page)
        assert text.startswith(f"# {number:04d} ")
        assert re.search(r"^20\d\d-\d\d-\d\d$", text, flags=re.M)
        if number:
            heads = re.findall(r"^## (.+)$", text, flags=re.M)
            assert heads == ["Context", "Options", "Decision", "Undoing it"]


def test_the_licence_is_whole() -> None:
    text = text_of(ROOT / "LICENSE")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "APPENDIX" in text
