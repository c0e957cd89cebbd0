"""A changed pack tried on the sixteen days: exactly the differences worked out by hand.

The days are 1 to 17 June 2026, a Monday to a Wednesday, each from 09:00 Malaysian time (UTC+8) to
the next; what happens to each order stands in `cli/story.py`. Times below are Malaysian.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as entry
from cli import operate
from cli.play import problems
from cli.story import STORIES
from shipclock.book import facts_in, read_book
from shipclock.judge import judge, policy_of
from shipclock.replayed import History, replay
from shipclock.rules import packs
from shipclock.whatif import VERDICT, fired
from tests.sixteen import Sixteen

KUALA_LUMPUR = ZoneInfo("Asia/Kuala_Lumpur")
ENDS = "2026-06-17T01:00:00Z"

Told = tuple[str, str, str, str | None, str | None]
"""A change, what kind of thing, its name, when it was and when it would be: `06-11 09:20:00`, with
a verdict's state where it does not stand."""


@pytest.fixture(scope="module")
def played() -> Iterator[Sixteen]:
    play = Sixteen()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.senders.time.time", lambda: play.stage.real.now.timestamp())
        play.play(lambda _: None)
        patch.setattr(operate, "open_store", lambda table, stack=None: play.stage.store)
        yield play


def test_the_days_end_in_memory_as_they_do_on_the_stack(played: Sixteen) -> None:
    effects = played.effects()
    for story in STORIES:
        order_id = played.orders[story.name].order_id
        mine = sum(order_id in effect["order_id"].split(",") for effect in effects)
        assert problems(story, played.view(story.name), mine) == [], story.name


def what_if(file: Path, *words: str) -> Result:
    return CliRunner().invoke(entry.main, ["policy", "what-if", str(file), "--at", ENDS, *words])


def differences(played: Sixteen, file: Path, *words: str) -> dict[str, list[Told]]:
    """By the story's name, each order's differences in the order in which they are told."""
    result = what_if(file, "--json", *words)
    assert result.exit_code == 0, result.output
    names = {order.order_id: name for name, order in played.orders.items()}
    return {
        names[order["order_id"]]: [told(one) for one in order["differences"]]
        for order in json.loads(result.stdout)["orders"]
    }


def told(one: dict[str, Any]) -> Told:
    return one["change"], one["kind"], one["name"], _when(one["was"]), _when(one["would"])


def _when(fired: dict[str, Any] | None) -> str | None:
    if fired is None:
        return None
    at = datetime.fromisoformat(fired["at"]).astimezone(KUALA_LUMPUR)
    state = "" if fired["state"] in (None, "standing") else f" {fired['state']}"
    return f"{at:%m-%d %H:%M:%S}{state}"


def in_any_order(found: dict[str, list[Told]]) -> dict[str, list[Told]]:
    return {name: sorted(each, key=str) for name, each in found.items()}


# The guide's own figures, made stricter

STRICTER = {
    "hours = 120": "hours = 72",  # status_update
    "hours = 360": "hours = 240",  # untracked: 15 days to 10
    "attempts = 2": "attempts = 3",
    "reminder_at = 09:00:00": "reminder_at = 10:00:00",
}
"""What is written instead in the pack; the first 120 is that of `status_update`."""


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    text = packs.text_of("guide-2023")
    for figure, other in STRICTER.items():
        before, found, after = text.partition(f"\n{figure}")
        assert found, figure
        text = f"{before}\n{other}{after}"
    file = tmp_path / "guide-2023.toml"
    file.write_text(text)
    return file


def by_hand() -> dict[str, list[Told]]:
    """What the stricter guide changes.

    Of the other nineteen orders nothing changes. Those that were handed over were scanned and shown
    as shipped within a day or two of the order, before 72 hours as before 120. "The change of mind"
    and "the empty shelf" were cancelled within a day and a half. Of "the late order" its own
    `shipping_due_time` has replaced `status_update`, and it was cancelled after three days, before
    ten days without a scan and before a first reminder. "The marketplace's own parcel" has no
    clocks.
    """
    return {
        # Placed on 1 June at 09:10. The carrier came in vain on 3 and 4 June at 15:00: twice is not
        # three times. What deemed it lost is then the guide's twelve days, which are over on 13
        # June at 09:10 under either pack, and deemed it lost no earlier because it was already.
        "the closed door": [
            ("gone", "verdict", "two_failed_attempts", "06-04 15:00:00", None),
            ("changed", "verdict", "abnormal_delivery", "06-04 15:00:00", "06-13 09:10:00"),
            ("changed", "prepared", "refund", "06-04 15:00:00", "06-13 09:10:00"),
            ("changed", "prepared", "buyer_message", "06-04 15:00:00", "06-13 09:10:00"),
        ],
        # Placed on 1 June at 09:20 and never handed over; the marketplace cancels it on 16 June at
        # 09:20, just as the guide's fifteen days are over: `untracked` was never missed. After ten
        # days, on 11 June at 09:20, it would be. The first reminder comes after 120 hours, on 6
        # June at 09:20, as before. The daily ones come an hour later from then on, and end with the
        # clock: on 11 June 10:00 is too late. The last warning is a day before the end.
        "the forgotten order": [
            ("changed", "verdict", "status_update", "06-06 09:20:00", "06-04 09:20:00"),
            ("new", "verdict", "untracked", None, "06-11 09:20:00"),
            ("changed", "reminder", "untracked", "06-07 09:00:00", "06-07 10:00:00"),
            ("changed", "reminder", "untracked", "06-08 09:00:00", "06-08 10:00:00"),
            ("changed", "reminder", "untracked", "06-09 09:00:00", "06-09 10:00:00"),
            ("changed", "reminder", "untracked", "06-10 09:00:00", "06-10 10:00:00"),
            ("gone", "reminder", "untracked", "06-11 09:00:00", None),
            ("gone", "reminder", "untracked", "06-12 09:00:00", None),
            ("gone", "reminder", "untracked", "06-13 09:00:00", None),
            ("gone", "reminder", "untracked", "06-14 09:00:00", None),
            ("gone", "reminder", "untracked", "06-15 09:00:00", None),
            ("gone", "reminder", "untracked", "06-16 09:00:00", None),
            ("changed", "warning", "untracked", "06-15 09:20:00", "06-10 09:20:00"),
        ],
        # Placed on 4 June at 10:00; the second half failed on 6 and 7 June at 10:00. Twelve days
        # are over on 16 June at 10:00, a day before the end.
        "the two halves": [
            ("gone", "verdict", "two_failed_attempts", "06-07 10:00:00", None),
            ("changed", "verdict", "abnormal_delivery", "06-07 10:00:00", "06-16 10:00:00"),
            ("changed", "prepared", "refund", "06-07 10:00:00", "06-16 10:00:00"),
            ("changed", "prepared", "buyer_message", "06-07 10:00:00", "06-16 10:00:00"),
        ],
        # Placed on 8 June at 09:00, scanned by a carrier that the marketplace does not list, and so
        # never shown as shipped.
        "the unknown carrier": [
            ("changed", "verdict", "status_update", "06-13 09:00:00", "06-11 09:00:00"),
        ],
    }


def test_stricter_figures_change_what_one_works_out_by_hand(
    played: Sixteen, stricter: Path
) -> None:
    assert in_any_order(differences(played, stricter)) == in_any_order(by_hand())


def test_the_counts_at_the_end_are_those_of_the_list(played: Sixteen, stricter: Path) -> None:
    found = json.loads(what_if(stricter, "--json").stdout)
    assert (found["read"], found["ruled"], len(found["orders"])) == (len(STORIES), len(STORIES), 4)
    assert found["counts"] == {
        "verdict": {"new": 1, "gone": 2, "changed": 4},
        "reminder": {"new": 0, "gone": 6, "changed": 4},
        "warning": {"new": 0, "gone": 0, "changed": 1},
        "prepared": {"new": 0, "gone": 0, "changed": 4},
    }
    text = what_if(stricter).stdout
    assert "verdicts   1 new, 2 gone, 4 changed" in text
    assert "reminders  0 new, 6 gone, 4 changed" in text


def test_it_tells_people_the_old_time_and_the_new_one(played: Sixteen, stricter: Path) -> None:
    lines = what_if(stricter).stdout.splitlines()
    number = played.orders["the forgotten order"].order_id
    place = next(place for place, line in enumerate(lines) if line.startswith(number))
    assert lines[place].startswith(f"{number}, placed Mon 1 Jun 2026 09:20:00 (Asia/Kuala_Lumpur)")
    told = (
        "changed verdict status_update Sat 6 Jun 2026 09:20:00 -> Thu 4 Jun 2026 09:20:00, standing"
    )
    assert " ".join(lines[place + 1].split()) == told


def test_the_page_shows_what_it_says(played: Sixteen, stricter: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "policy.md").read_text("utf-8")
    assert f"\n```\n{what_if(stricter).stdout}```\n" in page


# A pack of the market's own from a day on, with a deadline that the guide does not have

OWN = """\
name = "my-2026"
title = "Malaysia, tried"
markets = ["MY"]
from = 2026-06-03
extends = "guide-2023"
source = "nobody"
dated = "undated"
confidence = "unconfirmed"
calendar = {country = "MY"}

[clauses.not_acknowledged]
clause = "not acknowledged after 10 days"
hours = 240

[deadlines.dispatch]
clause = "in transit by the end of the next working day"
starts = "created"
working_days = 1
by = 23:59:59
stops = "in_transit"
line = "metric"
warn_hours = [2]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "my-2026.toml"
    file.write_text(OWN)
    return file


def own_by_hand() -> dict[str, list[Told]]:
    """What the market's own pack changes, of orders placed from 3 June on.

    From 3 to 16 June no Malaysian holiday is a weekday: 6, 7, 13 and 14 June are the weekends.
    Those that were collected by the end of the next working day have met `dispatch`; "the change of
    mind" and "the empty shelf" were cancelled before it was over. Orders of before 3 June that are
    deemed lost, such as "the closed door", stay with the guide.
    """
    return {
        # Placed on Wednesday 3 June at 09:00. Lost after ten days instead of twelve; the refund was
        # prepared as it was reported damaged, on 5 June, and still is.
        "the broken mug": [
            ("changed", "verdict", "not_acknowledged", "06-15 09:00:00", "06-13 09:00:00"),
            ("changed", "verdict", "abnormal_delivery", "06-15 09:00:00", "06-13 09:00:00"),
        ],
        # Placed on 4 June at 10:00; deemed lost by its attempts, on 7 June, as before.
        "the two halves": [
            ("changed", "verdict", "not_acknowledged", "06-16 10:00:00", "06-14 10:00:00"),
        ],
        # Placed on Saturday 6 June at 09:00, on its way since, and never delivered: twelve days
        # would be over after the end, ten are on 16 June. Collected on that Saturday.
        "the doubtful push": [
            ("new", "verdict", "not_acknowledged", None, "06-16 09:00:00"),
            ("new", "verdict", "abnormal_delivery", None, "06-16 09:00:00"),
            ("new", "prepared", "refund", None, "06-16 09:00:00"),
            ("new", "prepared", "buyer_message", None, "06-16 09:00:00"),
        ],
        # Placed on Saturday 6 June: the next working day is Monday the 8th. It is cancelled on
        # Tuesday at 09:00, which takes no lateness back.
        "the late order": [
            ("new", "warning", "dispatch", None, "06-08 21:59:59"),
            ("new", "verdict", "dispatch", None, "06-08 23:59:59"),
        ],
        # Placed on Monday 8 June, never shown as shipped.
        "the unknown carrier": [
            ("new", "warning", "dispatch", None, "06-09 21:59:59"),
            ("new", "verdict", "dispatch", None, "06-09 23:59:59"),
        ],
        # Placed on Wednesday 10 June, kept back for the buyer's wish, collected on Friday at 15:00.
        "the wish come too late": [
            ("new", "warning", "dispatch", None, "06-11 21:59:59"),
            ("new", "verdict", "dispatch", None, "06-11 23:59:59 overtaken"),
        ],
    }


def test_a_pack_from_a_day_on_changes_what_one_works_out_by_hand(
    played: Sixteen, own: Path
) -> None:
    assert in_any_order(differences(played, own)) == in_any_order(own_by_hand())


def test_only_orders_placed_since_a_day_are_listed_where_that_is_asked(
    played: Sixteen, own: Path
) -> None:
    late = {"the unknown carrier", "the wish come too late"}
    assert differences(played, own, "--since", "2026-06-08").keys() == late


def test_as_if_its_shop_had_chosen_it_the_pack_rules_earlier_orders_too(
    played: Sixteen, own: Path
) -> None:
    found = differences(played, own, "--chosen")
    # Placed on 1 June at 09:10: ten days are over on the 11th. It is deemed lost before, by the
    # attempts; it was collected on the day of the order.
    assert found["the closed door"] == [
        ("changed", "verdict", "not_acknowledged", "06-13 09:10:00", "06-11 09:10:00")
    ]
    assert found["the broken mug"] == differences(played, own)["the broken mug"]


def test_the_pack_as_it_ships_changes_nothing(played: Sixteen, tmp_path: Path) -> None:
    file = tmp_path / "guide-2023.toml"
    file.write_text(packs.text_of("guide-2023"))
    assert differences(played, file) == {}
    assert "It rules none of them otherwise than now" in what_if(file).stdout


def test_under_the_recorded_policy_comes_about_what_the_sweeps_have_recorded(
    played: Sixteen,
) -> None:
    """Every verdict with its instant and state, every reminder and warning: no more and no less."""
    stage, seen = played.stage, 0
    for name, order in played.orders.items():
        book = read_book(stage.store, order.order_id)
        settled = judge(stage.store, book, lambda _: stage.shop(), played.now, stage.real.now)
        own = policy_of(settled.order, stage.shop())
        assert own is not None
        events, numbers = facts_in(book)
        history = History(order.order_id, tuple(events), tuple(numbers))
        found = fired(history, stage.shop(), own, played.now)
        verdicts = {(one.name, one.at, one.state) for one in found if one.kind == VERDICT}
        recorded = settled.recorded.verdicts.values()
        assert verdicts == {
            (v.rule, v.due_at, v.state.value) for v in recorded if v.state != "withdrawn"
        }, name
        keys = {notice.key for notice in replay(history, own, played.now)}
        told = {key for key in settled.recorded.notices if key.startswith(("reminder", "warning"))}
        assert keys == told, name
        seen += len(verdicts) + len(keys)
    assert seen == 23 + 12 + 1  # verdicts; of "the forgotten order"; of "the wish come too late"
