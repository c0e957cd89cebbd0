"""`shipclock policy`: packs looked over, shown, compared, tried on cases and recorded orders."""

import json
import re
import shutil
from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as entry
from cli import build, kept, operate, policy, policy_weigh, policy_whatif
from cli.policy_cases import Case, CaseFile, try_cases
from cli.policy_files import source_of
from cli.policy_lint import shortest, warnings
from shipclock import rows
from shipclock.connect import connect_shop
from shipclock.marketplaces.protocol import OrderRow, Shop
from shipclock.ports import Change
from shipclock.rules import packs
from shipclock.rules.names import PACKAGE, rule_needs
from shipclock.rules.packs import DEFAULT, PolicyError, parse_pack
from shipclock.settle import settle
from shipclock.snapshots import keep_snapshot
from shipclock.whatif import Difference, Fired
from tests.builders import OTHER_SHOP, REAL, SHOP, T0, after, deadline, facts, shop
from tests.fakes import MemoryStore
from tests.stage import TOKENS

CASES = sorted((Path(__file__).parent / "policies").glob("*.toml"))
SHIPPED = packs.names()
TODAY = datetime(2026, 11, 26, tzinfo=UTC)

MINE = """\
name = "mine"
title = "Ours"
markets = ["MY"]
from = 2026-01-01
extends = "guide-2023"
source = "a page"
dated = 2026-10-01
confidence = "official"
calendar = {country = "MY"}

[clauses.status_update]
clause = "shipped within three days"
hours = 72

[deadlines.dispatch]
clause = "in transit within two working days"
starts = "created"
working_days = 2
by = 23:59:59
stops = "in_transit"
line = "metric"
warn_hours = [12]
"""


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "real", lambda: TODAY)


def run(*words: object) -> Result:
    return CliRunner().invoke(entry.main, ["policy", *map(str, words)])


def written(folder: Path, text: str = MINE, name: str = "mine") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def warned(folder: Path, text: str, name: str = "mine") -> list[str]:
    """What lint tells of a pack that can be used, without the file's name."""
    file = written(folder, text, name)
    result = run("lint", file)
    assert result.exit_code == 0, result.output
    *lines, last = result.stdout.splitlines()
    assert ": can be used" in last
    return [line.removeprefix(f"{file}:") for line in lines]


# lint


def test_a_pack_without_a_flaw_has_nothing_to_tell(tmp_path: Path) -> None:
    assert warned(tmp_path, MINE) == []


def test_packs_that_ship_are_looked_over_by_themselves() -> None:
    result = run("lint")
    assert result.exit_code == 0
    assert ": error: " not in result.stdout
    assert result.stdout.count(": can be used") == len(packs.names())
    assert "us-2026.toml:31: warning: deadlines.tracking_added.confidence: conflicting" in (
        result.stdout
    )
    # what is written once is told once, where it is written
    assert result.stdout.count("guide-2023.toml:9: warning: dated: 2023 is 34 months ago") == 1


def test_every_wrong_line_is_told_with_its_file_line_key_and_what_is_accepted(
    tmp_path: Path,
) -> None:
    text = MINE.replace("hours = 72", "huors = 72").replace("by = 23:59:59", "by = 23")
    file = written(tmp_path, text.replace('line = "metric"', 'line = "soft"'))
    result = run("lint", file)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{file}:13: error: clauses.status_update.huors: there is no such key; did you mean "
        "'hours'?",
        f"{file}:19: error: deadlines.dispatch.by: 23 is given; accepted: a local time such as "
        "23:59:59",
        f"{file}:21: error: deadlines.dispatch.line: 'soft' is given; accepted: metric, hard",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("markts = []", "markts: there is no such key; did you mean 'markets'?"),
        ("datd = 2026", "datd: there is no such key; did you mean 'dated'?"),
        ("calendar.contry = 'MY'", "calendar.contry: there is no such key; did you mean 'country'"),
        ("calendar.closed = [{fro = 2026-01-01}]", "calendar.closed.0.fro: there is no such key"),
        ("[[extensions]]\nclocs = []", "extensions.0.clocs: there is no such key; did you mean 'c"),
        ("[signals.late_dispatch]\nat_mst = 4", "at_mst: there is no such key; did you mean 'at_m"),
        ("xyzzy = 1", "xyzzy: there is no such key"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest(tmp_path: Path, line: str, told: str) -> None:
    calendar = 'calendar = {country = "MY"}\n'
    assert calendar in MINE
    text = MINE.replace(calendar, "") + (line if line.startswith("[") else "")
    text = text if line.startswith("[") else f"{line}\n{text}"
    result = run("lint", written(tmp_path, text))
    assert result.exit_code == 1
    assert told in result.stdout


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (MINE.replace('title = "Ours"', "title = Ours"), "2", "is no TOML"),
        (MINE.replace("guide-2023", "guide"), "5", "extends: there is no pack 'guide'"),
        (MINE.replace('name = "mine"', 'name = "other"'), "1", "name: is not the file's name"),
        ("", "1", "name: is missing"),
    ],
)
def test_what_can_be_no_pack_is_told_as_well(
    tmp_path: Path, text: str, line: str, told: str
) -> None:
    file = written(tmp_path, text)
    result = run("lint", file)
    assert result.exit_code == 1
    assert f"{file}:{line}: error: " in result.stdout
    assert told in result.stdout


def test_marks_and_line_ends_of_other_editors_are_no_matter(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbf" + MINE.replace("\n", "\r\n").encode())
    assert f"{file}: can be used" in run("lint", file).stdout
    cases = tmp_path / "cases.toml"
    cases.write_bytes(b"\xef\xbb\xbf" + CASE.replace("\n", "\r\n").encode())
    assert run("test", cases).exit_code == 0


def test_one_wrong_file_does_not_hide_the_others(tmp_path: Path) -> None:
    good, bad = written(tmp_path), tmp_path / "bad.toml"
    bad.write_bytes(b"\xff")
    result = run("lint", bad, good)
    assert result.exit_code == 1
    assert f"{bad}:1: error: is no text in UTF-8" in result.stdout
    assert f"{good}: can be used" in result.stdout


def test_a_slip_in_the_pack_that_is_extended_is_told_as_that_ones(tmp_path: Path) -> None:
    written(tmp_path, "name = ", "base")
    file = written(tmp_path, MINE.replace("guide-2023", "base"))
    result = run("lint", file)
    assert result.exit_code == 1
    assert f"{file}:1: error: base.toml: line 1: is no TOML" in result.stdout


def test_a_file_beside_it_is_found_as_it_will_be_in_the_folder(tmp_path: Path) -> None:
    guide = packs.text_of(DEFAULT).replace('"guide-2023"', '"base"')
    written(tmp_path, guide.replace("attempts = 2", "attempts = 3"), "base")
    file = written(tmp_path, MINE.replace("guide-2023", "base"))
    assert source_of(str(file)).pack().clauses["two_failed_attempts"].attempts == 3
    assert {"base", "mine"} < source_of(str(file)).shelf().keys()


def changed(old: str, new: str, text: str = MINE) -> str:
    assert old in text
    return text.replace(old, new)


REMINDED = """
[clauses.untracked]
clause = "ten days"
hours = 240
"""

HARD = """
[deadlines.handed_over]
clause = "cancelled after one working day"
starts = "created"
working_days = 1
by = 23:59:59
stops = "in_transit"
line = "hard"
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (changed('"MY"]', '"MA"]'), ["3: warning: markets.0: 'MA' is no market; there are BR, DE"]),
        (
            changed("from = 2026-01-01", "from = 2026-01-01\nuntil = 2026-07-01"),
            ["5: warning: until: from 2026-07-01 on guide-2023 rules the orders of MY"],
        ),
        (
            changed('"MY"]\nfrom = 2026-01-01', '"TH"]\nfrom = 2025-01-01\nuntil = 2025-12-01'),
            ["5: warning: until: th-2025 takes over on 2025-08-01 already in TH"],
        ),
        (
            changed('"MY"]\nfrom = 2026-01-01', '"TH"]\nfrom = 2025-01-01\nuntil = 2025-07-01'),
            [
                "5: warning: until: from 2025-07-01 until 2025-08-01 guide-2023 rules the orders "
                "of TH"
            ],
        ),
        (changed('"MY"]\nfrom = 2026-01-01', '"TH"]\nfrom = 2025-01-01\nuntil = 2025-08-01'), []),
        (
            changed('"MY"]\nfrom = 2026-01-01', '"TH"]\nfrom = 2025-08-01'),
            ["4: warning: from: th-2025 begins on this day too in TH; th-2025 counts"],
        ),
        (
            changed('confidence = "official"', 'confidence = "conflicting"'),
            ["8: warning: confidence: conflicting: two sources disagree"],
        ),
        (
            changed("hours = 72", 'hours = 72\nconfidence = "unconfirmed"'),
            ["14: warning: clauses.status_update.confidence: unconfirmed: no page of today has it"],
        ),
        (
            changed("dated = 2026-10-01", 'dated = "undated"'),
            ["7: warning: dated: undated: nobody can tell whether it still holds"],
        ),
        (
            changed("dated = 2026-10-01", 'dated = "2025-03"'),
            ["7: warning: dated: 2025-03 is 19 months ago"],
        ),
        (changed("dated = 2026-10-01", 'dated = "2025-04"'), []),
        (changed("dated = 2026-10-01", 'dated = "2025"'), []),
        (
            changed("[12]", "[48, 12]"),
            ["22: warning: deadlines.dispatch.warn_hours.0: 48 h before is no later than the "],
        ),
        (changed("[12]", "[47]"), []),
        (MINE + REMINDED + "first_reminder_hours = 239\nreminder_at = 09:00:00\n", []),
        (
            MINE + REMINDED + "first_reminder_hours = 240\nreminder_at = 09:00:00\n",
            ["27: warning: clauses.untracked.first_reminder_hours: 240 h do not fit into 240 h"],
        ),
        (
            MINE + REMINDED + "final_warning_hours = 300\n",
            ["27: warning: clauses.untracked.final_warning_hours: 300 h before is no later"],
        ),
        (
            MINE
            + REMINDED.replace("hours = 240", "calendar_days = 1\nby = 23:59:59")
            + "first_reminder_hours = 30\nreminder_at = 09:00:00\n",
            ["28: warning: clauses.untracked.first_reminder_hours: 30 h may be more than it runs"],
        ),
        (
            MINE + HARD.replace('"in_transit"', '"first_scan"'),
            [],
        ),
        (
            changed('stops = "in_transit"', 'stops = "first_scan"') + HARD,
            ["15: warning: deadlines.dispatch: never reached: handed_over has the order cancelled"],
        ),
        (
            changed("warn_hours = [12]", 'shipping = ["SELER"]\norder_types = ["", "NORMEL"]'),
            [
                "22: warning: deadlines.dispatch.shipping.0: 'SELER' is no shipping type of orders",
                "23: warning: deadlines.dispatch.order_types.1: 'NORMEL' is no order type; there a",
            ],
        ),
        (changed("warn_hours = [12]", 'shipping = ["SELLER"]\norder_types = ["PRE_ORDER"]'), []),
        (
            MINE + REMINDED + "first_reminder_hours = 24\n",
            ["24: warning: clauses.untracked: reminders need both first_reminder_hours and"],
        ),
        (
            changed("hours = 72", "hours = 72\nattempts = 3"),
            ["14: warning: clauses.status_update.attempts: the rule status_update makes no use"],
        ),
        (
            changed("hours = 72", "hours = 72\nreminder_at = 09:00:00"),
            ["14: warning: clauses.status_update.reminder_at: the rule status_update makes no use"],
        ),
        (
            MINE + '\n[clauses.delivery_period]\nclause = "late"\nhours = 5\n',
            ["26: warning: clauses.delivery_period.hours: the rule delivery_period makes no use"],
        ),
        (
            MINE + HARD,
            ["15: warning: deadlines.dispatch: never reached: handed_over has the order cancelled"],
        ),
        (MINE + HARD.replace("working_days = 1", "working_days = 2"), []),
        (MINE + HARD.replace('"created"', '"paid"'), []),
        (MINE + HARD.replace('"in_transit"', '"ready_to_ship"'), []),
        (MINE + HARD.replace("working_days = 1", "hours = 1").replace("by = 23:59:59\n", ""), []),
        (MINE + HARD + 'shipping = ["SELLER"]\n', []),
        (MINE + HARD + 'replaced_by = ["collection_due_time"]\n', []),
        (
            changed('country = "MY"', 'country = "MY", subdivision = "10"')
            + '\n[[extensions]]\nfrom = 2026-02-01\nto = 2026-02-03\nclocks = ["dispatch"]\n'
            'clause = "three days"\nhours = 72\ndated = "2024"\n',
            ["30: warning: extensions.0.dated: 2024 is 22 months ago"],
        ),
    ],
)
def test_what_is_legal_and_odd_is_a_warning(tmp_path: Path, text: str, told: list[str]) -> None:
    found = warned(tmp_path, text)
    assert len(found) == len(told), found
    for line, start in zip(found, told, strict=True):
        assert line.startswith(start)


def test_a_pack_that_lasts_into_another_is_told_from_either_side(tmp_path: Path) -> None:
    text = changed("from = 2026-01-01", "from = 2026-01-01\nuntil = 2026-07-01")
    older = parse_pack(text, "mine")
    newer = MINE.replace('"mine"', '"newer"').replace("2026-01-01", "2026-06-01")
    found = warnings(parse_pack(newer, "newer"), newer, TODAY.date(), [older])
    assert [(one.line, one.what) for one in found] == [
        (4, "mine lasts until 2026-07-01 in MY; this one takes over")
    ]


def test_to_extend_a_pack_that_is_over_is_odd(tmp_path: Path) -> None:
    guide = packs.text_of(DEFAULT).replace('"guide-2023"', '"base"')
    written(tmp_path, changed("from = 2023-01-01", "from = 2023-01-01\nuntil = 2026-11-26", guide),
            "base")  # fmt: skip
    text = changed("guide-2023", "base")
    assert warned(tmp_path, text) == ["5: warning: extends: base is over since 2026-11-26"]


def test_years_of_which_the_library_knows_no_holidays_are_told() -> None:
    found = warnings(parse_pack(MINE, "mine"), MINE, date(2300, 1, 1), [], months=9999)
    assert [one.what for one in found] == [
        "the library knows no public holidays of MY in 2300",
        "the library knows no public holidays of MY in 2301",
    ]


def test_a_file_that_breaks_a_pack_which_extends_it_is_told(tmp_path: Path) -> None:
    guide = packs.text_of(DEFAULT)
    clause = guide[guide.index("[clauses.status_update]") : guide.index("[clauses.collected_to")]
    file = written(tmp_path, changed(clause, "", guide), DEFAULT)
    result = run("lint", file)
    assert result.exit_code == 1
    assert re.search(
        rf"{file}:1: error: [\w-]+.toml: line \d+: without\.0: 'status_update' is in no table",
        result.stdout,
    )


def test_what_has_another_ending_is_no_pack(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text(MINE)
    good = written(tmp_path)
    result = run("lint", file, good)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{file}:1: error: {file} is no .toml file",
        f"{good}: can be used",
    ]
    assert str(run("show", file).exception) == f"{file} is no .toml file"


def test_how_old_is_too_old_can_be_said(tmp_path: Path) -> None:
    file = written(tmp_path, changed("dated = 2026-10-01", 'dated = "2026-08"'))
    assert "worth a look" not in run("lint", file).stdout
    assert "2026-08 is 2 months ago" in run("lint", file, "--months", 1).stdout


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        ({"hours": 5}, 5),
        ({"working_days": 2, "by": "23:59:59"}, 48),
        ({"calendar_days": 2}, 48),
        ({"working_days": 0, "cut_off": "14:00", "by": "18:30"}, 4.5),
        ({"working_days": 1, "by": "12:00"}, 12 + 1 / 3600),
    ],
)
def test_the_least_that_a_clock_runs(given: dict[str, object], hours: float) -> None:
    read = {k: time.fromisoformat(v) if isinstance(v, str) else v for k, v in given.items()}
    least = shortest(deadline(**read))
    assert least is not None
    assert abs(least - timedelta(hours=hours)) <= timedelta(seconds=1)


# The folder of packs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of packs, to put others into."""
    rules, files = tmp_path / "rules", resources.files
    shutil.copytree(Path(packs.__file__).parent, rules)
    monkeypatch.setattr(resources, "files", lambda of: rules if of == PACKAGE else files(of))
    for name in ("names", "load", "reach"):
        monkeypatch.setattr(packs, name, cache(getattr(packs, name).__wrapped__))
    monkeypatch.setattr(policy, "names", packs.names)
    return rules / "policies"


def test_a_pack_that_is_no_text_is_told_and_a_folder_is_none(folder: Path) -> None:
    (folder / "ours.toml").mkdir()
    assert packs.names() == SHIPPED
    (folder / "ours.toml").rmdir()
    (folder / "ours.toml").write_bytes(MINE.replace("Ours", "\xe9").encode("latin-1"))
    packs.names.cache_clear()
    for read in (packs.load, packs.reach):
        with pytest.raises(PolicyError, match=r"^ours\.toml: is no text in UTF-8$"):
            read("ours")


def test_no_build_holds_a_pack_that_can_not_be_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(build.wrong_packs()) == []
    written(folder, changed("hours = 72", "hours = 0"))
    packs.names.cache_clear()
    monkeypatch.setattr(build, "_sam_build", lambda *_, **__: pytest.fail("it was built"))
    for builder in (build.build_local, build.build_aws):
        with pytest.raises(
            build.BuildError, match=r"mine.toml: line 13: clauses.status_update.hours"
        ):
            builder()


def test_one_broken_pack_is_told_as_itself_alone(folder: Path) -> None:
    written(folder, changed("hours = 72", "hours = 0"))
    result = run("lint")
    assert result.exit_code == 1
    assert result.stdout.count(": error: ") == 1
    assert "mine.toml:13: error: clauses.status_update.hours: 0 is given" in result.stdout
    assert result.stdout.count(": can be used") == len(SHIPPED)


# show


def test_all_packs_are_listed_with_their_days_and_which_rules_each_market() -> None:
    lines = run("show").stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(packs.names())]] == [
        DEFAULT,
        *(name for name in packs.names() if name != DEFAULT),
    ]
    assert "In force for orders of 2026-11-26" in "\n".join(lines)
    assert "  US  us-2026" in lines
    assert "  MY  guide-2023" in lines
    assert "  US  guide-2023" in run("show", "--on", "2026-01-25").stdout.splitlines()


def test_a_pack_is_shown_with_all_it_says(tmp_path: Path) -> None:
    text = " ".join(run("show", written(tmp_path)).stdout.split())
    for said in (
        "mine: Ours",
        "of MY, orders from 2026-01-01 on",
        "extends guide-2023",
        "local in the time zone of the shop",
        "all but saturday and sunday and the public holidays of MY",
        "status_update clause shipped within three days",
        "due 72 h later",
        "rests on a page (2026-10-01): official",
        "two_failed_attempts",
        "failed attempt number 2",
        "taken over from guide-2023",
        "dispatch (a deadline of the pack)",
        "runs 2 working days, by 23:59:59",
        "stopped by the marketplace shows it IN_TRANSIT or further",
        "line metric line",
        "warned 12 h before then alert",
    ):
        assert said in text, said
    assert "DUE" not in text


@pytest.mark.parametrize("name", packs.names())
def test_every_pack_that_ships_can_be_shown(name: str) -> None:
    result = run("show", name, "--placed", "2026-11-27T23:10", "--zone", "Asia/Kuala_Lumpur")
    assert result.exit_code == 0, result.output
    pack = packs.load(name)
    for part in (*pack.clauses, *pack.deadlines, *pack.signals):
        assert f"\n  {part}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) < 140


def test_with_the_time_of_an_order_the_due_times_are_shown_too() -> None:
    text = run("show", "us-2026", "--placed", "2026-11-27T23:10").stdout
    assert "of an order placed Fri 27 Nov 2026, 23:10:00 (America/Los_Angeles)" in text
    dispatch = text.partition("  dispatch")[2].partition("\n\n")[0]
    assert (
        "DUE         Tue 1 Dec 2026, 23:59:59 (America/Los_Angeles) = 2026-12-02T07:59:59Z"
        in dispatch
    )
    assert "warned      Tue 1 Dec 2026, 11:59:59" in dispatch
    # a silent parcel's clock starts with a scan, of which nobody knows
    assert "DUE" not in text.partition("  parcel_silent")[2].partition("\n\n")[0]


def test_reminders_and_the_last_warning_are_shown_with_their_times() -> None:
    words = ("show", DEFAULT, "--placed", "2026-06-01T09:20", "--zone", "Asia/Kuala_Lumpur")
    untracked = run(*words).stdout.partition("  untracked")[2]
    assert "DUE         Tue 16 Jun 2026, 09:20:00 (Asia/Kuala_Lumpur)" in untracked
    assert "reminded    Sat 6 Jun 2026, 09:20:00" in untracked
    assert "warned      Mon 15 Jun 2026, 09:20:00" in untracked


def test_a_market_shows_its_pack_of_the_day() -> None:
    assert run("show", "--market", "US").stdout.startswith("us-2026: ")
    assert run("show", "--market", "US", "--on", "2026-01-25").stdout.startswith("guide-2023: ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere",), "there is no pack 'nowhere'; there are: crossborder, eu-2025"),
        (("",), "there is no pack ''; there are: crossborder, eu-2025"),
        (("missing.toml",), "there is no file missing.toml"),
        ((DEFAULT, "--placed", "2026-06-01T09:20"), "names no time zone: say the shop's with --"),
        (("us-2026", "--placed", "yesterday"), "'yesterday' is no time; write it as 2026-11-27T23"),
        (("us-2026", "--zone", "Mars"), "'Mars' is no time zone; write an IANA name"),
        (("--on", "soon"), "'soon' is no day; write it as 2026-11-27"),
        (("--placed", "2026-06-01T09:20"), "--placed needs a PACK or a --market"),
        (("--market", "XX"), "'XX' is not one of 'br', 'de'"),
        (("us-2026", "--placed", "9999-12-31T09:20"), "--placed: "),
    ],
)
def test_what_cannot_be_shown_is_told(words: tuple[str, ...], told: str) -> None:
    result = run("show", *words)
    assert result.exit_code != 0
    assert told in (str(result.exception) + result.output)


def test_figures_that_a_clause_does_not_give_are_shown_as_such(tmp_path: Path) -> None:
    text = run("show", written(tmp_path, MINE + REMINDED)).stdout
    assert "at (not given) shop time" in " ".join(text.split())


def test_more_time_and_lines_of_the_shops_figures_are_shown(tmp_path: Path) -> None:
    more = (
        '\n[[extensions]]\nfrom = 2026-02-14\nto = 2026-02-20\nclocks = ["dispatch"]\n'
        'clause = "new year"\n{}\n[signals.on_time_delivery]\nclause = "on time"\nat_least = 90\n'
        "days = 7\n"
    )
    for given, told in (
        ("calendar_days = 3", "more        3 calendar days"),
        ("not_before = 2026-02-24T23:59:59", "more        not before 2026-02-24 23:59:59"),
    ):
        text = run("show", written(tmp_path, MINE + more.format(given))).stdout
        assert told in text
        assert "of          clocks that start from 2026-02-14 to 2026-02-20" in text
        assert "line        at least 90 %" in text
        assert "over        7 days" in text


def test_which_orders_a_clause_is_of_is_shown() -> None:
    text = " ".join(run("show", "us-2026").stdout.split())
    assert "once it has a scan; shipping type SELLER" in text


def test_no_due_time_is_shown_that_the_rule_does_not_heed(tmp_path: Path) -> None:
    text = MINE + '\n[clauses.delivery_period]\nclause = "late"\nhours = 24\n'
    words = ("--placed", "2026-02-02T10:00", "--zone", "Asia/Kuala_Lumpur")
    shown = run("show", written(tmp_path, text), *words).stdout
    assert "    DUE " not in shown[shown.index("  delivery_period\n") :].partition("\n\n")[0]
    assert shown.count("    DUE ") == 4  # and not that one


def test_a_warning_whose_time_is_before_the_order_is_shown_with_it(tmp_path: Path) -> None:
    late = "first_reminder_hours = 300\nreminder_at = 09:00:00\nfinal_warning_hours = 300\n"
    text = changed("[12]", "[99, 98, 12]") + REMINDED + late
    words = ("--placed", "2026-02-02T10:00", "--zone", "Asia/Kuala_Lumpur")
    lines = run("show", written(tmp_path, text), *words).stdout.splitlines()
    days = [line[16:].partition(",")[0] for line in lines if re.match(r" +warned .* = 2026", line)]
    assert days == ["Mon 2 Feb 2026", "Mon 2 Feb 2026", "Wed 4 Feb 2026"]
    assert not any("reminded" in line for line in lines)


def test_a_line_that_is_crossed_on_it_is_shown_as_such() -> None:
    assert "line        below 10 %" in run("show", "th-2025").stdout


@pytest.mark.parametrize("page", ["signals.md", "api.md"])
def test_the_line_that_is_shown_on_a_page_is_the_packs(page: str) -> None:
    text = (Path(__file__).parents[1] / "docs" / page).read_text("utf-8")
    signal = packs.load("us-2026").signals["late_dispatch"]
    for told in (signal.clause, signal.source, signal.dated, signal.confidence):
        assert told in text


# diff


def test_two_packs_are_compared_clause_by_clause(tmp_path: Path) -> None:
    before = written(tmp_path)
    text = changed("hours = 72", "hours = 48")
    text = changed("[deadlines.dispatch]", "[deadlines.moved]", text)
    text = changed("from = 2026-01-01", "from = 2026-01-01\nuntil = 2027-01-01", text)
    other = tmp_path / "other"
    other.mkdir()
    after_ = written(other, text)
    lines = run("diff", before, after_).stdout.splitlines()
    assert lines[0] == f"{before} -> {after_}"
    assert [line for line in lines if line[0] in "~+-"] == [
        "~ clauses.status_update",
        "- deadlines.dispatch",
        "+ deadlines.moved",
    ]
    assert "until                 - -> 2027-01-01" in lines
    assert "    hours                 72 -> 48" in lines


def test_a_figure_of_nought_is_shown() -> None:
    text = run("diff", "th-2025", "vn-2024").stdout
    assert re.search(r"^    working_days +0$", text, re.M)


def test_the_same_pack_differs_in_nothing() -> None:
    assert run("diff", "us-2026", "us-2026").stdout == "us-2026 -> us-2026: no difference\n"


# test


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_of_a_pack_that_ships_holds(path: Path) -> None:
    pack, tried = try_cases(path)
    assert pack.name == path.stem
    assert [(one.line, one.found, one.wanted) for one in tried if not one.holds] == []


def test_every_pack_that_ships_has_cases_for_each_of_its_lengths() -> None:
    assert {path.stem for path in CASES} == set(packs.names())
    for path in CASES:
        pack, tried = try_cases(path)
        timed = {name for name, clause in pack.clauses.items() if clause.spans}
        timed &= {name for name in timed if rule_needs(name)}
        assert {one.case.clock for one in tried} >= timed | pack.deadlines.keys()
        running = [one.case for one in tried if isinstance(one.case.due, datetime)]
        assert any((case.placed.month, case.placed.day) > (12, 15) for case in running)
        assert any(case.placed.year == 2028 for case in running), "over a leap day"


CASE = """\
pack = "us-2026"

[[cases]]
why = "two days"
clock = "dispatch"
placed = 2026-11-25T10:00:00
due = 2026-11-30T23:59:59
"""


def test_cases_that_hold_are_counted(tmp_path: Path) -> None:
    file = written(tmp_path, CASE, "cases")
    result = run("test", file)
    assert result.exit_code == 0
    assert result.stdout == f"{file}: 1 of 1 cases hold by us-2026\n"


def test_a_case_that_differs_is_told_with_its_line_and_both_times(tmp_path: Path) -> None:
    file = written(tmp_path, changed("11-30T", "12-01T", CASE), "cases")
    result = run("test", file)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{file}:3: dispatch: two days",
        "    the case says    2026-12-01T23:59:59-08:00",
        "    the pack says    2026-11-30T23:59:59-08:00",
        f"{file}: 0 of 1 cases hold by us-2026",
    ]


def test_cases_of_a_file_beside_them_are_held_against_that(tmp_path: Path) -> None:
    written(tmp_path)
    text = changed('"us-2026"', '"mine.toml"\n', CASE)
    text = changed("placed =", 'zone = "Asia/Kuala_Lumpur"\nplaced =', text)
    result = run("test", written(tmp_path, changed("11-30", "11-27", text), "cases"))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("why", "whi", "line 4: cases.0.whi: there is no such key; did you mean 'why'?"),
        ('"two days"', "2", "line 4: cases.0.why: 2 is given"),
        ('clock = "dispatch"\n', "", "line 3: cases.0.clock: is missing"),
        ('"dispatch"', '"dispach"', "line 3: clock: us-2026 has none called 'dispach'; there are"),
        ("2026-11-25T10:00:00", '"soon"', "line 6: cases.0.placed: 'soon' is given; accepted: a t"),
        ("2026-11-30T23:59:59", '"late"', "line 7: cases.0.due: 'late' is given; accepted: such a"),
        ("due =", "fields = {tts = 2026-01-01T00:00:00}\ndue =", "line 3: fields: tts; accepted:"),
        ("due =", 'closed = ["x"]\ndue =', "line 3: Invalid isoformat string: 'x'"),
        ("2026-11-25T10:00:00", "9999-12-31T23:00:00", "line 3: "),
        ("due =", 'closed = ["2026-01-01/2028-01-01"]\ndue =', "line 3: there is no working day"),
        ('pack = "us-2026"', 'pack = "us"', "there is no pack 'us'"),
        ('pack = "us-2026"', 'pak = "us-2026"', "line 1: pak: there is no such key; did you mean"),
        ('"us-2026"', '"guide-2023"', "line 3: zone is missing: the pack names none; an"),
        ('pack = "us-2026"', "pack = ", "is no TOML"),
        (CASE, 'pack = "us-2026"\ncases = []\n', "line 2: cases: [] is given"),
    ],
)
def test_a_file_of_cases_that_cannot_be_used_is_told(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    result = run("test", written(tmp_path, changed(old, new, CASE), "cases"))
    assert result.exit_code != 0
    assert told in str(result.exception)


def test_a_place_without_known_holidays_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, changed('"MY"]', '"XX"]').replace('country = "MY"', "closed = []"))
    told = "the library knows no holidays of 'XX': say a market, or the country of its calendar"
    words = ("--placed", "2026-06-01T09:20", "--zone", "Asia/Kuala_Lumpur")
    assert told in str(run("show", file, *words).exception)
    assert run("show", file, *words, "--market", "my").exit_code == 0
    text = changed('"us-2026"', '"mine.toml"', CASE)
    text = changed("placed =", 'zone = "Asia/Kuala_Lumpur"\nplaced =', text)
    result = run("test", written(tmp_path, text, "cases"))
    assert f"line 3: mine.toml: {told}" in str(result.exception)


def test_a_pack_is_no_file_of_cases(tmp_path: Path) -> None:
    assert "is a pack: give the file of its cases" in str(run("test", written(tmp_path)).exception)


def test_the_commands_failures_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["show", "nowhere"], ["test", str(written(tmp_path, "cases = 1", "cases"))]):
        monkeypatch.setattr("sys.argv", ["shipclock", "policy", *words])
        assert entry.run() == 1
        assert capsys.readouterr().err.startswith("shipclock: ")


def test_the_keys_of_a_case_are_all_told_on_the_page() -> None:
    page = (Path(__file__).parent.parent / "docs" / "policy.md").read_text("utf-8")
    told = set(re.findall(r"`(\w+)`", page))
    assert Case.model_fields.keys() | CaseFile.model_fields.keys() <= told


# what-if: that it finds what there is to find stands in test_whatif and test_sixteen_what_if


class Table:
    """A table with a connected shop and orders that were placed and forgotten."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = MemoryStore()
        self.shops: dict[str, Shop] = {}
        self.connect()
        monkeypatch.setattr(operate, "open_store", lambda table, stack=None: self.store)
        monkeypatch.setattr(policy_whatif, "real", lambda: after(100))

    def connect(self, **changes: str) -> None:
        connected = shop(**changes)
        self.shops[connected.shop_id] = connected
        connect_shop(self.store, connected, TOKENS, REAL, heal=False)

    def order(self, order_id: str, shop_id: str = SHOP, hours: float = 0) -> None:
        placed = after(hours)
        told = facts("AWAITING_SHIPMENT", create_time=placed, update_time=placed)
        keep_snapshot(self.store, shop_id, OrderRow(order_id, told, {}), REAL, T0)
        settle(self.store, self.shops.get, order_id, after(100), REAL)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    return Table(monkeypatch)


def listed(result: Result) -> list[str]:
    return [order["order_id"] for order in json.loads(result.stdout)["orders"]]


def test_every_kept_order_is_read_once_and_nothing_is_written(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept.pages, "__defaults__", (2,))
    for number in range(7):
        table.order(f"{number}", hours=number)
    before = deepcopy(table.store.rows)
    result = run("what-if", written(tmp_path), "--json", "--at", "2026-11-05T06:00:00Z")
    assert result.exit_code == 0, result.output
    assert listed(result) == [f"{number}" for number in range(7)]
    found = json.loads(result.stdout)
    assert (found["read"], found["ruled"], found["stopped"], found["unread"]) == (7, 7, False, [])
    assert found["orders"][0]["was"] == "guide-2023"
    assert found["orders"][0]["would"] == "mine"
    assert table.store.rows == before


def test_it_judges_as_of_now_unless_told_otherwise(table: Table, tmp_path: Path) -> None:
    table.order("1")
    file = written(tmp_path, MINE.partition("[deadlines")[0])
    (order,) = json.loads(run("what-if", file, "--json").stdout)["orders"]
    assert [d["would"]["at"] for d in order["differences"]] == ["2026-11-04T02:00:00Z"]
    assert listed(run("what-if", file, "--json", "--at", "2026-11-04T01:59:59Z")) == []
    assert run("what-if", file, "--at", "2026-11-04").exit_code == 2


def test_only_the_shops_asked_for_are_read(table: Table, tmp_path: Path) -> None:
    table.connect(shop_id=OTHER_SHOP)
    table.order("1")
    table.order("2", OTHER_SHOP)
    file = written(tmp_path)
    assert listed(run("what-if", file, "--json")) == ["1", "2"]
    assert listed(run("what-if", file, "--json", "--shop", OTHER_SHOP)) == ["2"]
    unknown = run("what-if", file, "--shop", "7")
    assert "Shop 7 was never connected" in str(unknown.exception)


def test_orders_of_before_a_day_are_left_out(table: Table, tmp_path: Path) -> None:
    table.order("1", hours=13)  # 23:00 of 1 November in Kuala Lumpur
    table.order("2", hours=14)
    file = written(tmp_path)
    assert listed(run("what-if", file, "--json", "--since", "2026-11-02")) == ["2"]


def test_a_pack_of_another_market_rules_none_and_is_tried_where_it_is_chosen(
    table: Table, tmp_path: Path
) -> None:
    table.order("1")
    file = written(tmp_path, changed('"MY"]', '"TH"]'))
    result = run("what-if", file)
    assert result.exit_code == 0
    assert "over 1 orders of 1 shop" in result.stdout
    assert "It rules none of them otherwise than now" in result.stdout
    assert listed(run("what-if", file, "--json", "--chosen")) == ["1"]


def test_what_extends_a_changed_pack_is_changed_too(table: Table, tmp_path: Path) -> None:
    table.connect(shop_id=OTHER_SHOP, market="US", zone="America/New_York")
    table.order("1", OTHER_SHOP)
    guide = packs.text_of(DEFAULT)
    extra = '\n[clauses.parcel_silent]\nclause = "silent"\nhours = 24\n'
    result = run("what-if", written(tmp_path, guide + extra, DEFAULT), "--json")
    assert json.loads(result.stdout)["ruled"] == 0  # us-2026 has a clause of its own for that
    named = guide.replace("cancelled, refunded", "refunded")
    result = run("what-if", written(tmp_path, named, DEFAULT), "--json")
    assert json.loads(result.stdout)["ruled"] == 1


def test_what_the_shop_lets_go_out_by_itself_is_marked(table: Table, tmp_path: Path) -> None:
    weighed = policy_weigh.Weighed(
        "1",
        shop(automatic=("refund",)),
        T0,
        "a",
        "b",
        (Difference(None, Fired("prepared", "refund", T0, about="deemed_lost X")),),
    )
    weighing = policy_weigh.Weighing(table.store, table.shops, {}, T0)
    weighing.ruled = 1
    text = "\n".join(policy_whatif.text_of("x.toml", weighing, [weighed]))
    assert "deemed_lost X, by itself" in text
    assert '"by_itself": true' in policy_whatif.json_of("x", weighing, [weighed])


def test_no_more_orders_are_read_than_asked_for_and_that_is_told(
    table: Table, tmp_path: Path
) -> None:
    for number in range(3):
        table.order(f"{number}")
    file = written(tmp_path)
    result = run("what-if", file, "--json", "--most", 2)
    assert json.loads(result.stdout)["read"] == 2
    assert json.loads(result.stdout)["stopped"] is True
    assert "There are more than 2 orders" in result.stderr
    assert "There are more" not in run("what-if", file, "--most", 3).stderr


def test_an_order_that_cannot_be_understood_is_named_and_the_others_are_told(
    table: Table, tmp_path: Path
) -> None:
    table.order("1")
    table.order("2")
    (row,) = [r for r in table.store.read(rows.order_pk("1")) if r["sk"].startswith(rows.EVENT)]
    table.store.write(Change(rows.key_of(row), set={"doc": "{}"}))
    result = run("what-if", written(tmp_path), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["unread"] == ["1"]
    assert listed(result) == ["2"]
    assert "1 orders could not be read and are left out: 1." in result.stderr


def test_a_pack_that_cannot_be_used_is_not_tried(table: Table, tmp_path: Path) -> None:
    result = run("what-if", written(tmp_path, changed("hours = 72", "hours = 0")))
    assert isinstance(result.exception, PolicyError)
    assert "line 13: clauses.status_update.hours: 0 is given" in str(result.exception)
