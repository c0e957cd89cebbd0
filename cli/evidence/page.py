"""The page of a pack: one HTML file that needs nothing else, runs nothing, and prints well."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape

from cli.evidence.case import Case, Picture
from cli.evidence.telling import STEP, known, moments, view, zone
from cli.evidence.zipped import FORMAT
from shipclock.domain.times import parse, stamp
from shipclock.views import OrderIncidentView, OrderView

STYLE = """\
body { font: 15px/1.45 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1b1b; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
th { font-weight: 600; } td.at { white-space: nowrap; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; font-size: 12px; background: #f6f6f6; padding: .8rem; }
code { font-size: 12px; } img { max-width: 24rem; max-height: 24rem; }
.note { color: #555; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } tr { break-inside: avoid; } }
"""

SHOWN = {".jpg": "image/jpeg", ".png": "image/png"}


def page(case: Case) -> bytes:
    """The page, told from the case alone."""
    told = view(case)
    parts = (
        _head(case, told),
        _clocks(case, told),
        _incidents(case, told),
        _verdicts(case, told),
        _pushes(told),
        _story(case),
        _deliveries(case),
        _pictures(case),
        _packs(case),
    )
    title = f"Order {escape(case.order_id)}: evidence"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n{''.join(parts)}</body>\n</html>\n"
    ).encode()


def _head(case: Case, told: OrderView) -> str:
    chained = (
        f"{case.anchor.links} links, {case.anchor.head}, since {stamp(since)}"
        if (since := case.chain.since)
        else "none: it was not settled since facts are chained"
    )
    facts = (
        ("Shop", told.shop_id),
        ("Status at the marketplace", told.status),
        ("Shipping", told.shipping_type or "not told"),
        ("As of", case.head["settled_at"]),
        ("Market and time zone", f"{case.shop.get('market', 'not known')}, {zone(case).key}"),
        ("Chain of facts", chained),
    )
    listed = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>\n" for a, b in facts)
    left_out = (
        "<p>Bodies of deliveries, pictures and messages to the buyer are left out; each fits the "
        "digest that stands for it here, and can be shown to whoever may see it.</p>\n"
        if case.redacted
        else ""
    )
    return (
        f'<p class="note">Made of the facts in this pack ({FORMAT}) and of nothing else. '
        "<code>shipclock evidence verify</code> tries whether all of it fits; README.txt says how "
        f"to do that without our software.</p>\n{left_out}<table>\n{listed}</table>\n"
    )


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A section with a table; its cells are HTML by now. Said too where there is nothing."""
    body = "".join(f"<tr>{''.join(row)}</tr>\n" for row in rows)
    if not body:
        return f'<h2>{escape(title)}</h2>\n<p class="note">None.</p>\n'
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    return f"<h2>{escape(title)}</h2>\n<table>\n<tr>{head}</tr>\n{body}</table>\n"


def _cell(text: object) -> str:
    return f"<td>{escape(str(text or ''))}</td>"


def _at(case: Case, at: datetime | None) -> str:
    """Two cells: an instant in UTC and in the shop's time."""
    if at is None:
        return "<td></td><td></td>"
    here = at.astimezone(zone(case))
    return f'<td class="at">{at.strftime(STEP)}</td><td class="at">{here.strftime(STEP)}</td>'


def _clocks(case: Case, told: OrderView) -> str:
    columns = ("Clock", "State", "Due (UTC)", f"Due ({zone(case).key})", "Set by", "Package")
    rows = (
        (
            *map(_cell, (clock.name, clock.state)),
            _at(case, clock.due_at),
            *map(_cell, (clock.set_by, clock.package_id or clock.tracking_number)),
        )
        for clock in told.clocks
    )
    return _table("Clocks", columns, rows)


def _incidents(case: Case, told: OrderView) -> str:
    here = zone(case).key
    columns = ("Incident", "The order is", "Reason", "From (UTC)", f"From ({here})")
    rows = (
        (
            *map(_cell, (one.incident_id, one.listed, one.reason)),
            _at(case, one.begins_at),
            _at(case, one.counts_until),
            _cell("; ".join(_moved(one))),
            _cell(" ".join(one.evidence)),
        )
        for one in told.incidents
    )
    more = ("Until (UTC)", f"Until ({here})", "Clocks that it moved", "Pages")
    return _table("Incidents that nobody is to blame for", (*columns, *more), rows)


def _moved(incident: OrderIncidentView) -> Iterator[str]:
    for clock in incident.clocks:
        if clock.due_at != clock.due_at_without:
            yield f"{clock.name}, else {stamp(clock.due_at_without)}"


def _verdicts(case: Case, told: OrderView) -> str:
    here = zone(case).key
    columns = ("Rule", "State", "Due (UTC)", f"Due ({here})", "Noticed (UTC)", f"Noticed ({here})")
    rows = (
        (
            *map(_cell, (verdict.rule, verdict.state)),
            _at(case, verdict.due_at),
            _at(case, verdict.noticed_at),
            *map(_cell, (verdict.clause, verdict.explanation)),
        )
        for verdict in told.verdicts
    )
    return _table("Verdicts", (*columns, "Clause", "What it says"), rows)


def _pushes(told: OrderView) -> str:
    columns = ("Call", "State", "Attempts", "Package", "Number", "What came of it")
    rows = (
        [
            _cell(text)
            for text in (
                *(push.call, push.state, push.attempts, push.package_id, push.tracking_number),
                " ".join(filter(None, (push.reason, push.advice))),
            )
        ]
        for push in told.pushes
    )
    return _table("What the marketplace was told", columns, rows)


def _story(case: Case) -> str:
    columns = ("UTC", zone(case).key, "What", "Who told of it", "Known since (UTC)", "Delivery")
    rows = (
        (
            _at(case, moment.at),
            *map(_cell, (moment.what, moment.by, known(moment.link), _numbered(moment.delivery))),
        )
        for moment in moments(case)
    )
    return _table("What happened, and since when it is known", columns, rows)


def _numbered(number: int) -> str:
    return f"{number:04}" if number else ""


def _deliveries(case: Case) -> str:
    columns = ("No.", "Received (UTC)", f"Received ({zone(case).key})", "Sender", "Body", "SHA-256")
    rows = (
        (
            _cell(_numbered(number)),
            _at(case, parse(one.received_at) if one.received_at else None),
            *map(_cell, (f"{one.source} {one.account}", one.state, one.sha256)),
            *map(_cell, (one.verification.get("why", EXPIRED), ", ".join(one.holds))),
        )
        for number, one in enumerate(case.deliveries, 1)
    )
    more = ("Proof of the sender", "Holds of the buyer")
    return _table("Deliveries that this rests on", (*columns, *more), rows)


EXPIRED = "Its time to be kept is over. Facts that came of it name its digest."


def _pictures(case: Case) -> str:
    return _table(
        "Pictures and proofs",
        ("What", "File", "SHA-256", ""),
        (
            (_cell(", ".join(_about(p))), _cell(p.file), _cell(p.about.get("sha256")), _shown(p))
            for p in case.pictures
        ),
    )


def _about(picture: Picture) -> list[str]:
    said = ("kind", "number", "package", "source", "state", "reason")
    return [picture.about[name] for name in said if picture.about.get(name)]


def _shown(picture: Picture) -> str:
    media_type = SHOWN.get(picture.file[-4:])
    if picture.data is None or media_type is None:
        return "<td></td>"
    data = base64.b64encode(picture.data).decode()
    return f'<td><img alt="" src="data:{media_type};base64,{data}"></td>'


def _packs(case: Case) -> str:
    shown = (
        f"<h2>Policy pack {escape(name)}</h2>\n<pre>{escape(text)}</pre>\n"
        for name, text in case.packs.items()
    )
    return "".join(shown)
