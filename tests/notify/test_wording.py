"""Messages that can be read: by people in mail and Slack, by programs in a webhook."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import event_docs
from shipclock.domain.level import Level
from shipclock.events import EVENTS
from shipclock.notify import wording
from shipclock.notify.wording import Message
from tests import schemas

SHOP = "7490000000000000001"


def event(type_: str = "order.reminder", order: str = "57", **more: Any) -> dict[str, Any]:
    return {**event_docs.example(type_), "order_id": order, **more}


def message(*events: dict[str, Any], **more: Any) -> Message:
    said: dict[str, Any] = {
        "id": "msg_" + "0" * 40,
        "shop_id": SHOP,
        "level": Level.URGENT,
        "day": "2026-11-05",
        "part": 1,
        "parts": 1,
        "closed_at": "2026-11-05T01:15:20Z",
        "zone": ZoneInfo("Asia/Kuala_Lumpur"),
        "events": events,
    }
    return Message(**{**said, **more})


LOST = event("order.verdict.standing", "101")
NEAR = event("order.nearing", "102")


# The subject


@pytest.mark.parametrize(
    ("one", "subject"),
    [
        (message(LOST), f"Shipclock {SHOP}: Order 101: parcel lost"),
        (message(LOST, NEAR), f"Shipclock {SHOP}: urgent, 2: parcel lost (1), deadline nears (1)"),
        (
            message(NEAR, level=Level.ORDINARY),
            f"Shipclock {SHOP}: digest of 2026-11-05, 1: deadline nears (1)",
        ),
        (
            message(*[NEAR] * 3, level=Level.CRITICAL, part=2, parts=3),
            f"Shipclock {SHOP}: critical, 3: deadline nears (3) (part 2 of 3)",
        ),
        (
            message(event_docs.example("source.silent"), shop_id=""),
            "Shipclock: Source easypost: source is silent",
        ),
    ],
)
def test_the_subject_says_shop_what_and_how_many(one: Message, subject: str) -> None:
    assert wording.subject(one) == subject


def test_a_rule_without_words_of_its_own_is_named() -> None:
    late = event("order.verdict.standing", cause=None, rule="status_update")
    assert wording.what(late) == "status_update missed"
    assert wording.what({"type": "order.unheard_of"}) == "order.unheard_of"


def test_every_type_has_words() -> None:
    assert {*EVENTS} - {"order.verdict.standing"} <= wording.WHAT.keys()


# Mail


def test_a_mail_has_a_paragraph_for_each_order_and_the_facts_below_each_sentence() -> None:
    again = event("order.warning", "101", at="2026-11-06T00:00:00Z")
    subject, text, attributes = wording.mail(message(NEAR, again, LOST))
    opening, first, second = text.rstrip("\n").split("\n\n")
    assert opening == (
        f"Shop {SHOP}: this is urgent, as of Thu 5 Nov 2026, 09:15 (Asia/Kuala_Lumpur)."
    )
    lines = first.splitlines()
    assert lines[0] == "Order 101"
    assert lines[1] == f"parcel lost: {LOST['text']}"
    assert "due_at: 2026-11-05T01:58:00Z" in lines[2]
    assert "rule: abnormal_delivery" in lines[2]
    assert lines[3].startswith("warning: ")
    assert second.splitlines()[0] == "Order 102"
    assert attributes == {"level": "urgent", "shop_id": SHOP, "message_id": "msg_" + "0" * 40}
    assert subject.startswith("Shipclock")


def test_everything_that_a_mail_told_of_an_event_before_is_still_in_it() -> None:
    _, text, _ = wording.mail(message(LOST))
    untold = {"alerts", "id", "version", "level"}
    for name, value in LOST.items():
        assert name in untold or value is None or str(value) in text, name


texts = st.text(st.characters(codec="utf-8"), max_size=3000)


@given(st.lists(texts, min_size=1, max_size=150), st.integers(1, 60))
def test_whatever_is_told_a_mail_is_one_that_can_be_sent(told: list[str], orders: int) -> None:
    events = [
        event("order.push", str(n % orders), text=t, clock=t[:300]) for n, t in enumerate(told)
    ]
    subject, text, _ = wording.mail(message(*events))
    assert subject.isascii()
    assert subject.isprintable()
    assert 0 < len(subject) <= 100
    assert len(text.encode()) <= 250_000


def test_a_full_mail_of_long_texts_fits() -> None:
    events = [event("order.push", str(n), text="\U0001f4e6" * 3000) for n in range(150)]
    _, text, _ = wording.mail(message(*events))
    assert len(text.encode()) <= 250_000
    assert text.count("...") >= 150


# Slack


def shown(told: Any) -> str:
    return "\n".join(block["text"]["text"] for block in told["blocks"])


def test_slack_gets_a_header_and_sections_of_which_nothing_is_markup() -> None:
    bad = event(order="<!channel>", text="a < b & c > d <@U1> <http://x|y> *bold*")
    told = wording.slack(message(bad))
    head, *sections = told["blocks"]
    assert head["type"] == "header"
    assert head["text"]["type"] == "plain_text"
    assert all(one["text"]["type"] == "mrkdwn" and one["text"]["verbatim"] for one in sections)
    text = "\n".join(one["text"]["text"] for one in sections)
    assert "a &lt; b &amp; c &gt; d &lt;@U1&gt; &lt;http://x|y&gt;" in text
    assert "<" not in text
    assert ">" not in text
    assert "&lt;!channel&gt;" in told["text"]


def test_an_order_is_named_once_above_all_that_is_told_of_it() -> None:
    text = shown(wording.slack(message(LOST, event("order.warning", "101"), NEAR)))
    assert text.count("*Order 101*") == 1
    assert text.count("*Order 102*") == 1


@given(
    st.lists(texts | st.sampled_from(["<&>" * 900, "x" * 3000]), min_size=1, max_size=150),
    st.integers(1, 150),
)
def test_whatever_is_told_slack_takes_it(told: list[str], orders: int) -> None:
    events = [event("order.push", str(n % orders), text=t) for n, t in enumerate(told)]
    body = wording.slack(message(*events))
    assert len(body["blocks"]) <= 50
    for block in body["blocks"]:
        most = 150 if block["type"] == "header" else 3000
        assert 0 < len(block["text"]["text"]) <= most
    text = shown(body)
    assert all(f"*Order {n % orders}*" in text for n in range(len(told)))
    assert "&am..." not in text


def test_what_is_cut_is_cut_between_characters() -> None:
    assert wording._escaped("a&&&&", 12) == "a&amp;..."
    assert wording._escaped("a&b", 9) == "a&amp;b"


# A webhook


@pytest.mark.parametrize("shop_id", [SHOP, ""])
def test_a_webhook_s_body_is_what_its_schema_says(shop_id: str) -> None:
    body = json.loads(json.dumps(wording.webhook(message(LOST, NEAR, shop_id=shop_id))))
    schemas.published("message").validate(body)
    assert body["type"] == "shipclock.message"
    assert body["data"]["events"] == [LOST, NEAR]
    for told in body["data"]["events"]:
        schemas.hold(told)
