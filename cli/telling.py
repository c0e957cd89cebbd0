"""Tells how the sixteen days went: a paragraph per order, the pushes, the counts. 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cli.play import Counts
from cli.story import Story

WIDTH = 80
TOLD = {
    "cancel": "to cancel, as was asked",
    "approve_cancellation": "yes to the buyer's wish",
    "reject_cancellation": "no to the buyer's wish",
    "create_return": "to refund, as was let out",
}
"""What a call tells that is about no tracking number."""

ENDS = {"standing": "", "overtaken": " (over by later news)", "withdrawn": " (taken back)"}


def sentence(story: Story, view: dict[str, Any], zone: ZoneInfo) -> str:
    """What happened to one order, which clocks ran out, what was pushed or why not."""
    return f"{story.name}: {story.told}. {' '.join(_parts(view, zone))}"


def _parts(view: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    for push in view["pushes"]:
        number, tries = push["tracking_number"], push["attempts"]
        if push["state"] == "done":
            again = f", {tries} tries" if tries > 1 else ""
            what = TOLD.get(push["call"], push["call"])
            said = f": {number} by {push['call']}" if number else f" {what}"
            yield f"Told the marketplace{said}{again}."
        else:
            yield f"{number or push['call']} {push['state'].replace('_', ' ')}: {push['reason']}."
    missed = [
        f"{v['rule']}{' ' + v['cause'] if v['cause'] else ''} on "
        f"{_short(v['due_at'], zone)}{ENDS[v['state']]}"
        for v in sorted(view["verdicts"], key=lambda v: (v["due_at"], v["rule"]))
    ]
    if missed:
        yield f"Verdicts: {'; '.join(missed)}."
    days = [reminder["local_day"] for reminder in view["reminders"]]
    if days:
        yield f"Reminded on {len(days)} days: {', '.join(map(_day, days))}."
    prepared = [p["kind"].replace("_", " ") for p in view["prepared"]]
    if prepared:
        yield f"Prepared: {', '.join(prepared)}."
    fetched = [n for n in view["notices"] if n["kind"] == "pickup"]
    if fetched:
        yield "Told when the carrier fetches it."
    if any(n["kind"] == "cancel_request" for n in view["notices"]):
        yield "Told to keep the parcel back."
    cancelled = view["cancellation"]
    why = ""
    if cancelled:
        reason = cancelled["meaning"] or cancelled["reason"]
        why = f" by {cancelled['by']}: {reason}"
    yield f"Ends {view['status']}{why}."


def _short(instant: str, zone: ZoneInfo) -> str:
    there = datetime.fromisoformat(instant).astimezone(UTC).astimezone(zone)
    return f"{there.day} {there:%b %H:%M}"


def _day(day: str) -> str:
    there = datetime.fromisoformat(day)
    return f"{there.day} {there:%b}"


def paragraph(mark: str, text: str) -> list[str]:
    """The text behind a mark of three letters, wrapped."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{mark:<4}", subsequent_indent=" " * 4, break_on_hyphens=False
    )


def pushes(rows: list[tuple[dict[str, Any], str]]) -> Iterator[str]:
    """The table of pushes, each with its order."""
    yield f"{'push':<21}{'number':<14}{'state':<13}{'tries':<7}order"
    for push, order_id in rows:
        yield (
            f"{push['call']:<21}{push['tracking_number'] or '':<14}{push['state']:<13}"
            f"{push['attempts']:<7}{order_id}"
        )


def counted(counts: Counts) -> list[str]:
    """What was sent and done in all."""
    report = counts.report
    return [
        f"{counts.webhooks} marketplace webhooks ({counts.lost} more were lost), "
        f"{counts.callbacks} carrier callbacks, {counts.sweeps} sweeps:",
        f"{report['settled']} orders settled, {report['fired']} verdicts and reminders,",
        f"calls that ended done: {report['pushed']}, that did not: {report['failed']}.",
    ]
