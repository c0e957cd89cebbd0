"""The sweeper function, from a schedule's or a stream's event to what it answers."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parameters.exceptions import (
    GetParameterError,
    TransformParameterError,
)

from shipclock import rows, wiring
from shipclock.domain.times import stamp
from shipclock.ports import Change, Key, Put, Row, SecretMalformed, SecretsFailed, StoreError, Write
from shipclock.settings import SettingMissing, SweeperSettings
from shipclock.sweep import TimeRefused
from tests.fakes import MemoryStore
from tests.functions.doors import SWEEPER_ENV, Context, environment, event, load
from tests.stage import REAL, SHOP_ID, START, Stage


class Broken(MemoryStore):
    """A table that answers nothing."""

    def get(self, key: Key) -> Row | None:
        raise StoreError("no answer")

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        raise StoreError("no answer")

    def write(self, write: Put | Change) -> bool:
        raise StoreError("no answer")

    def commit(self, writes: Sequence[Write]) -> bool:
        raise StoreError("no answer")


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture(autouse=True)
def world_around(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, SWEEPER_ENV)
    monkeypatch.setattr(wiring, "real", lambda: REAL)


def started(stage: Stage, monkeypatch: pytest.MonkeyPatch, time_travel: str = "off") -> ModuleType:
    monkeypatch.setenv("SHIPCLOCK_TIME_TRAVEL", time_travel)

    def world(settings: Any, say: Any) -> Any:
        found = stage.world
        found.say = say
        return found

    monkeypatch.setattr(wiring, "world", world)
    return load("sweeper")


def schedule(now: datetime | str) -> dict[str, Any]:
    return event("schedule", time=now if isinstance(now, str) else stamp(now))


def stream(*keys: tuple[str, str]) -> dict[str, Any]:
    whole = event("stream")
    (record,) = whole["Records"]
    made = []
    for pk, sk in keys:
        named = {"pk": {"S": pk}, "sk": {"S": sk}}
        made.append({**record, "dynamodb": {**record["dynamodb"], "Keys": named}})
    return {"Records": made}


def placed(stage: Stage) -> str:
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT")
    assert stage.marketplace_tells()
    return order_id


def test_a_schedule_event_sweeps_at_its_own_time_and_answers_as_promised(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = placed(stage)
    app = started(stage, monkeypatch, "on")
    answer = app.handler(schedule(START + timedelta(hours=1)), Context())
    assert answer == {"settled": 1, "fired": 0, "pushed": 0, "failed": 0, "due_left": 0}
    head = stage.memory.get((rows.order_pk(order_id), rows.HEAD))
    assert head is not None
    assert head["settled_at"] == stamp(START + timedelta(hours=1))
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.parametrize("off", [timedelta(0), timedelta(minutes=10), -timedelta(minutes=10)])
def test_a_time_up_to_ten_minutes_off_is_believed(
    off: timedelta, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = started(stage, monkeypatch)
    assert app.handler(schedule(REAL + off), Context())["due_left"] == 0


@pytest.mark.parametrize(
    "off", [timedelta(minutes=10, seconds=1), -timedelta(minutes=10, seconds=1), timedelta(days=16)]
)
def test_a_time_further_off_is_refused_unless_time_travel_is_on(
    off: timedelta,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    placed(stage)
    reads = stage.memory.reads
    with pytest.raises(TimeRefused, match="more than ten minutes from the clock"):
        started(stage, monkeypatch).handler(schedule(REAL + off), Context())
    assert stage.memory.reads == reads, "nothing was looked at"
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any(line.get("TimeRefused") == [1.0] for line in said)
    travelling = started(stage, monkeypatch, "on")
    assert travelling.handler(schedule(REAL + off), Context())["settled"] == 1


@pytest.mark.parametrize("time", ["", "now", "2026-11-23T12:00:00", "2026-11-23"])
@pytest.mark.parametrize("time_travel", ["on", "off"])
def test_what_is_no_time_is_refused(
    time: str, time_travel: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TimeRefused, match="no usable time"):
        started(stage, monkeypatch, time_travel).handler(schedule(time), Context())


@pytest.mark.parametrize("word", ["", "ON", "true", "1", "yes", "off "])
def test_time_travel_is_on_by_its_one_word_only(
    word: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TimeRefused):
        started(stage, monkeypatch, word).handler(schedule(REAL + timedelta(days=1)), Context())


def test_a_stream_event_translates_and_settles_and_calls_no_marketplace(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = placed(stage)
    keys = [rows.key_of(row) for row in stage.kept]
    app = started(stage, monkeypatch)
    assert app.handler(stream(*keys), Context()) == {"batchItemFailures": []}
    head = stage.memory.get((rows.order_pk(order_id), rows.HEAD))
    assert head is not None
    assert head["status"] == "AWAITING_SHIPMENT"
    assert stage.sandbox.calls == []
    assert [
        stage.memory.get(key) for key in keys if "due_at" in (stage.memory.get(key) or {})
    ] == []


def test_a_stream_event_told_twice_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed(stage)
    keys = [rows.key_of(row) for row in stage.kept]
    app = started(stage, monkeypatch)
    app.handler(stream(*keys), Context())
    once = json.dumps(stage.memory.rows, default=repr, sort_keys=True)
    app.handler(stream(*keys, *keys), Context())
    assert json.dumps(stage.memory.rows, default=repr, sort_keys=True) == once


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [("DELIVERY#tiktok_shop#a#b", "DELIVERY")],
        [("DELIVERY#", "DELIVERY"), ("", "")],
    ],
)
def test_a_stream_event_about_nothing_there_is_answered_all_the_same(
    keys: list[tuple[str, str]], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = started(stage, monkeypatch)
    assert app.handler(stream(*keys), Context()) == {"batchItemFailures": []}


def test_a_stream_event_never_raises_even_where_the_table_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    placed(stage)
    keys = [rows.key_of(row) for row in stage.kept]
    stage.store = Broken()
    app = started(stage, monkeypatch)
    assert app.handler(stream(*keys), Context()) == {"batchItemFailures": []}
    assert "table.failing" in capsys.readouterr().out


def test_a_delivery_that_breaks_the_translation_holds_up_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = placed(stage)
    (good,) = [rows.key_of(row) for row in stage.kept]
    bad = ("DELIVERY#tiktok_shop#a#b", "DELIVERY")
    assert stage.memory.write(Put({"pk": bad[0], "sk": bad[1], "due_at": "0#", "due_pk": "0"}))
    app = started(stage, monkeypatch)
    assert app.handler(stream(bad, good), Context()) == {"batchItemFailures": []}
    assert stage.memory.get((rows.order_pk(order_id), rows.HEAD)) is not None


def test_one_line_is_logged_for_what_happened_and_none_holds_a_secret(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    placed(stage)
    app = started(stage, monkeypatch, "on")
    app.handler(schedule(START), Context())
    said = capsys.readouterr().out
    messages = [json.loads(line).get("message") for line in said.splitlines()]
    assert "delivery.translated" in messages
    assert "sweep.left" in messages
    for secret in ("synthetic-app-secret", "TTP_access", "TTP_refresh", "whsec_"):
        assert secret not in said


@pytest.mark.parametrize(
    ("work", "line"),
    [
        ("shipclock.lanes.Lanes._work_in", "shop.failing"),
        ("shipclock.sweep.settle", "order.failing"),
    ],
)
def test_whatever_work_raises_is_counted_for_an_alarm(
    work: str,
    line: str,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*given: Any, **named: Any) -> None:
        raise ZeroDivisionError

    placed(stage)
    app = started(stage, monkeypatch, "on")
    monkeypatch.setattr(work, broken)
    app.handler(schedule(START), Context())
    said = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert line in {one.get("message") for one in said}
    assert [one["OrderFailing"] for one in said if "OrderFailing" in one]


NEEDED = (
    "SHIPCLOCK_TABLE",
    "SHIPCLOCK_SOURCES_SECRET",
    "SHIPCLOCK_BUS",
    "SHIPCLOCK_TOPIC",
    "SHIPCLOCK_MARKETPLACE_URL",
    "SHIPCLOCK_AUTH_URL",
)


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_variable_stops_the_start_and_is_named(
    name: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SettingMissing, match=name):
        started(stage, monkeypatch)


def test_a_silent_source_is_counted_and_the_shortest_silence_is_the_templates(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {**SWEEPER_ENV, "AWS_DEFAULT_REGION": "us-east-1", "SHIPCLOCK_SILENCE_HOURS": "5"}
    environment(monkeypatch, told)
    wired = wiring.world(SweeperSettings.from_env(told), lambda line: None)
    assert stage.carrier_tells("SYN-1", "in_transit", REAL).status == 200
    app = started(stage, monkeypatch)
    app.world.silence = wired.silence
    app.handler(schedule(REAL), Context())
    for hours, silent in ((14 * 5, 0), (14 * 5 + 1, 1)):
        capsys.readouterr()
        stage.real.now = REAL + timedelta(hours=hours)
        monkeypatch.setattr(wiring, "real", stage.real)
        answer = app.handler(schedule(stage.real.now), Context())
        assert (answer["failed"], answer["due_left"]) == (0, 0)
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert sum(line.get("SourceSilent", [0])[0] for line in said) == silent


@pytest.mark.parametrize("fault", [GetParameterError, TransformParameterError])
def test_a_secret_that_can_not_be_had_is_told_without_its_words(
    fault: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        """A secret store that quotes what it could not read."""

        def __init__(self, **named: Any) -> None:
            pass

        def get(self, name: str, **named: Any) -> object:
            raise fault("made-up-secret is no JSON")

    monkeypatch.setattr(wiring, "SecretsProvider", Failing)
    monkeypatch.setattr("boto3.client", lambda *named, **more: None)
    with pytest.raises(SecretsFailed) as told:
        wiring.secret("any")()
    assert isinstance(told.value, SecretMalformed) is (fault is TransformParameterError)
    assert "made-up" not in repr(told.value)
    assert told.value.__suppress_context__
