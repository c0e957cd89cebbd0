"""`shipclock notify`: what an operator sees and does."""

import json
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as entry
from cli import notify, operate
from shipclock import backoff
from shipclock.ports import OutletFailed, OutletRefused, Taken
from tests.fakes import FakeOutlets
from tests.notify.people import HOOK, SECRET, SLACK, SLACKS, WEBHOOK, People
from tests.stage import SHOP_ID, START, Stage


class Secrets:
    """Secrets Manager with one secret, and SNS that takes anything."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        return {"SecretString": self.text}


class SetUp(operate.SetUp):
    """A set-up whose table is a story's."""

    stage: Stage

    def store(self) -> Any:
        return self.stage.memory


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> People:
    people = People(destinations={"erp": WEBHOOK, "ops": {**SLACKS, "shops": [SHOP_ID]}})
    outputs = {"DestinationsSecret": "arn", "TopicArn": "arn:topic", "TableName": "t"}

    def set_up(stack: str | None) -> SetUp:
        secrets = Secrets(json.dumps(people.stage.destinations))
        found = SetUp("shipclock", False, outputs, {}, lambda service: secrets)
        SetUp.stage = people.stage
        return found

    monkeypatch.setattr(operate, "set_up", set_up)
    return people


@pytest.fixture
def outlets(monkeypatch: pytest.MonkeyPatch) -> FakeOutlets:
    fake = FakeOutlets()
    monkeypatch.setattr(notify, "PeopleOutlets", lambda sns, topic, rehearsal: fake)
    return fake


def run(*words: str) -> Result:
    result = CliRunner().invoke(entry.main, ["notify", *words])
    for secret in (SECRET, "made-up", HOOK, SLACK):
        assert secret not in result.output
    return result


@pytest.mark.parametrize("name", ["topic", "erp", "ops"])
def test_a_made_up_message_goes_to_the_destination_that_is_named(
    one: People, outlets: FakeOutlets, name: str
) -> None:
    result = run("test", name)
    assert result.exit_code == 0, result.output
    assert "has taken it" in result.output
    sent = [repr(each) for each in (*outlets.published, *outlets.posted)]
    assert len(sent) == 1
    assert "This is a test" in sent[0]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Taken(404), "it answered 404"),
        (OutletFailed("no address of erp.example.com is known"), "no address of"),
        (OutletRefused("erp.example.com leads to an address that is not public"), "not public"),
    ],
)
def test_what_is_not_taken_is_said_with_its_reason(
    one: People, outlets: FakeOutlets, answer: Any, told: str
) -> None:
    outlets.answers[HOOK] = [answer]
    result = run("test", "erp")
    assert isinstance(result.exception, notify.NotifyError)
    assert told in str(result.exception)


def test_a_destination_that_there_is_not_is_told_with_those_that_there_are(one: People) -> None:
    one.stage.destinations = {"destinations": {"erp": WEBHOOK, "bad": {"kind": "slack"}}}
    result = run("test", "bad")
    assert "there are: topic, erp." in str(result.exception)
    assert "no https link" in str(result.exception)


def test_the_list_shows_whom_it_tells_how_it_goes_and_what_was_given_up(one: People) -> None:
    one.happens("urgent")
    down = FakeOutlets(answers={HOOK: [OutletFailed("erp.example.com can't be reached")] * 99})
    one.sweep(outlets=down)
    shown = run("list").output
    assert "erp: webhook\n" in shown
    assert f"    shops: {SHOP_ID}\n" in shown
    assert "digest at 09:15, quiet never" in shown
    assert "failing since 2026-06-01T00:30:00Z (1 times): erp.example.com can't be" in shown
    for wait in backoff.MESSAGE:
        one.passes(wait.total_seconds() / 60)
        one.sweep(outlets=down)
    shown = run("list").output
    assert "given up: erp: erp.example.com can't be reached" in shown
    assert run("again", "ops").output.startswith("0 messages")
    assert run("again").output.startswith("1 messages")
    one.sweep()
    assert one.events() == list(one.said)


def test_the_list_says_what_is_wrong_off_and_gone(one: People) -> None:
    one.stage.destinations = {
        "destinations": {"erp": WEBHOOK, "ops": {**SLACKS, "off": True}, "bad": 1}
    }
    one.happens("urgent")
    one.sweep(outlets=FakeOutlets(answers={HOOK: [Taken(410)]}))
    shown = run("list").output
    assert "ops: slack, off" in shown
    assert "WRONG  destination 'bad'" in shown
    assert "it is gone" in shown


def test_what_was_gone_is_told_again_once_it_has_taken_a_test(
    one: People, outlets: FakeOutlets
) -> None:
    told = one.happens("urgent")
    one.sweep(outlets=FakeOutlets(answers={HOOK: [Taken(410)]}))
    one.passes(60)
    one.sweep()
    assert one.events() == []
    assert run("test", "erp").exit_code == 0
    assert "gone" not in run("list").output
    one.passes(60)
    one.sweep()
    assert told in one.events()


def test_warnings_are_acknowledged_by_their_order(
    one: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage()
    line = int(datetime(2026, 11, 2, tzinfo=START.tzinfo).timestamp())
    order = stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, shipping_due_time=line)
    stage.marketplace_tells()
    stage.settle_down()
    one.stage = stage
    result = run("ack", order)
    assert result.output == "shipping_due_time: no more warnings before 2026-11-02T00:00:00Z\n"
    assert run("ack", "1").exit_code == 1
