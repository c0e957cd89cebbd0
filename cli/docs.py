"""docs/rules.md, written from the registry of rules and the packs that ship."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cli import build
from shipclock.rules import RULES, deadlines
from shipclock.rules.names import rule_names, rule_needs
from shipclock.rules.packs import DEFAULT, load
from shipclock.rules.policy import Clause
from shipclock.rules.rule import Rule

OWN_FIELDS = "The marketplace's own deadlines, as the order carries them."
NO_CLAUSE = "None in `{pack}`: this clock is set where a pack has the clause, with its figures."
PAGE = build.ROOT / "docs" / "rules.md"

HEAD = """# Rules

Every clock and finding, and the clause it rests on. Written by `python -m cli docs` from the rules
themselves and the pack `{pack}`; a test holds the page to them. Figures are the pack's: another
pack brings others ([configuration](configuration.md#policy-packs)).

A clock is missed when its instant has come and nothing stopped it at or before that instant,
judged by the facts' own times however late they arrive. A missed clock speaks a verdict: it stands;
is *withdrawn* when a stop in time becomes known later, or its instant is moved; is *overtaken* when
a stop comes after the instant. Both call off what the verdict had prepared.

CANCELLED stops every clock that has not run out. One that had stays missed and its verdict stands,
for a cancellation does not undo what was late; what it had prepared is called off.

A clock whose clause says `force_majeure` stands still during [incidents](incidents.md) that are
about its order.

Times without an offset from UTC, and those more than 15 minutes ahead of their receipt, may stop a
clock and never prove one missed.
"""


def rules_page() -> str:
    """The page as it should be."""
    pack = load(DEFAULT)

    def section(rule: Rule) -> Iterator[str]:
        clause = pack.clauses.get(rule.name)
        without = deadlines.CITED if rule is deadlines.RULE else OWN_FIELDS
        if rule.name in rule_names() and rule_needs(rule.name):
            without = NO_CLAUSE.format(pack=pack.name)
        about, kind = rule.about, "finding" if rule.finding else "clock"
        yield f"## {rule.name}\n"
        yield f"> {clause.clause if clause else without}\n"
        yield "| | |\n|---|---|"
        rows = {
            f"{kind} of": about.orders,
            "starts": about.starts,
            "due": about.due,
            "stopped by": about.stops,
            "then": about.then,
        }
        figures = {name: getattr(clause, name, f"`{name}`") for name in Clause.model_fields}
        figures["length"] = clause.length.words() if clause and clause.spans else "its length"
        for name, text in rows.items():
            yield f"| {name} | {text.format(**figures)} |"
        yield ""

    told = [rule for rule in RULES if rule is not deadlines.DEEMING]  # told with its twin
    sections = "\n".join(line for rule in told for line in section(rule))
    return f"{HEAD.format(pack=pack.name)}\n{sections}"


def write(page: Path = PAGE) -> bool:
    """Write the page; whether it has changed."""
    text = rules_page()
    changed = not page.exists() or page.read_text("utf-8") != text
    page.write_text(text, "utf-8")
    return changed
