"""Packs: deadlines as data, and what is refused as one."""

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shipclock.rules import RULES, packs
from shipclock.rules.calendar import Span
from shipclock.rules.figures import ACCEPTED
from shipclock.rules.packs import DEFAULT, PolicyError, UnknownPack, load, parse_pack, policy_for
from shipclock.rules.policy import Pack, Policy

GOOD = """
name = "tried"
title = "Tried"
markets = ["MY", "SG"]
from = 2026-01-01
until = 2026-07-01
ship_on = "scan"

[clauses.untracked]
clause = "section 1"
source = "a page"
dated = 2026-01-01
confidence = "official"
hours = 240
"""

DEADLINE = """
[deadlines.dispatch]
clause = "in transit within two working days"
source = "a page"
dated = "2026-01"
confidence = "official"
starts = "created"
working_days = 2
by = 23:59:59
stops = "in_transit"
line = "metric"
"""

CALENDAR = '[calendar]\ncountry = "MY"\n'
NAMES = packs.names()
LAYER = Path(packs.__file__).parents[2]


def test_the_default_pack_is_the_guides() -> None:
    pack = load(DEFAULT)
    figures = {name: clause.hours or clause.attempts for name, clause in pack.clauses.items()}
    assert figures == {
        "status_update": 120,
        "collected_to_shipped": 48,
        "two_failed_attempts": 2,
        "not_acknowledged": 12 * 24,
        "untracked": 15 * 24,
        "delivery_period": None,
        "abnormal_delivery": None,
        "delivered_unproven": None,
        "carrier_mismatch": None,
    }
    assert not pack.deadlines
    untracked = pack.clauses["untracked"]
    assert untracked.first_reminder_hours == 120
    assert untracked.reminder_at == dt.time(9, 0)
    assert untracked.final_warning_hours == 24


def test_the_packs_that_ship() -> None:
    assert set(NAMES) == {
        "guide-2023",
        "us-2026",
        "uk-2025",
        "eu-2025",
        "th-2025",
        "vn-2024",
        "id-2025",
        "crossborder",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_of_a_pack_cites_what_it_rests_on(name: str) -> None:
    pack = load(name)
    cited = [
        *pack.clauses.values(),
        *pack.deadlines.values(),
        *pack.signals.values(),
        *pack.extensions,
    ]
    assert cited
    for one in cited:
        assert one.clause.strip()
        assert one.source.strip()
        assert one.dated
        assert one.confidence


@pytest.mark.parametrize("name", NAMES)
def test_a_line_at_which_the_marketplace_cancels_is_hard_and_no_other_is(name: str) -> None:
    for deadline in load(name).deadlines.values():
        assert (deadline.line == "hard") == ("cancelled where" in deadline.clause.lower())


@pytest.mark.parametrize("name", NAMES)
def test_a_line_from_which_on_measures_are_taken_is_crossed_on_it(name: str) -> None:
    for signal in load(name).signals.values():
        strict = re.search(r"from \d+ % on|below|under", signal.clause) is not None
        assert (signal.below is not None) == strict


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"crossborder"}))  # blogs tell of both
def test_a_line_for_a_figure_of_the_shop_cites_the_page_of_that_figure(name: str) -> None:
    pack = load(name)
    elsewhere = {one.source for one in (*pack.clauses.values(), *pack.deadlines.values())}
    sources = [signal.source for signal in pack.signals.values()]
    assert not elsewhere & {*sources}
    assert len(sources) == len({*sources})


@pytest.mark.parametrize("name", NAMES)
def test_every_clause_of_a_pack_belongs_to_a_rule(name: str) -> None:
    assert set(load(name).clauses) <= {rule.name for rule in RULES}


@pytest.mark.parametrize("name", sorted(set(NAMES) - {DEFAULT}))
def test_a_market_takes_over_no_figure_that_it_does_not_cite_itself(name: str) -> None:
    guide = load(DEFAULT)
    own = load(name)
    taken = {key for key, clause in own.clauses.items() if clause == guide.clauses.get(key)}
    figures = {key for key in taken if guide.clauses[key].spans or guide.clauses[key].attempts}
    # what blogs tell of cross-border sellers is what the guide tells of collections
    assert figures == ({"collected_to_shipped"} if name == "crossborder" else set())


def test_a_pack_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(PolicyError, match=r"no pack 'nowhere'; there are: .*guide-2023"):
        load("nowhere")


def test_a_good_pack_is_read() -> None:
    pack = parse_pack(GOOD + CALENDAR + DEADLINE, "tried")
    assert pack.clauses["untracked"].hours == 240
    assert pack.deadlines["dispatch"].dated == "2026-01"


@pytest.mark.parametrize(
    ("wrong", "right", "line", "told"),
    [
        ("hours = 240", "hours = 0", 14, "clauses.untracked.hours: 0 is given; accepted: a whole"),
        ("hours = 240", "hours = -5", 14, "clauses.untracked.hours: -5 is given"),
        ("hours = 240", "hours = 999999", 14, "clauses.untracked.hours: 999999 is given"),
        ("hours = 240", 'hours = "soon"', 14, "clauses.untracked.hours: 'soon' is given"),
        ("hours = 240", "hours = 1.5", 14, "clauses.untracked.hours: 1.5 is given"),
        ("hours = 240", "hours = nan", 14, "clauses.untracked.hours: nan is given"),
        ("hours = 240", "hours = true", 14, "clauses.untracked.hours: True is given"),
        ("hours = 240", "minutes = 240", 14, "clauses.untracked.minutes: there is no such key"),
        ("hours = 240", "", 9, "clauses.untracked.hours: is missing, or calendar_days, or work"),
        ("hours = 240", "attempts = 2", 9, "clauses.untracked.hours: is missing, or calendar_days"),
        ("hours = 240", "hours = 240\nattempts = 0", 15, "clauses.untracked.attempts: 0 is given"),
        ("hours = 240", "hours = 240\ncalendar_days = 3", 9, "only one of hours, calendar_days"),
        ("hours = 240", "hours = 240\nby = 09:00:00", 9, "cut_off and by go with"),
        ("hours = 240", "calendar_days = 0", 9, "0 days need a cut_off"),
        ("hours = 240", "calendar_days = 0\nby = 09:00:00", 9, "0 days need a cut_off"),
        (
            "hours = 240",
            "calendar_days = 0\nby = 09:00:00\ncut_off = 09:00:01",
            9,
            "0 days need a cut_off",
        ),
        ("hours = 240", 'calendar_days = 1\nzone = "Mars/Base"', 15, "'Mars/Base' is given; acce"),
        ("hours = 240", 'calendar_days = 1\nzone = "localtime"', 15, "'localtime' is given; acce"),
        ("hours = 240", 'calendar_days = 1\nzone = "Factory"', 15, "'Factory' is given; accep"),
        ("hours = 240", 'calendar_days = 1\nzone = "Europe"', 15, "an IANA time zone such as Asia"),
        ("hours = 240", "working_days = 2", 1, "calendar is missing: a table [calendar] says"),
        ("hours = 240", "calendar_days = 367", 14, "accepted: a whole number from 0 to 366"),
        ("[clauses.untracked]", "[clauses.two_failed_attempts]", 9, "attempts: is missing"),
        *(
            ("[clauses.untracked]", f"[clauses.{name}]", 9, f"no rule is called {name}; there are")
            for name in ("policy", "rule", "__init__", "calendar", "packs", "deadlines")
        ),
        ("hours = 240", 'hours = 240\nshipping = ["SELLER"]', 15, "the rule itself says of which"),
        ('clause = "section 1"', "", 9, "clauses.untracked.clause: is missing"),
        ('clause = "section 1"', 'clause = ""', 10, "clauses.untracked.clause: '' is given"),
        ('source = "a page"', "", 9, "clauses.untracked.source: is missing"),
        ("dated = 2026-01-01", 'dated = "lately"', 12, "'lately' is given; accepted: a day, month"),
        ('"official"', '"sure"', 13, "accepted: official, reported, conflicting, unconfirmed"),
        ("hours = 240", "hours = 240\nreminder_at = 9", 15, "clauses.untracked.reminder_at: 9 is"),
        ('ship_on = "scan"', 'ship_on = "hope"', 7, "ship_on: 'hope' is given; accepted: 'scan'"),
        ('ship_on = "scan"', "", 1, "ship_on: is missing; accepted: 'scan'"),
        ("from = 2026-01-01", 'from = "new year"', 5, "from: 'new year' is given; accepted: a day"),
        ("from = 2026-01-01", "", 1, "from: is missing"),
        ("until = 2026-07-01", "until = 2026-01-01", 6, "until: comes before the first day"),
        ('markets = ["MY", "SG"]', 'markets = "MY"', 4, "markets: 'MY' is given; accepted: a list"),
        ('name = "tried"', "", 1, "name: is missing"),
        ('name = "tried"', 'name = "other"', 2, "name: is not the file's name, 'tried'"),
        ('name = "tried"', 'name = "tried"\nnmae = "typo"', 3, "nmae: there is no such key"),
        ('name = "tried"', 'name = "tried"\nzone = "Nowhere"', 3, "zone: 'Nowhere' is given"),
    ],
)
def test_a_bad_pack_is_refused_naming_file_line_key_and_what_is_accepted(
    wrong: str, right: str, line: int, told: str
) -> None:
    assert wrong in GOOD
    with pytest.raises(PolicyError) as refused:
        parse_pack(GOOD.replace(wrong, right), "tried")
    assert str(refused.value).startswith("tried.toml: line ")
    (slip,) = (slip for slip in refused.value.slips if told in slip)
    assert slip.startswith(f"line {line}: ")


@pytest.mark.parametrize(
    ("table", "key", "near"),
    [
        ("", "markts", "markets"),
        ("", "untill", "until"),
        ("", "form", "from"),  # as it is written, not as the code calls it
        ("", "confidense", "confidence"),
        ("clauses.untracked", "huors", "hours"),
        ("clauses.untracked", "Attempts", "attempts"),
        ("deadlines.dispatch", "warn_hour", "warn_hours"),
        ("extensions.0", "not_bfore", "not_before"),
        ("signals.late_dispatch", "atmost", "at_most"),
        ("calendar", "weekends", "weekend"),
        ("calendar.closed.0", "whyy", "why"),
        ("calendar.worked.0", "form", "from"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_of_its_own_table(
    table: str, key: str, near: str
) -> None:
    heads = {
        "clauses.untracked": "",  # where the good pack ends
        "extensions.0": "[[extensions]]",
        "calendar.closed.0": "[[calendar.closed]]",
        "calendar.worked.0": "[[calendar.worked]]",
    }
    line = f"{key} = 1\n"
    text = f"{GOOD}{heads.get(table, f'[{table}]')}\n{line}" if table else f"{line}{GOOD}"
    with pytest.raises(PolicyError) as refused:
        parse_pack(text, "tried")
    told = f"{table}.{key}" if table else key
    (slip,) = (slip for slip in refused.value.slips if "no such key" in slip and key in slip)
    assert slip.partition(": ")[2] == f"{told}: there is no such key; did you mean '{near}'?"


TABLES = [(), *((kind, "x") for kind in packs.TABLES), *((*where, 0) for where in packs.DATES)]


@pytest.mark.parametrize("where", TABLES)
def test_of_every_key_of_every_table_is_known_what_it_accepts(where: tuple[str, ...]) -> None:
    assert packs.keys_at(where)
    assert set(packs.keys_at(where)) <= ACCEPTED.keys()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("shipping = 3", "shipping: 3 is given; accepted: a list of shipping types"),
        ("order_types = [3]", "order_types.0: 3 is given; accepted: a list of order types"),
        (
            "replaced_by = 3",
            "replaced_by: 3 is given; accepted: a list of the order's own",
        ),
    ],
)
def test_a_wrong_list_is_told_with_what_it_accepts(line: str, told: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(told)):
        parse_pack(GOOD + CALENDAR + DEADLINE + line, "tried")


FULL = """\
name = "tried"
title = "Tried"
markets = ["MY"]
from = 2026-01-01
ship_on = "scan"
source = "a page"
dated = "2026"
confidence = "official"

[clauses.delivery_period]
clause = "delivered"

[clauses.untracked]
clause = "tracked"
hours = 240

[deadlines.first]
clause = "in transit"
starts = "created"
hours = 48
stops = "in_transit"
line = "metric"

[deadlines.second]
clause = "delivered"
starts = "created"
hours = 96
stops = "delivered"
line = "metric"
replaced_by = ["delivery_sla_time", "delivery_due_time"]

[signals.late_dispatch]
clause = "a line"
at_most = 4.0

[signals.valid_tracking]
clause = "another"
at_least = 95.0

[[extensions]]
from = 2026-02-14
to = 2026-02-20
clocks = ["first", "untracked"]
clause = "new year"
hours = 5
"""


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "[clauses.untracked]",
            "[clauses.untraked]",
            ["clauses.untraked: no rule is called untraked; there are ", "mean 'untracked'?"],
        ),
        ("hours = 240", "", ["clauses.untracked.hours: is missing, or calendar_days, or worki"]),
        (
            '"delivery_due_time"',
            '"delivry_due_time"',
            ["deadlines.second.replaced_by.1: delivry_due_time is no field; there are ", "mean 'd"],
        ),
        ("[deadlines.second]", "[deadlines.2]", ["deadlines.2: '2' is no name: 2 to 40 of a-z"]),
        (
            "[signals.valid_tracking]",
            "[signals.valid_trackin]",
            [
                "signals.valid_trackin: no signal is called valid_trackin; ",
                "mean 'valid_tracking'?",
            ],
        ),
        (
            '["first", "untracked"]',
            '["fist", "untracked"]',
            ["extensions.0.clocks.0: no clock of this pack is called fist; ", "mean 'first'?"],
        ),
        (
            '["first", "untracked"]',
            '["first", "delivery_period"]',
            ["extensions.0.clocks.1: delivery_period has no length: no extension moves what the"],
        ),
        (
            'confidence = "official"',
            'confidence = "offical"',
            ["confidence: 'offical' is given; accepted: official, reported, conflicting, unconf"],
        ),
        ('source = "a page"', "source = 3", ["source: 3 is given; accepted: a text"]),
        (
            'dated = "2026"',
            'dated = "lately"',
            ["dated: 'lately' is given; accepted: a day, month"],
        ),
        ('["first", "untracked"]', "[5]", ["extensions.0.clocks.0: 5 is given; accepted: a list"]),
    ],
)
def test_what_is_wrong_is_told_once_and_at_its_own_line(
    right: str, wrong: str, told: list[str]
) -> None:
    assert FULL.count(right) == 1
    line = FULL[: FULL.index(right)].count("\n") + 1
    if not wrong:  # where a key is missing, its table is named
        line = FULL[: FULL.index("[clauses.untracked]")].count("\n") + 1
    text = FULL.replace(right, wrong)
    if "untraked" in wrong:
        text = text.replace('"untracked"]', '"first"]')
    with pytest.raises(PolicyError) as refused:
        parse_pack(text, "tried")
    (slip,) = refused.value.slips
    assert slip.startswith(f"line {line}: {told[0]}")
    assert all(part in slip for part in told)


def test_what_a_pack_cites_once_is_looked_at_though_no_part_of_it_follows() -> None:
    text = CHILD.replace('extends = "tried"', 'extends = "tried"\nconfidence = "offical"')
    with pytest.raises(PolicyError) as refused:
        extending(text)
    (slip,) = refused.value.slips
    assert slip.startswith("line 7: confidence: 'offical' is given; accepted: official, ")


def test_wrong_names_and_wrong_figures_are_told_together() -> None:
    text = FULL.replace("signals.late", "signals.lat").replace("hours = 96", "hours = 0")
    with pytest.raises(PolicyError) as refused:
        parse_pack(text.replace('"scan"', '"hope"'), "tried")
    assert [slip.split(": ")[1] for slip in refused.value.slips] == [
        "ship_on",
        "deadlines.second.hours",
        "signals.lat_dispatch",
    ]


@pytest.mark.parametrize("end", ["", "\n\n\n"])
@pytest.mark.parametrize("start", ['clocks = ["first",', 'clause = """new'])
def test_what_is_cut_short_is_told_where_it_ends(start: str, end: str) -> None:
    text = FULL.partition("clocks = ")[0] + start + end
    with pytest.raises(PolicyError, match=r"^tried\.toml: line 43: is no TOML: "):
        parse_pack(text, "tried")


@pytest.mark.parametrize(
    "wrong",
    ["hours = 0x" + "f" * 5000, "hours" + ".a" * 3000 + " = 5", 'hours = "' + "x" * 5000 + '"'],
)
def test_a_value_without_end_is_told_in_short(wrong: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_pack(GOOD.replace("hours = 240", wrong), "tried")
    (slip,) = refused.value.slips
    assert "clauses.untracked.hours: " in slip
    assert " is given; accepted: a whole number" in slip
    assert len(slip) < 250


def test_a_key_that_is_near_no_other_is_told_alone() -> None:
    with pytest.raises(PolicyError, match=r"line 1: xyzzy: there is no such key$"):
        parse_pack(f"xyzzy = 1\n{GOOD}", "tried")


def test_a_pack_that_is_not_there_says_so_as_any_other_slip() -> None:
    with pytest.raises(UnknownPack) as refused:
        load("nowhere")
    assert refused.value.name == "nowhere"
    assert refused.value.slips == (str(refused.value),)


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('starts = "created"', 'starts = "soon"', "accepted: placed, created, paid, released"),
        (
            'stops = "in_transit"',
            'stops = "never"',
            "accepted: ready_to_ship, in_transit, first_sc",
        ),
        ('line = "metric"', 'line = "soft"', "line: 'soft' is given; accepted: metric, hard"),
        ('line = "metric"', 'line = "metric"\nthen = "cry"', "accepted: alert, deem_delayed"),
        ("working_days = 2\nby = 23:59:59", "", "one of hours, calendar_days and working_days is"),
        ('line = "metric"', 'line = "metric"\nreplaced_by = ["rts"]', "rts is no field; there are"),
        (
            'line = "metric"',
            'line = "metric"\nwarn_hours = [0]',
            "accepted: a list of whole numbers",
        ),
        ("[deadlines.dispatch]", "[deadlines.untracked]", "untracked is another clock's name"),
        ("[deadlines.dispatch]", "[deadlines.tts_sla_time]", "tts_sla_time is another clock's"),
        ("[deadlines.dispatch]", "[deadlines.Dispatch]", "'Dispatch' is no name: 2 to 40 of a-z"),
    ],
)
def test_a_bad_deadline_is_refused(wrong: str, right: str, told: str) -> None:
    assert wrong in DEADLINE
    with pytest.raises(PolicyError, match=re.escape(told)):
        parse_pack(GOOD + CALENDAR + DEADLINE.replace(wrong, right), "tried")


@pytest.mark.parametrize(
    ("calendar", "told"),
    [
        ('country = "Utopia"', "no such country or subdivision: ISO 3166"),
        ('country = "US"\nsubdivision = "ZZ"', "no such country or subdivision"),
        ('subdivision = "CA"', "subdivision goes with country alone"),
        (
            'country = "US"\nclosed = [{from = 2026-01-01, to = 2026-12-31}]',
            "there is no working day in the year before",
        ),
        ('weekend = ["sun"]', "accepted: a list of monday, tuesday"),
        (
            'weekend = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", '
            '"sunday"]',
            "no day of the week would be left",
        ),
        ("closed = [{from = 2026-01-02, to = 2026-01-01}]", "the last day comes before the first"),
        (
            "closed = [{from = 2026-01-01, to = 2027-01-31}]",
            "there is no working day in the year before",
        ),
        (
            "closed = [{from = 2026-01-02, to = 2026-01-05}]\n"
            "worked = [{from = 2026-01-05, to = 2026-01-06}]",
            "2026-01-02 to 2026-01-05 is closed, and worked in part",
        ),
        ("closed = [{from = 2026-01-02}]", "calendar.closed.0.to: is missing; accepted: a day"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(calendar: str, told: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(told)):
        parse_pack(f"{GOOD}[calendar]\n{calendar}\n", "tried")


CLOSED_AT_THE_END = "[calendar]\nclosed = [{from = 9999-12-31, to = 9999-12-31}]\n\n"
EXTENSION = """
[[extensions]]
from = 2026-02-14
to = 2026-02-20
clocks = ["untracked"]
clause = "New Year"
source = "an announcement"
dated = 2026-02-01
confidence = "official"
calendar_days = 3
"""


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('["untracked"]', '["untraked"]', "no clock of this pack is called untraked; there are"),
        ('["untracked"]', "[]", "accepted: a list of the names"),
        ("calendar_days = 3", "", "exactly one of hours, calendar_days, working_days and not_bef"),
        ("calendar_days = 3", "hours = 3\ncalendar_days = 3", "exactly one of hours"),
        ("calendar_days = 3", "not_before = 2026-02-24T10:00:00Z", "a local time, without an off"),
        ("calendar_days = 3", "calendar_days = 0", "extensions.0.calendar_days: 0 is given"),
        ("calendar_days = 3", "working_days = 3", "calendar is missing"),
        ("to = 2026-02-20", "to = 2026-02-13", "the last day comes before the first"),
    ],
)
def test_an_extension_that_cannot_be_is_refused(wrong: str, right: str, told: str) -> None:
    assert wrong in EXTENSION
    with pytest.raises(PolicyError, match=re.escape(told)):
        parse_pack(GOOD + EXTENSION.replace(wrong, right), "tried")


@pytest.mark.parametrize(
    ("signal", "told"),
    [
        (
            "[signals.late_dispatch]\nat_most = 4.0\nat_least = 3.0",
            "exactly one of at_most, at_lea",
        ),
        (
            "[signals.late_dispatch]\nat_most = 4.0\nbelow = 4.0",
            "exactly one of at_most, at_least a",
        ),
        ("[signals.late_dispatch]", "exactly one of at_most, at_least and below"),
        ("[signals.late_dispatch]\nbelow = 0", "accepted: a number above 0, at most 100, in per"),
        ("[signals.late_dispatch]\nat_most = 101", "accepted: a number from 0 to 100, in percent"),
        ("[signals.lateness]\nat_most = 4", "no signal is called lateness; there are late_disp"),
    ],
)
def test_a_signal_that_cannot_be_is_refused(signal: str, told: str) -> None:
    cited = '\nclause = "a"\nsource = "b"\ndated = 2026\nconfidence = "official"\n'
    text = GOOD + signal + cited.replace("dated = 2026", 'dated = "2026"')
    with pytest.raises(PolicyError, match=re.escape(told)):
        parse_pack(text, "tried")


def test_every_wrong_key_is_named_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(PolicyError, match=r"line 7: ship_on: .*; line 14: clauses\.untracked\.h"):
        parse_pack(GOOD.replace('"scan"', '"hope"').replace("240", "0"), "tried")


@pytest.mark.parametrize("text", ["not toml at all [", "name = ", "a = 1\na = 2", "\x00"])
def test_what_is_no_toml_is_refused_naming_the_file(text: str) -> None:
    with pytest.raises(
        PolicyError, match=r"tried\.toml: (line \d+: )?is no TOML: .*\(at (line|end)"
    ):
        parse_pack(text, "tried")


def test_a_clause_no_rule_knows_is_refused_rather_than_left_out_in_silence() -> None:
    with pytest.raises(PolicyError, match="untraked"):
        parse_pack(GOOD.replace("clauses.untracked", "clauses.untraked"), "tried")


SIGNAL = """
[signals.late_dispatch]
clause = "a line"
source = "a page"
dated = 2026-01-01
confidence = "official"
at_most = 4.0
"""


@pytest.mark.parametrize(
    ("wrong", "right", "slip"),
    [
        (
            "hours = 240",
            "hours = 240\ncalendar_days = 3",
            "line 9: clauses.untracked: only one of hours, calendar_days and working_days may be "
            "given",
        ),
        (
            "hours = 240",
            "hours = 240\ncut_off = 09:00:00",
            "line 9: clauses.untracked: cut_off and by go with calendar_days or working_days alone",
        ),
        (
            "hours = 240",
            "working_days = 0",
            "line 9: clauses.untracked: 0 days need a cut_off and, at or after it, a time in by",
        ),
        (
            "hours = 240",
            "working_days = 2",
            "line 1: calendar is missing: a table [calendar] says what working days are",
        ),
        (
            "hours = 240",
            "minutes = 240\nhours = 240",
            "line 14: clauses.untracked.minutes: there is no such key",
        ),
        (
            "hours = 240",
            "hours = 0",
            "line 14: clauses.untracked.hours: 0 is given; accepted: a whole number from 1 to 8784",
        ),
        ("from = 2026-01-01", "", "line 1: from: is missing; accepted: a day such as 2026-01-26"),
        (
            'title = "Tried"',
            'title = "Tried"\nzone = "Nowhere"',
            "line 4: zone: 'Nowhere' is given; accepted: an IANA time zone such as Asia/Bangkok",
        ),
        (
            "until = 2026-07-01",
            "until = 2026-01-01",
            "line 6: until: comes before the first day; it is the day after the last",
        ),
        (
            'clocks = ["untracked"]',
            'clocks = ["untracked", "untraked"]',
            "line 19: extensions.0.clocks.1: no clock of this pack is called untraked; there are "
            "untracked; did you mean 'untracked'?",
        ),
        (
            "calendar_days = 3",
            "not_before = 2026-02-24T10:00:00Z",
            "line 16: extensions.0: not_before is a local time, without an offset",
        ),
        (
            "to = 2026-02-20",
            "to = 2026-02-13",
            "line 16: extensions.0: the last day comes before the first",
        ),
        (
            "calendar_days = 3",
            "calendar_days = 3\nhours = 1",
            "line 16: extensions.0: exactly one of hours, calendar_days, working_days and "
            "not_before is needed",
        ),
        (
            "at_most = 4.0",
            "",
            "line 26: signals.late_dispatch: exactly one of at_most, at_least and below is needed",
        ),
        (
            "[signals.late_dispatch]",
            "[signals.late]",
            "line 26: signals.late: no signal is called late; there are late_dispatch, "
            "valid_tracking, on_time_delivery, seller_cancellation",
        ),
    ],
)
def test_what_is_wrong_is_told_in_these_words_and_no_others(
    wrong: str, right: str, slip: str
) -> None:
    text = GOOD + EXTENSION + SIGNAL
    assert wrong in text
    with pytest.raises(PolicyError) as refused:
        parse_pack(text.replace(wrong, right, 1), "tried")
    assert refused.value.name == "tried"
    assert refused.value.slips == (slip,)
    assert str(refused.value) == f"tried.toml: {slip}"


def test_a_closure_that_ends_before_it_begins_is_told_where_it_stands() -> None:
    shut = "[calendar]\nclosed = [{from = 2026-01-02, to = 2026-01-01}]\n"
    with pytest.raises(PolicyError) as refused:
        parse_pack(GOOD + shut, "tried")
    (slip,) = refused.value.slips
    assert slip.endswith(": calendar.closed.0: the last day comes before the first")


def test_a_pack_that_is_not_there_is_told_with_all_that_are() -> None:
    with pytest.raises(UnknownPack) as refused:
        load("nowhere")
    assert str(refused.value) == f"there is no pack 'nowhere'; there are: {', '.join(NAMES)}"


# Packs over others

CHILD = """
name = "ours"
title = "Ours"
markets = ["MY"]
from = 2026-03-01
extends = "tried"
"""


CLAUSE = """
[clauses.status_update]
clause = "section 2"
source = "a page"
dated = 2026-01-01
confidence = "official"
hours = 100
"""


def extending(child: str, **parents: str) -> Pack:
    texts = {"tried": GOOD + EXTENSION, **parents}

    def others(name: str) -> str:
        if name not in texts:
            raise UnknownPack(name)
        return texts[name]

    return parse_pack(child, "ours", others)


def test_a_pack_takes_over_what_it_does_not_say_itself() -> None:
    pack = extending(CHILD)
    assert pack.clauses == parse_pack(GOOD, "tried").clauses
    assert pack.ship_on == "scan"
    assert len(pack.extensions) == 1
    assert (pack.since, pack.until) == (dt.date(2026, 3, 1), None)


def test_a_clause_is_replaced_whole_so_that_no_figure_stands_on_anothers_page() -> None:
    changed = CHILD + "[clauses.untracked]\nhours = 100\n"
    with pytest.raises(PolicyError, match=r"clauses\.untracked\.clause: is missing"):
        extending(changed)
    cited = 'source = "us"\ndated = "undated"\nconfidence = "unconfirmed"\n'
    pack = extending(CHILD + cited + '[clauses.untracked]\nclause = "ours"\nhours = 100\n')
    assert pack.clauses["untracked"].source == "us"
    assert pack.clauses["untracked"].hours == 100


def test_a_pack_may_leave_out_what_it_would_take_over_with_what_was_announced_for_it() -> None:
    pack = extending(CHILD + 'without = ["untracked"]\n')
    assert not pack.clauses
    assert not pack.extensions


def test_an_announcement_is_taken_over_for_the_clocks_that_are_left() -> None:
    two = GOOD + CLAUSE + EXTENSION.replace('["untracked"]', '["untracked", "status_update"]')
    (extension,) = extending(CHILD + 'without = ["status_update"]\n', tried=two).extensions
    assert extension.clocks == ("untracked",)
    assert extension.calendar_days == 3


def test_a_slip_in_an_announcement_of_ones_own_is_told_of_its_own_line() -> None:
    own = EXTENSION + EXTENSION.replace("calendar_days = 3", "hours = 0")
    text = CHILD + own
    line = text.splitlines().index("hours = 0") + 1
    with pytest.raises(PolicyError, match=f"line {line}: extensions.1.hours: 0 is given"):
        extending(text)


def test_a_clause_of_ones_own_counts_also_where_the_others_is_left_out() -> None:
    own = '[clauses.untracked]\nclause = "mine"\ncalendar_days = 10\nsource = "us"\n'
    cited = own + 'dated = 2026-01-01\nconfidence = "official"\n'
    text = CHILD.replace('extends = "tried"', 'extends = "tried"\nwithout = ["untracked"]')
    assert text != CHILD
    assert extending(text + cited).clauses["untracked"].calendar_days == 10


def slips(text: str) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as refused:
        parse_pack(text, "tried")
    return refused.value.slips


def test_a_misspelt_key_is_not_told_as_missing_too() -> None:
    text = GOOD.replace("hours = 240", "hourz = 240")
    assert slips(text) == (
        "line 14: clauses.untracked.hourz: there is no such key; did you mean 'hours'?",
    )


def test_a_key_is_missing_whatever_else_is_misspelt_elsewhere() -> None:
    text = GOOD.replace("hours = 240\n", "") + DEADLINE.replace("by =", "bye =") + CALENDAR
    told = slips(text)
    assert [slip.partition(": ")[2].partition(":")[0] for slip in told] == [
        "clauses.untracked.hours",
        "deadlines.dispatch.bye",
    ]
    assert told[0].endswith("is missing, or calendar_days, or working_days")


def test_what_is_left_out_and_is_not_there_is_told_with_the_nearest() -> None:
    text = CHILD.replace('extends = "tried"', 'extends = "tried"\nwithout = ["untrackd"]')
    with pytest.raises(
        PolicyError, match=r"'untrackd' is in no table of tried; did you mean 'untracked'"
    ):
        extending(text)


def test_without_goes_with_extends_alone() -> None:
    text = GOOD.replace('name = "tried"', 'name = "tried"\nwithout = ["untracked"]')
    with pytest.raises(
        PolicyError, match=r"^tried\.toml: line 3: without: goes with extends alone"
    ):
        parse_pack(text, "tried")


@pytest.mark.parametrize("parent", ["a/b", "../x", "a" * 300, ".", "a b"])
def test_what_can_be_no_packs_name_is_refused(parent: str) -> None:
    text = GOOD.replace('name = "tried"', f'name = "tried"\nextends = "{parent}"')
    with pytest.raises(
        PolicyError, match=r"^tried\.toml: line 3: extends: .* is no name of a pack"
    ):
        parse_pack(text, "tried")


@pytest.mark.parametrize("text", ["a = " + "9" * 5000, "x = " + "[" * 3000, "x = " + "{a=" * 3000])
def test_toml_without_end_is_refused_as_what_is_none(text: str) -> None:
    with pytest.raises(PolicyError, match="is no TOML"):
        parse_pack(text, "tried")


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("dated = 2026-01-01", 'dated = "2026-13"', "'2026-13' is given; accepted: a day, month"),
        ("dated = 2026-01-01", 'dated = "2026-02-30"', "is given; accepted: a day, month"),
        ("dated = 2026-01-01", 'dated = "0000"', "is given; accepted: a day, month"),
        ("dated = 2026-01-01", 'dated = "9999"', "is given; accepted: a day, month"),
        ("from = 2026-01-01", "from = 9999-12-31", "is given; accepted: a day such"),
        ("hours = 240", 'hours = 240\nforce_majeure = "off"', "accepted: true or false"),
        ("[clauses.untracked]", CLOSED_AT_THE_END + "[clauses.untracked]", "accepted: a day such"),
    ],
)
def test_what_is_no_day_and_no_yes_or_no_is_refused(wrong: str, right: str, told: str) -> None:
    assert wrong in GOOD
    with pytest.raises(PolicyError, match=re.escape(told)):
        parse_pack(GOOD.replace(wrong, right), "tried")


def test_what_is_no_toml_is_told_with_its_line() -> None:
    line = GOOD.splitlines().index("hours = 240") + 1
    with pytest.raises(PolicyError, match=rf"^tried\.toml: line {line}: is no TOML: "):
        parse_pack(GOOD.replace("hours = 240", "hours = two hundred"), "tried")


def test_a_deadline_called_like_a_key_is_told_as_any_other() -> None:
    text = GOOD + DEADLINE.replace("dispatch", "days").replace("working_days = 2\n", "")
    told = "deadlines.days: one of hours, calendar_days and working_days is needed"
    with pytest.raises(PolicyError) as refused:
        parse_pack(text.replace("by = 23:59:59\n", ""), "tried")
    assert any(slip.endswith(told) for slip in refused.value.slips)


@pytest.mark.parametrize("when", ["1969-12-31T23:59:59", "2200-01-01T00:00:00"])
def test_an_announcement_is_of_our_time(when: str) -> None:
    text = GOOD + EXTENSION.replace("calendar_days = 3", f"not_before = {when}")
    with pytest.raises(PolicyError, match=r"not_before: .* is given; accepted: a local time"):
        parse_pack(text, "tried")


@pytest.mark.parametrize("share", ["true", '"4"'])
def test_a_share_is_a_number(share: str) -> None:
    text = f'{GOOD}[signals.late_dispatch]\nclause = "so"\nat_most = {share}\n'
    with pytest.raises(PolicyError, match="accepted: a number from 0 to 100"):
        parse_pack(text, "tried")


def test_announcements_of_both_packs_count() -> None:
    own = EXTENSION.replace("calendar_days = 3", "hours = 5")
    added, taken = extending(CHILD + own).extensions
    assert (taken.calendar_days, added.hours) == (3, 5)


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("hours = 240", "hours = 0", "tried.toml: line 14: clauses.untracked.hours: 0 is given"),
        ('clocks = ["untracked"]\n', "", "tried.toml: line 16: extensions.0.clocks: is missing"),
        ('ship_on = "scan"', 'ship_on = "scan"\nsignals = 3', "tried.toml: line 8: signals: 3 is"),
        ('name = "tried"', 'name = "other"', "tried.toml: line 2: name: is not the file's name"),
    ],
)
def test_what_is_wrong_in_a_pack_that_is_extended_is_told_of_its_own_file(
    wrong: str, right: str, told: str
) -> None:
    assert wrong in GOOD + EXTENSION
    with pytest.raises(PolicyError, match=re.escape(told)):
        extending(CHILD, tried=(GOOD + EXTENSION).replace(wrong, right))


def test_a_deadline_is_taken_over_with_the_calendar_that_it_is_counted_by() -> None:
    pack = extending(CHILD, tried=GOOD + CALENDAR + DEADLINE)
    assert pack.deadlines["dispatch"].working_days == 2
    assert pack.calendar is not None


@pytest.mark.parametrize(
    ("child", "parents", "told"),
    [
        (CHILD.replace('"tried"', '"nowhere"'), {}, "line 6: extends: there is no pack 'nowhere'"),
        (CHILD.replace('"tried"', '"ours"'), {}, "line 6: extends: goes round in a circle"),
        (CHILD, {"tried": CHILD.replace('"tried"', '"ours"')}, "extends: goes round in a circle"),
        (
            CHILD + 'without = ["status_update"]',
            {},
            "line 7: without.0: 'status_update' is in no ta",
        ),
        (CHILD + "clauses = 3", {}, "line 7: clauses: 3 is given"),
        (CHILD + "extensions = 3", {}, "line 7: extensions: 3 is given"),
        (CHILD + "extends_ = 3", {}, "line 7: extends_: there is no such key"),
        (CHILD.replace('"tried"', "3"), {}, "line 6: extends: 3 is given"),
    ],
)
def test_what_cannot_be_extended_is_told(child: str, parents: dict[str, str], told: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(told)):
        extending(child, **parents)


# Which pack rules


@pytest.mark.parametrize(
    ("market", "day", "in_force"),
    [
        ("MY", dt.date(2025, 12, 31), False),
        ("MY", dt.date(2026, 1, 1), True),
        ("SG", dt.date(2026, 6, 30), True),
        ("MY", dt.date(2026, 7, 1), False),
        ("US", dt.date(2026, 3, 1), False),
    ],
)
def test_a_pack_rules_its_markets_from_its_first_day_to_the_day_before_its_last(
    market: str, day: dt.date, in_force: bool
) -> None:
    assert parse_pack(GOOD, "tried").in_force(market, day) is in_force


def test_a_pack_without_an_end_rules_for_good() -> None:
    pack = parse_pack(GOOD.replace("until = 2026-07-01\n", ""), "tried")
    assert pack.in_force("MY", dt.date(2099, 1, 1))


@pytest.mark.parametrize(
    ("market", "first", "name"),
    [
        ("US", dt.date(2026, 1, 26), "us-2026"),
        ("UK", dt.date(2025, 8, 25), "uk-2025"),
        ("GB", dt.date(2025, 8, 25), "uk-2025"),
        ("TH", dt.date(2025, 8, 1), "th-2025"),
        ("VN", dt.date(2024, 8, 26), "vn-2024"),
        ("ID", dt.date(2025, 8, 27), "id-2025"),
        *((market, dt.date(2025, 1, 1), "eu-2025") for market in ("IE", "ES", "IT", "DE", "FR")),
    ],
)
def test_an_order_keeps_the_pack_of_its_day(market: str, first: dt.date, name: str) -> None:
    before = policy_for(market, first - dt.timedelta(days=1), "UTC")
    assert before.pack.name == DEFAULT
    assert policy_for(market, first, "UTC").pack.name == name


@pytest.mark.parametrize("market", ["XX", "MY", "SG", "PH", "BR", "MX", "JP"])
def test_a_market_without_a_pack_of_its_own_is_ruled_by_the_default(market: str) -> None:
    policy = policy_for(market, dt.date(2026, 11, 1), "UTC")
    assert policy.pack.name == DEFAULT
    assert policy.set_by("untracked") == "guide-2023:untracked"


def test_of_two_packs_in_force_the_newer_one_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = (
        parse_pack(
            GOOD.replace("2026-01-01\nuntil", f"2026-0{month}-01\nuntil").replace(
                '"tried"', f'"p{month}"'
            ),
            f"p{month}",
        )
        for month in (1, 3)
    )
    known = {"p1": older, "p3": newer, DEFAULT: load(DEFAULT)}
    monkeypatch.setattr(packs, "names", lambda: tuple(known))
    monkeypatch.setattr(packs, "load", known.__getitem__)
    monkeypatch.setattr(packs, "reach", known.__getitem__)
    in_force: Callable[..., Policy] = policy_for.__wrapped__

    def on(month: int) -> Policy:
        return in_force("MY", dt.date(2026, month, 15), "UTC")

    assert on(2).pack is older
    assert on(3).pack is newer
    assert on(8).pack is known[DEFAULT]


def test_a_shop_may_choose_a_pack_for_its_orders_wherever_and_whenever_they_were_placed() -> None:
    chosen = policy_for("US", dt.date(1999, 1, 1), "America/New_York", "guide-2023")
    assert (chosen.pack, chosen.zone) == (load("guide-2023"), ZoneInfo("America/New_York"))
    with pytest.raises(PolicyError, match="no pack 'guide-1923'"):
        policy_for("US", dt.date(2026, 1, 1), "America/New_York", "guide-1923")


def test_a_pack_for_several_markets_counts_by_each_ones_own_holidays() -> None:
    day = dt.date(2026, 11, 2)
    assert policy_for("IE", day, "Europe/Dublin").working.country == "IE"
    assert policy_for("DE", day, "Europe/Berlin").working.country == "DE"


COLD = """
import datetime as dt, sys
from shipclock.rules.packs import policy_for
policy_for({market!r}, dt.date(2026, 11, 2), "UTC")
print("holidays" in sys.modules)
"""


@pytest.mark.parametrize(("market", "needed"), [("MY", "False"), ("ID", "False"), ("TH", "True")])
def test_a_cold_start_waits_for_no_calendar_of_another_market(market: str, needed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COLD.format(market=market)],
        env={"PYTHONPATH": str(LAYER)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == needed


def test_a_pack_that_is_not_in_force_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = CHILD.replace('"MY"', '"US"') + "[clauses.untracked]\nhours = 0\n"
    texts = {"ours": broken, "tried": GOOD, DEFAULT: packs.text_of(DEFAULT)}
    monkeypatch.setattr(packs, "names", lambda: tuple(texts))
    monkeypatch.setattr(packs, "text_of", texts.__getitem__)
    monkeypatch.setattr(packs, "reach", packs.reach.__wrapped__)
    monkeypatch.setattr(packs, "load", packs.load.__wrapped__)
    in_force: Callable[..., Policy] = policy_for.__wrapped__
    assert in_force("MY", dt.date(2026, 11, 2), "UTC").pack.name == DEFAULT
    with pytest.raises(PolicyError, match=r"ours\.toml: line"):
        in_force("US", dt.date(2026, 11, 2), "UTC")


# What is told of a pack that extends others names the file that is wrong


@pytest.mark.parametrize(
    ("child", "told"),
    [
        (CHILD.replace('"tried"', '"nowhere"'), "ours.toml: line 6: extends: there is no pack"),
        (
            CHILD.replace('"tried"', '"ours"'),
            "ours.toml: line 6: extends: goes round in a circle: ours extends ours",
        ),
        (CHILD + 'without = ["status_update"]', "ours.toml: line 7: without.0: 'status_update' is"),
    ],
)
def test_what_is_wrong_with_the_extending_is_told_of_the_file(child: str, told: str) -> None:
    with pytest.raises(PolicyError, match=f"^{re.escape(told)}"):
        extending(child)


def generations(count: int) -> dict[str, str]:
    """Packs that extend one another in a row, up to `tried`."""
    names = [*(f"p{number}" for number in range(count)), "tried"]
    made = {}
    for name, parent in pairwise(names):
        made[name] = CHILD.replace('"ours"', f'"{name}"').replace('"tried"', f'"{parent}"')
    return made


def test_eight_packs_may_extend_one_another_in_a_row_and_no_more() -> None:
    child = CHILD.replace('"tried"', '"p0"')
    assert extending(child, **generations(packs.DEEPEST - 1)).clauses
    with pytest.raises(PolicyError, match="line 6: extends: more than 8 packs extend others in a"):
        extending(child, **generations(packs.DEEPEST))


def test_a_parents_own_parents_are_found_where_the_child_finds_its_own() -> None:
    assert extending(CHILD.replace('"tried"', '"p0"'), **generations(2)).clauses


def test_what_a_pack_cites_once_is_cited_by_its_extensions_too() -> None:
    cites = 'source = "a page"\ndated = "2026"\nconfidence = "official"\n'
    bare = EXTENSION.replace('source = "an announcement"\ndated = 2026-02-01\n', "")
    text = GOOD.replace("\n[clauses", f"{cites}\n[clauses") + bare
    (found,) = parse_pack(text, "tried").extensions
    assert (found.source, found.dated, found.confidence) == ("a page", "2026", "official")


SHUT = (Span(dt.date(2026, 11, 4), dt.date(2026, 11, 5)),)


@pytest.mark.parametrize("chosen", ["", "us-2026"])
def test_a_shops_own_closures_and_market_count_whoever_has_chosen_the_pack(chosen: str) -> None:
    day = dt.date(2026, 11, 2)
    shut = policy_for.__wrapped__("US", day, "America/New_York", chosen, SHUT)
    assert shut.working.closed == SHUT
    assert policy_for.__wrapped__("IE", day, "Europe/Dublin", "eu-2025").working.country == "IE"


def test_a_broken_head_of_a_pack_is_told_with_file_and_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packs, "text_of", lambda name: CHILD.replace("2026-03-01", '"soon"'))
    with pytest.raises(PolicyError, match=r"^ours\.toml: line 5: from: 'soon' is given"):
        packs.reach.__wrapped__("ours")
    monkeypatch.setattr(packs, "text_of", lambda name: "name = ")
    with pytest.raises(PolicyError, match=r"^ours\.toml: line 1: is no TOML"):
        packs.reach.__wrapped__("ours")


def test_the_same_day_may_end_with_its_cut_off() -> None:
    same = "calendar_days = 0\ncut_off = 14:00:00\nby = 14:00:00"
    pack = parse_pack(GOOD.replace("hours = 240", same), "tried")
    start = dt.datetime(2026, 3, 2, 13, 59, 59, tzinfo=dt.UTC)
    untracked = packs.as_policy(pack, "MY", "UTC")
    for late, day in ((0, 2), (1, 3)):
        begins = start + dt.timedelta(seconds=late)
        due = untracked.due("untracked", pack.clauses["untracked"], begins)
        assert due == dt.datetime(2026, 3, day, 14, 0, tzinfo=dt.UTC)


def test_an_announced_extension_is_for_the_clocks_that_it_names_alone() -> None:
    pack = parse_pack(GOOD + EXTENSION, "tried")
    judged_by, clause = packs.as_policy(pack, "MY", "UTC"), pack.clauses["untracked"]
    start = dt.datetime(2026, 2, 14, 8, 0, tzinfo=dt.UTC)
    assert judged_by.due("untracked", clause, start) == start + dt.timedelta(days=13)
    assert judged_by.due("status_update", clause, start) == start + dt.timedelta(days=10)
