"""The destinations' secret: what is accepted, and what is said of what is not."""

from typing import Any

import pytest

from shipclock.domain.level import Level
from shipclock.notify.destinations import Destination, destinations_of

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="
SLACK = {"kind": "slack", "url": "https://hooks.slack.example.com/made-up"}
WEBHOOK = {"kind": "webhook", "url": "https://erp.example.com/made-up", "secrets": [SECRET]}


def one(**more: Any) -> Destination:
    found = destinations_of({"destinations": {"ops": {**SLACK, **more}}})
    assert found.problems == ()
    destination = found.named("ops")
    assert destination is not None
    return destination


def event(type_: str = "order.reminder", **more: Any) -> dict[str, Any]:
    return {"type": type_, "level": "ordinary", "shop_id": "74", **more}


def test_the_topic_is_always_there() -> None:
    secrets: list[Any] = [{}, {"destinations": {}}, {"destinations": {"ops": SLACK}}, {"wrong": 1}]
    for secret in secrets:
        topic = destinations_of(secret).named("topic")
        assert topic is not None
        assert topic.wants(event())
        assert (topic.quiet, topic.digest_at.isoformat()) == (None, "09:15:00")


def test_the_topic_can_be_told_less_or_nothing() -> None:
    less = {"kind": "topic", "levels": ["urgent"], "quiet": "22:00-07:00", "digest_at": "18:00"}
    topic = destinations_of({"destinations": {"topic": less}}).named("topic")
    assert topic is not None
    assert topic.quiet is not None
    assert not topic.wants(event())
    off = destinations_of({"destinations": {"topic": {"kind": "topic", "off": True}}})
    assert off.named("topic") is None


@pytest.mark.parametrize(
    ("more", "told", "wanted"),
    [
        ({}, event(), True),
        ({"shops": ["74"]}, event(), True),
        ({"shops": ["75"]}, event(), False),
        ({"shops": []}, event(), False),
        ({"shops": ["75"]}, event("source.silent", shop_id=""), True),
        ({"levels": ["urgent", "critical"]}, event(), False),
        ({"levels": ["urgent", "critical"]}, event(level="critical"), True),
        ({"types": ["order.*"]}, event(), True),
        ({"types": ["order.verdict.*", "shop.*"]}, event(), False),
        ({"types": ["order.reminder"]}, event(), True),
        ({"off": True}, event(), False),
        ({}, event(alerts=False), False),
        ({}, event("destination.failing", destination="ops"), False),
        ({}, event("destination.failing", destination="erp"), True),
    ],
)
def test_whom_it_tells_of_what(more: dict[str, Any], told: dict[str, Any], wanted: bool) -> None:
    found = destinations_of({"destinations": {"ops": {**SLACK, **more}}})
    (ops,) = [each for each in found.all if each.name == "ops"]
    assert ops.wants(told) is wanted


def test_what_is_critical_keeps_no_quiet_hours() -> None:
    ops = one(quiet="22:00-07:00")
    assert ops.quiet_at(Level.CRITICAL) is None
    assert ops.quiet_at(Level.URGENT) == ops.quiet_at(Level.ORDINARY) == ops.quiet


WRONG: list[tuple[Any, str]] = [
    ({**SLACK, "kind": "mail"}, "kind: Input should be 'topic', 'slack' or 'webhook'"),
    ({"kind": "slack"}, "url: the link is no https link"),
    ({**SLACK, "url": "http://hooks.example.com/x"}, "url: the link is no https link"),
    ({**SLACK, "url": "https://127.0.0.1/x"}, "an address instead of a name"),
    ({**SLACK, "url": "https://hooks.example.com:8443/x"}, "another port"),
    ({**SLACK, "url": "https://me@hooks.example.com/x"}, "names a user"),
    ({**SLACK, "secrets": [SECRET]}, "slack has no secrets"),
    ({**WEBHOOK, "secrets": []}, "a webhook needs secrets"),
    ({**WEBHOOK, "secrets": ["made-up!"]}, "each must be whsec_ and base64"),
    ({**WEBHOOK, "secrets": "made-up"}, "secrets: Input should be a valid list"),
    ({**WEBHOOK, "secrets": [SECRET] * 5}, "at most 4 items"),
    ({**SLACK, "types": ["orders.*"]}, "no event is of type 'orders.*'"),
    ({**SLACK, "levels": ["loud"]}, "Input should be 'ordinary', 'urgent' or 'critical'"),
    ({**SLACK, "quiet": "10pm-7am"}, "such as 22:00-07:00"),
    ({**SLACK, "digest_at": "9"}, "such as 09:15"),
    ({**SLACK, "zone": "Mars/Olympus"}, "such as Asia/Kuala_Lumpur"),
    ({**SLACK, "zone": "../etc/passwd"}, "such as Asia/Kuala_Lumpur"),
    ({**SLACK, "shop": ["74"]}, "shop: Extra inputs are not permitted"),
    ({**SLACK, "shops": [74]}, "shops.0: Input should be a valid string"),
    ({**SLACK, "name": "ops"}, "an object with kind, url"),
    ({"kind": "topic"}, "it alone, is named topic"),
    ("https://hooks.slack.example.com/made-up", "an object with kind, url"),
    (None, "an object with kind, url"),
]


@pytest.mark.parametrize(("entry", "told"), WRONG)
def test_what_is_wrong_is_left_out_and_told_without_its_secrets(entry: Any, told: str) -> None:
    found = destinations_of({"destinations": {"ops": entry, "erp": WEBHOOK}})
    assert [each.name for each in found.all] == ["topic", "erp"]
    (problem,) = found.problems
    assert problem.startswith("destination 'ops': ")
    assert told in problem
    assert "made-up" not in problem
    assert SECRET not in problem


@pytest.mark.parametrize("name", ["Ops", "", "a#b", "a b", "x" * 41, "-a"])
def test_a_name_is_plain(name: str) -> None:
    found = destinations_of({"destinations": {name: SLACK}})
    assert "name: String should match pattern" in found.problems[0]


@pytest.mark.parametrize("secret", [{"destinations": []}, {"destinations": None}])
def test_what_is_no_object_of_destinations_is_told(secret: dict[str, Any]) -> None:
    found = destinations_of(secret)
    assert [each.name for each in found.all] == ["topic"]
    assert found.problems


ADDRESS = "https://hooks.slack.example.com/services/made-up"


@pytest.mark.parametrize("put", [ADDRESS, SECRET, "whsec_Made-up==", "made-up/x"])
def test_an_address_or_secret_in_the_wrong_place_is_not_quoted(put: str) -> None:
    wrong: list[Any] = [
        {put: 1},
        {"destinations": {put: SLACK}},
        {"destinations": {put: 1}},
        {"destinations": {"ops": {**SLACK, put: 1}}},
        {"destinations": {"ops": {**SLACK, "types": [put]}}},
        {"destinations": {"ops": {**SLACK, "levels": [put]}}},
        {"destinations": {"ops": {**SLACK, "kind": put}}},
        {"destinations": {"ops": {**SLACK, "quiet": put}}},
        {"destinations": {"ops": {**SLACK, "zone": put}}},
        {"destinations": {"ops": {**SLACK, "url": f"http://x/{put}"}}},
        {"destinations": {"ops": {**WEBHOOK, "secrets": [f"{put}!"]}}},
        {"destinations": put},
        put,
    ]
    for secret in wrong:
        found = destinations_of(secret)
        assert found.problems, secret
        assert "made-up" not in repr(found.problems).lower(), secret
        assert SECRET.removeprefix("whsec_") not in repr(found.problems), secret


def test_a_key_that_is_none_is_told() -> None:
    assert "'destination'" in destinations_of({"destination": {}}).problems[0]


def test_there_is_an_end_of_destinations() -> None:
    found = destinations_of({"destinations": {f"d{n}": SLACK for n in range(25)}})
    assert len(found.all) == 21
    assert "more than 20" in found.problems[0]


def test_nothing_shows_an_address_or_a_secret_by_accident() -> None:
    found = destinations_of({"destinations": {"ops": SLACK, "erp": WEBHOOK}})
    assert "made-up" not in repr(found)
    assert SECRET not in repr(found)
