"""The keys of a mapping's file, each with what it may hold. Documented in docs/mappings.md."""

import re

from shipclock.domain.tracking import PROOFS
from shipclock.sources import MARKETPLACES, MODULES
from shipclock.sources.fields import kept
from shipclock.sources.mapped import auth, vocabulary
from shipclock.sources.mapped.report import Report, none_of, shown
from shipclock.sources.mapped.spec import LARGEST, USUAL, Parcel, Paths, Scanned, Spec, When
from shipclock.sources.mapped.tables import Table
from shipclock.sources.mapped.times import FORMS, Form, lossy

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
TAKEN = (*MARKETPLACES, *MODULES)
PRESENT = tuple(sorted(PROOFS - {"none"}))
LONGEST_ACK = 1000


def read(report: Report) -> Spec:
    """A mapping out of its file. What is wrong is told in the report; the mapping is of use only
    where nothing is."""
    top = Table(report, report.document)
    _name(top)
    form = top.choice("body", ("json", "form"), "json") == "form"
    parcel = top.table("parcel", "where the tracking number stands")
    scan = top.table("scan", "where code and time of a scan stand")
    code = scan.paths("code", "the JMESPath of the sender's code")
    words = vocabulary.words(top, fold=scan.flag("fold"), several=len(code) > 1)
    found = Spec(
        name=report.name,
        proof=auth.strategy(top.table("auth", "how the sender proves itself")),
        parcel=_parcel(parcel),
        scan=_scanned(scan, code, top),
        words=words,
        form=form,
        form_field=_form_field(top, form),
        limit=top.whole("limit", 1, LARGEST, USUAL),
        ack=top.text("ack", longest=LONGEST_ACK, lines=True).encode(),
        when=_when(top.table("when")),
    )
    top.close()
    return found


def _name(top: Table) -> None:
    name = top.report.name
    told = top.text("name", needed=f"the file's name, {name!r}")
    if told and told != name:
        top.wrong("name", f"{told!r} is not the file's name, {name!r}, as it must be")
    elif told and not NAME.fullmatch(told):
        top.wrong("name", f"{told!r} is no name: 2 to 40 of a-z, 0-9 and _ are expected")
    elif told in TAKEN:
        top.wrong("name", f"{told!r} is a source already; choose another name")


def _form_field(top: Table, form: bool) -> str:
    found = top.text("form_field")
    if found and not form:
        top.wrong("form_field", 'is of use with body = "form" alone')
    return found


def _when(table: Table) -> When | None:
    if not table.there:
        return None
    path = table.path("path", "the JMESPath of what is compared")
    values = table.texts("values", "the texts of which it must be one for a body to mean anything")
    table.close()
    return When(path, values)


def _parcel(table: Table) -> Parcel:
    found = Parcel(
        each=table.path("each"),
        number=table.path("number", "the JMESPath of the tracking number"),
        reference=table.path("reference"),
        carrier=kept(table.text("carrier")),
        carrier_path=table.path("carrier_path"),
    )
    table.close()
    return found


def _scanned(table: Table, code: Paths, top: Table) -> Scanned:
    time = table.table("time", "where the time of a scan stands, and how it is written")
    found = Scanned(
        each=table.path("each"),
        code=code,
        id=table.path("id"),
        time=time.paths("path", "the JMESPath of the time"),
        form=_form(time),
        offset=time.path("offset"),
        place=table.paths("place"),
        back=table.path("back"),
        reason=table.path("reason"),
        delivered_to=table.path("delivered_to"),
        proofs=_proofs(table.table("proof")),
    )
    _in_pairs(table, "reason", top, "reasons")
    _in_pairs(table, "delivered_to", top, "delivered_to")
    table.close()
    time.close()
    return found


def _form(time: Table) -> Form:
    written, zone = time.text("format", "iso"), time.zone("zone")
    if "%" in written:
        if why := lossy(written):
            time.wrong("format", f"{shown(written)} is of no use: {why}")
    elif written not in FORMS:
        time.wrong("format", none_of(written, [*FORMS, "a text as %Y-%m-%d %H:%M:%S"]))
    form = Form(written, zone)
    beside = [key for key in ("zone", "offset") if time.has(key)]
    if written in ("unix", "unix_ms"):
        for key in beside:
            time.wrong(key, f"is of no use: {written} counts from the same instant everywhere")
    elif form.local and not beside:
        time.report.warn(
            time.at("format"),
            "times of this form name no offset from UTC, and there is neither zone nor offset: "
            "they are read as UTC, and prove nothing missed",
        )
    return form


def _proofs(table: Table) -> tuple[tuple[str, str], ...]:
    """In the order they are written: the first that is there counts."""
    for key in PRESENT:
        table.may(key)
    found = [(key, table.path(key)) for key in PRESENT if table.has(key)]
    table.close()
    order = list(table.keys())
    return tuple(sorted(found, key=lambda each: order.index(each[0])))


def _in_pairs(table: Table, key: str, top: Table, words: str) -> None:
    """A path to a word, and the table that says what it means, are of use together alone."""
    if table.has(key) and not top.has(words):
        table.wrong(key, f"is of no use without a table [{words}] of what its words mean")
    if top.has(words) and not table.has(key):
        top.wrong(words, f"is of no use without scan.{key}, the JMESPath of the word")
