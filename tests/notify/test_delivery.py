"""A destination that does not take a message: tried again, waited for, given up, and told of."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from shipclock import backoff, codec, rows
from shipclock.domain.clock import Notice
from shipclock.notify.destinations import destinations_of
from shipclock.notify.health import again, went_well
from shipclock.ports import (
    OutletFailed,
    OutletRefused,
    Put,
    SecretMalformed,
    SecretsFailed,
    Taken,
)
from shipclock.sweep import Sweep
from tests.fakes import FakeOutlets, Gone
from tests.notify.people import HOOK, SECRET, SLACK, SLACKS, WEBHOOK, People

NO_TOPIC = {"topic": {"kind": "topic", "off": True}}
REAL_GAP = timedelta(seconds=1)


def people(**destinations: Any) -> People:
    return People(destinations={**NO_TOPIC, **(destinations or {"erp": WEBHOOK})})


def answering(*answers: Any) -> FakeOutlets:
    return FakeOutlets(answers={HOOK: list(answers), SLACK: list(answers), "topic": list(answers)})


def message_of(one: People, name: str = "erp") -> Mapping[str, Any]:
    (row,) = [
        row
        for pk, found in one.stage.memory.rows.items()
        for sk, row in found.items()
        if pk.startswith(f"TELL#{name}#") and sk.startswith(rows.MESSAGE)
    ]
    return row


def lines(one: People, name: str) -> list[Mapping[str, Any]]:
    return [line.fields for line in one.stage.lines if line.name == name]


def kinds(one: People) -> list[str]:
    return [str(event["type"]) for event in one.stage.announced]


FAILURES = [
    (Taken(500), "it answered 500"),
    (Taken(301), "it answered 301"),
    (Taken(404), "it answered 404"),
    (Taken(429), "it answered 429"),
    (OutletFailed("erp.example.com took longer than 8 seconds"), "longer than 8 seconds"),
    (OutletRefused("erp.example.com leads to an address that is not public"), "not public"),
]


@pytest.mark.parametrize(("answer", "reason"), FAILURES)
def test_what_is_not_taken_is_tried_again_as_the_table_says_and_then_told(
    answer: Any, reason: str
) -> None:
    one = people()
    told = one.happens("urgent")
    outlets = answering(answer, answer)
    one.sweep(outlets=outlets)
    assert reason in message_of(one)["reason"]
    one.sweep(outlets=outlets)
    assert len(outlets.answers[HOOK]) == 1, "not before its time"
    one.passes(1)
    one.sweep(outlets=outlets)
    one.passes(4)
    one.sweep(outlets=outlets)
    assert outlets.posted == []
    one.passes(1)
    one.sweep(outlets=outlets)
    ((_, _, body),) = outlets.posted
    assert [event["id"] for event in json.loads(body)["data"]["events"]] == [told]
    assert message_of(one)["state"] == "told"
    assert "reason" not in message_of(one)
    assert one.stage.memory.get(rows.destination_key("erp"))["failures"] == 0  # type: ignore[index]


def test_the_id_and_the_body_stay_and_the_signature_is_fresh_at_every_try() -> None:
    one = people()
    one.happens("urgent")
    seen: list[tuple[str, str, bytes]] = []

    class Slow(FakeOutlets):
        def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
            seen.append((headers["webhook-id"], headers["webhook-timestamp"], body))
            return Taken(503)

    for wait in (0, 1, 5, 15):
        one.passes(wait)
        one.sweep(outlets=Slow())
    assert len(seen) == 4
    assert len({told for told, _, _ in seen}) == len({body for _, _, body in seen}) == 1
    assert len({at for _, at, _ in seen}) == 4


@pytest.mark.parametrize(
    ("asked", "minutes"),
    [
        ("120", 2),
        ("0", 1),
        ("-5", 1),
        ("9999999999", 24 * 60),
        ("soon", 1),
        ("", 1),
        ("Wed, 21 Oct 2026", 1),
    ],
)
def test_what_it_asks_us_to_wait_is_heeded_up_to_a_day(asked: str, minutes: int) -> None:
    one = people()
    one.happens("urgent")
    outlets = answering(Taken(429, asked))
    one.sweep(outlets=outlets)
    one.passes(minutes - 0.1)
    one.sweep(outlets=outlets)
    assert outlets.posted == []
    one.passes(0.2)
    one.sweep(outlets=outlets)
    assert len(outlets.posted) == 1


@pytest.mark.parametrize(("status", "heeded"), [(429, True), (503, True), (500, False)])
def test_one_that_asks_us_to_wait_is_sent_nothing_else_meanwhile(status: int, heeded: bool) -> None:
    one = people()
    first = one.happens("critical")
    one.sweep(outlets=answering(Taken(status, "3600")))
    one.passes(1)
    second = one.happens("critical")
    one.sweep()
    assert (one.events() == []) is heeded
    one.passes(58.9)
    one.sweep()
    assert (one.events() == []) is heeded
    one.passes(0.2)
    one.sweep()
    assert sorted(one.events()) == sorted([first, second])
    assert "not_before" not in (one.stage.memory.get(rows.destination_key("erp")) or {})


def test_a_trial_that_is_taken_ends_the_wait() -> None:
    one = people()
    one.happens("critical")
    one.sweep(outlets=answering(Taken(429, "3600")))
    erp = destinations_of(one.stage.destinations).named("erp")
    assert erp is not None
    went_well(one.stage.memory, erp, one.now)
    one.passes(1)
    second = one.happens("critical")
    one.sweep()
    assert one.events() == [second]


def test_a_date_to_wait_for_is_real_time() -> None:
    one = people()
    one.happens("urgent")
    until = one.stage.real.now + timedelta(minutes=30)
    outlets = answering(Taken(503, format_datetime(until.astimezone(UTC), usegmt=True)))
    one.sweep(outlets=outlets)
    assert message_of(one)["due_at"] == rows.at(one.now + timedelta(minutes=30))


def test_after_the_last_try_it_is_given_up_told_and_sent_once_a_person_asks() -> None:
    one = people(erp=WEBHOOK, ops=SLACKS)
    told = one.happens("urgent")

    class Down(FakeOutlets):
        def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
            if url == HOOK:
                raise OutletFailed("erp.example.com can't be reached")
            return super().post(url, headers, body)

    down = Down()
    one.sweep(outlets=down)
    for wait in backoff.MESSAGE:
        one.passes(wait.total_seconds() / 60)
        one.sweep(outlets=down)
    row = message_of(one)
    assert (row["state"], row["board_pk"]) == ("dead", rows.UNTOLD)
    assert "due_at" not in row
    assert lines(one, "message.dead")[0]["destination"] == "erp"
    assert kinds(one).count("destination.failing") == 1
    one.passes(1)
    one.sweep(outlets=down)
    slack = "".join(body.decode() for url, _, body in down.posted)
    assert "can't be reached" in slack, "others are told"
    assert message_of(one)["state"] == "dead"
    key = rows.key_of(dict(row))
    assert again(one.stage.memory, key, one.stage.real.now)
    assert not again(one.stage.memory, key, one.stage.real.now)
    one.sweep()
    assert told in one.events()
    assert "board_pk" not in message_of(one)


def test_410_means_stop_and_tell_until_it_has_another_address() -> None:
    one = people(erp=WEBHOOK, ops=SLACKS)
    first = one.happens("urgent")
    outlets = FakeOutlets(answers={HOOK: [Taken(410)]})
    one.sweep(outlets=outlets)
    assert kinds(one).count("destination.gone") == 1
    assert lines(one, "destination.gone")[0]["destination"] == "erp"
    second = one.happens("urgent")
    for _ in range(30):
        one.passes(60)
        one.sweep(outlets=outlets)
    assert [url for url, _, _ in outlets.posted if url == HOOK] == []
    assert kinds(one).count("destination.gone") == 1
    told = "".join(body.decode() for url, _, body in outlets.posted if url == SLACK)
    assert "410" in told
    new = "https://erp.example.com/new"
    one.stage.destinations = {"destinations": {**NO_TOPIC, "erp": {**WEBHOOK, "url": new}}}
    for _ in range(2):
        one.passes(60)
        one.sweep(outlets=outlets)
    found = [
        event["id"]
        for url, _, body in outlets.posted
        if url == new
        for event in json.loads(body)["data"]["events"]
    ]
    assert first in found, "what waited goes to the new address"
    assert second not in found, "what came while it was gone was told elsewhere"


def test_one_that_is_gone_again_on_the_same_day_is_told_again() -> None:
    one = people(erp=WEBHOOK, ops=SLACKS)
    erp = destinations_of(one.stage.destinations).named("erp")
    assert erp is not None
    for _ in range(2):
        one.happens("critical")
        one.sweep(outlets=FakeOutlets(answers={HOOK: [Taken(410)]}))
        went_well(one.stage.memory, erp, one.now)  # as `shipclock notify test` does
        one.passes(30)
    one.sweep()
    assert kinds(one).count("destination.gone") == 2


@pytest.mark.parametrize("wrong", [{"kind": "webhook"}, "x", {**WEBHOOK, "off": True}, None])
def test_what_waits_for_a_destination_that_is_malformed_off_or_missing_is_kept_for_days(
    wrong: Any,
) -> None:
    one = people()
    told = one.happens("ordinary")
    one.sweep()
    entry = {} if wrong is None else {"erp": wrong}
    one.stage.destinations = {"destinations": {**NO_TOPIC, **entry}}
    one.until(one.now + timedelta(days=2), every=180)
    assert one.events() == []
    one.stage.destinations = {"destinations": {**NO_TOPIC, "erp": WEBHOOK}}
    one.until(one.now + timedelta(hours=3))
    assert one.events() == [told]


@pytest.mark.parametrize("level", ["ordinary", "urgent"])
def test_after_that_it_is_given_up_aloud_and_sent_once_a_person_asks(level: str) -> None:
    one = people(erp={**WEBHOOK, "quiet": "00:00-23:59"})
    told = one.happens(level)
    one.sweep()
    one.stage.destinations = {"destinations": NO_TOPIC}
    one.until(one.now + timedelta(days=9), every=300)
    (dead,) = lines(one, "message.dead")
    assert "its destination is not in the secret" in str(dead["reason"])
    one.stage.destinations = {"destinations": {**NO_TOPIC, "erp": WEBHOOK}}
    assert again(one.stage.memory, rows.key_of(dict(message_of(one))), one.stage.real.now)
    one.sweep()
    assert one.events() == [told]


def test_a_destination_that_is_down_holds_up_no_other_and_no_sweep() -> None:
    one = people(erp=WEBHOOK, ops=SLACKS)
    one.happens("urgent")
    one.happens("critical")
    outlets = FakeOutlets(answers={HOOK: [OutletFailed("no")] * 9})
    report = one.sweep(outlets=outlets)
    assert report is not None
    assert report.due_left == 0
    assert len(outlets.answers[HOOK]) == 8, "after the first failure the others wait"
    assert [url for url, _, _ in outlets.posted] == [SLACK, SLACK]


def test_a_sweep_without_time_leaves_messages_due() -> None:
    one = people()
    one.happens("urgent")
    outlets = FakeOutlets()
    world = one.stage.world
    world.outlets = outlets
    report = Sweep(world, one.now, timedelta(seconds=9)).run()
    assert outlets.posted == []
    assert report.due_left == 1
    one.sweep(outlets=outlets)
    assert len(outlets.posted) == 1


def test_the_next_minute_s_sweep_repeats_no_try_that_is_still_under_way() -> None:
    one = people()
    one.happens("critical")
    outlets = FakeOutlets()

    class Slow(FakeOutlets):
        def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
            world = one.stage.world
            world.outlets = outlets
            one.stage.real.pass_time(2)
            Sweep(world, one.now + timedelta(minutes=1), timedelta(seconds=65)).run()
            return super().post(url, headers, body)

    slow = Slow()
    one.sweep(outlets=slow)
    assert (len(slow.posted), len(outlets.posted)) == (1, 0)
    for _ in range(5):
        one.passes(1)
        one.sweep(outlets=outlets)
    assert outlets.posted == []


def test_a_try_of_which_nobody_knows_the_end_is_made_again_by_the_sweep_after_the_next() -> None:
    one = people()
    told = one.happens("critical")

    class Dies(FakeOutlets):
        def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
            raise Gone

    one.sweep(outlets=Dies())
    one.passes(1)
    one.sweep()
    assert one.events() == []
    one.passes(1)
    one.sweep()
    assert one.events() == [told]


def test_of_many_messages_those_that_press_most_go_first() -> None:
    one = people(erp={**WEBHOOK, "zone": "Asia/Kuala_Lumpur"})
    for shop_id in (f"shop-{number}" for number in range(45)):
        notice = Notice("untracked", "reminder", one.now, "day", "So.", "ordinary")
        row = codec.notice_row(rows.order_pk(shop_id), notice, one.stage.real.now, shop_id)
        assert one.stage.store.write(Put(row))
    one.sweep()
    outlets = FakeOutlets()
    one.passes(44)
    one.sweep(outlets=outlets)
    one.passes(1)
    one.sweep(outlets=outlets)
    assert len(outlets.posted) == 20, "the digests of 09:15"
    one.passes(1)
    one.happens("urgent")
    one.happens("critical")
    one.sweep(outlets=outlets)
    levels = [json.loads(body)["data"]["level"] for _, _, body in outlets.posted[20:]]
    assert levels == ["critical", "urgent", *["ordinary"] * 18]


def test_a_topic_that_fails_is_tried_again() -> None:
    one = People()
    one.happens("urgent")
    outlets = answering(OutletFailed("the topic did not take it: Throttling"))
    one.sweep(outlets=outlets)
    assert outlets.published == []
    one.passes(1)
    one.sweep(outlets=outlets)
    assert len(outlets.published) == 1


# The secret


def test_while_the_secret_cannot_be_read_events_go_to_the_bus_and_people_are_told_later() -> None:
    one = people()
    told = one.happens("urgent")
    world = one.stage.world

    def away() -> Mapping[str, Any]:
        raise SecretsFailed("GetParameterError")

    world.destinations = away
    Sweep(world, one.now, timedelta(seconds=65)).run()
    assert [event["id"] for event in one.stage.announced] == [told]
    assert lines(one, "announcement.failing")
    one.passes(2)
    one.sweep()
    assert one.events() == [told]
    assert [event["id"] for event in one.stage.announced] == [told], "and to the bus no more"


def test_while_the_secret_cannot_be_read_the_bus_is_told_all_at_once_and_each_once() -> None:
    one = people()
    told = [one.happens("critical") for _ in range(120)]
    world, asked = one.stage.world, 0

    def away() -> object:
        nonlocal asked
        asked += 1
        raise SecretsFailed("GetParameterError")

    world.destinations = away
    for sweep in range(1, 4):
        Sweep(world, one.now, timedelta(seconds=65)).run()
        assert sorted(event["id"] for event in one.stage.announced) == sorted(told)
        assert asked == sweep, "once a sweep"
        one.passes(1)
    one.sweep()
    assert sorted(one.events()) == sorted(told)
    assert len(one.stage.announced) == 120
    left = [row for found in one.stage.memory.rows.values() for row in found.values()]
    assert not any("announced" in row for row in left)


def test_a_secret_that_fails_while_messages_wait_costs_a_sweep_nothing_else() -> None:
    one = people()
    told = one.happens("urgent")
    one.sweep(outlets=answering(Taken(500)))
    one.passes(1)
    world = one.stage.world

    def away() -> Mapping[str, Any]:
        raise SecretsFailed("GetParameterError")

    world.destinations = away
    report = Sweep(world, one.now, timedelta(seconds=65)).run()
    assert report.due_left == 0
    assert [fields["key"] for fields in lines(one, "message.failing")]
    for _ in range(10):
        one.passes(1)
        Sweep(world, one.now, timedelta(seconds=65)).run()
    one.passes(1)
    one.sweep()
    assert one.events() == [told], "a minute after it is back"


@pytest.mark.parametrize(
    "secret", [{"destinations": []}, {"destinations": {"a b": 1}}, {"x": 1}, [], "x", None]
)
def test_a_secret_that_is_malformed_is_told_and_the_topic_is_told_all(secret: Any) -> None:
    one = People()
    one.stage.destinations = secret
    one.happens("urgent")
    outlets = FakeOutlets()
    one.sweep(outlets=outlets)
    assert len(outlets.published) == 1
    assert lines(one, "destination.malformed")


def test_a_secret_that_is_no_json_is_told_and_the_topic_is_told_all() -> None:
    one = People()
    told = one.happens("critical")
    world, outlets = one.stage.world, FakeOutlets()

    def broken() -> object:
        raise SecretMalformed("TransformParameterError")

    world.destinations, world.outlets = broken, outlets
    Sweep(world, one.now, timedelta(seconds=65)).run()
    assert [event["id"] for event in one.stage.announced] == [told]
    assert len(outlets.published) == 1
    assert lines(one, "destination.malformed")


def test_no_secret_and_no_address_is_logged_announced_or_told() -> None:
    one = people(erp=WEBHOOK, ops=SLACKS)
    one.happens("urgent")
    down = FakeOutlets(answers={HOOK: [Taken(410)], SLACK: [OutletFailed("no")] * 20})
    for wait in (timedelta(0), *backoff.MESSAGE):
        one.passes(wait.total_seconds() / 60)
        one.sweep(outlets=down)
    said = repr(one.stage.lines) + repr(one.stage.announced) + repr(down.published)
    kept = repr(one.stage.memory.rows)
    for secret in (SECRET, SECRET.removeprefix("whsec_"), "made-up", SLACK, HOOK):
        assert secret not in said
        assert secret not in kept


def test_what_is_of_no_shop_goes_to_everybody_in_the_destination_s_own_time() -> None:
    start = datetime(2026, 6, 1, 13, 0, tzinfo=UTC)
    one = People(
        start=start,
        destinations={**NO_TOPIC, "erp": {**WEBHOOK, "zone": "Europe/Berlin", "shops": ["74"]}},
    )
    notice = Notice("easypost", "silent", one.now, "1", "Silent.")
    row = codec.notice_row("SOURCE#easypost#default", notice, one.stage.real.now)
    assert one.stage.store.write(Put(row))
    one.happens("urgent")
    one.sweep()
    (message,) = one.told()
    body = json.loads(message.body)["data"]
    assert (body["shop_id"], len(body["events"])) == (None, 1)
    assert body["events"][0]["type"] == "source.silent"


@pytest.mark.parametrize(
    "when", ["Thu, 01 Jan 2026 00:00:00 " + "9" * 30, "Thu, 99999999999999999999 Jan 2026 00:00:00"]
)
def test_a_time_to_wait_until_that_can_not_be_is_none(when: str) -> None:
    one = people()
    one.happens("critical")
    for _ in range(40):
        one.sweep(outlets=answering(Taken(503, when)))
        one.passes(12 * 60)
    assert message_of(one)["state"] == "dead"
