"""Asking providers: when, how often, what becomes of the answers, and what can't go wrong."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock import backoff, codec, rows
from shipclock.clockwork import Clockwork
from shipclock.domain.number import normal
from shipclock.domain.tracking import UNCONFIRMED, Scan
from shipclock.ports import HttpReply, HttpRequest, NoAnswer, NotSent, Put, Row, StoreError, Wire
from shipclock.pulls import CALLS, MOST, SOON, Outside, Pulls, pull_key
from shipclock.sources import Delivery, seventeentrack
from shipclock.sweep import Report
from shipclock.world import Line
from tests.builders import REAL, sample, scan
from tests.fakes import KINDS, Faults, FaultyStore, FaultyWire, Gone
from tests.stage import SECRETS, SHOP_ID, START, Stage

KEY = "synthetic 17track key"
ACCOUNT = {"account": "default", "secrets": [KEY], "pull": {}}
NUMBER = "SYN000101"
HOUR = timedelta(hours=1)
DELIVERED = sample("seventeentrack/delivered.json")["data"]
MOVING = sample("seventeentrack/in_transit.json")["data"]


def answer(*accepted: Any, rejected: tuple[Any, ...] = (), code: int = 0) -> HttpReply:
    data = {"accepted": list(accepted), "rejected": list(rejected)}
    return HttpReply(200, {}, json.dumps({"code": code, "data": data}).encode())


@dataclass
class Provider:
    """17TRACK's API before the network: what it is asked, and what it answers."""

    network: Wire
    reply: Callable[[HttpRequest], HttpReply] = lambda request: answer(MOVING)
    asked: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpReply:
        if not request.url.startswith("https://api.17track.net/"):
            return self.network.send(request)
        self.asked.append(request)
        return self.reply(request)

    @property
    def numbers(self) -> list[list[str]]:
        return [[each["number"] for each in json.loads(r.body)] for r in self.asked]


class Scene:
    """A stage whose 17TRACK account may be asked with. The story's clock is moved by hand."""

    def __init__(self, **account: Any) -> None:
        self.stage = Stage()
        self.stage.secrets = {**SECRETS, "seventeentrack": [{**ACCOUNT, **account}]}
        self.provider = Provider(self.stage.network)
        self.stage.wire = self.provider
        self.at = START + timedelta(days=30)  # after all that the samples tell

    def tell(self, body: Any = None, number: str = "SYN-000 101") -> None:
        told = json.loads(json.dumps(body or sample("seventeentrack/in_transit.json")))
        told["data"]["number"] = number
        raw = json.dumps(told).encode()
        headers = {"sign": seventeentrack.sign(KEY, raw)}
        assert self.stage.ring("seventeentrack", headers, raw).status == 200

    def sweep(self, after: timedelta = timedelta(0)) -> Report:
        self.at += after
        self.stage.real.pass_time(60)
        return self.stage.sweep(self.at)

    def row(self, number: str = NUMBER) -> Row:
        found = self.stage.memory.get(pull_key(number, "seventeentrack", "default"))
        assert found is not None
        return found

    def scans(self, number: str = NUMBER) -> list[Scan]:
        told = self.stage.memory.read(rows.number_pk(number), rows.EVENT)
        return [codec.read_scan(row) for row in told]

    def lines(self, name: str) -> list[Any]:
        return [line.fields for line in self.stage.lines if line.name == name]


def test_a_parcel_that_nothing_new_is_said_of_is_asked_about_after_six_hours() -> None:
    scene = Scene()
    scene.tell()
    assert scene.sweep().due_left == 0
    assert scene.provider.asked == []
    scene.sweep(6 * HOUR - timedelta(minutes=1))
    assert scene.provider.asked == []
    scene.sweep(timedelta(minutes=1))
    assert scene.provider.numbers == [["SYN-000 101"]]
    (request,) = scene.provider.asked
    assert request.url == "https://api.17track.net/track/v2.4/gettrackinfo"
    assert request.headers["17token"] == KEY


def test_news_of_it_puts_the_question_off() -> None:
    scene = Scene()
    scene.tell()
    scene.sweep()
    scene.sweep(5 * HOUR)
    scene.tell(sample("seventeentrack/failed_attempt.json"))
    scene.sweep()
    scene.sweep(5 * HOUR)
    assert scene.provider.asked == []
    scene.sweep(HOUR)
    assert len(scene.provider.asked) == 1


def test_the_answer_is_kept_translated_and_settled_in_the_same_sweep() -> None:
    scene = Scene()
    scene.tell()
    scene.sweep()
    known = {scan.identity for scan in scene.scans()}
    scene.provider.reply = lambda request: answer(DELIVERED)
    report = scene.sweep(6 * HOUR)
    new = [scan for scan in scene.scans() if scan.identity not in known]
    assert "delivered" in {scan.status for scan in new}
    assert all(scan.confirmed and scan.account == "default" for scan in new)
    assert report.due_left == 0
    kept = [
        row
        for rows_ in scene.stage.memory.rows.values()
        for row in rows_.values()
        if row.get("pulled")
    ]
    assert [json.loads(rows.body_of(row))["data"]["accepted"] for row in kept] == [[DELIVERED]]


def test_what_the_answer_repeats_is_no_second_event() -> None:
    scene = Scene()
    scene.tell()
    scene.sweep()
    before = {scan.identity for scan in scene.scans()}
    scene.sweep(6 * HOUR)
    assert len(scene.provider.asked) == 1
    assert {scan.identity for scan in scene.scans()} == before


def test_asking_ends_where_the_parcels_way_does() -> None:
    scene = Scene()
    scene.tell(sample("seventeentrack/delivered.json"))
    scene.sweep()
    for _ in range(5):
        assert scene.sweep(12 * HOUR).due_left == 0
    assert scene.provider.asked == []
    assert "due_at" not in scene.row()


def test_asking_is_ever_rarer_and_ends_in_any_case() -> None:
    scene = Scene()
    scene.tell()
    waits, last = [], scene.at
    for _ in range(24 * 80):
        before = len(scene.provider.asked)
        scene.sweep(HOUR)
        if len(scene.provider.asked) > before:
            waits.append(round((scene.at - last) / HOUR))
            last = scene.at
    assert waits[:7] == [7, 6, 6, 12, 12, 24, 24]
    assert len(waits) == MOST
    assert "due_at" not in scene.row()


def test_forty_numbers_go_into_one_question_and_a_sweep_asks_so_many_only() -> None:
    scene = Scene()
    count = 40 * CALLS + 5
    for place in range(count):
        scene.stage.memory.write(pull_put(f"SYN{place:06d}", scene.at))
    scene.provider.reply = lambda request: answer(rejected=({"error": {"code": -18019902}},))
    report = scene.stage.sweep(scene.at, seconds=600)
    assert [len(numbers) for numbers in scene.provider.numbers] == [40] * CALLS
    assert report.due_left == 5
    scene.stage.sweep(scene.at)
    asked = [number for numbers in scene.provider.numbers for number in numbers]
    assert len(asked) == len(set(asked)) == count


def pull_put(number: str, at: datetime) -> Put:
    key = pull_key(number, "seventeentrack", "default")
    row = {"pk": key[0], "sk": key[1], "source": "seventeentrack", "account": "default"}
    return Put({**row, "pulls": 0, **rows.mark(key, rows.at(at))})


@pytest.mark.parametrize(
    "reply",
    [
        HttpReply(401, {}, b""),
        HttpReply(429, {}, b"too fast"),
        HttpReply(500, {}, b""),
        HttpReply(302, {"location": "https://elsewhere.example"}, b""),
        HttpReply(200, {}, b"x" * (350 * 1024 + 1)),
        NoAnswer("the connection broke off"),
        NotSent("no connection"),
    ],
    ids=["401", "429", "500", "302", "large", "no answer", "not sent"],
)
def test_a_provider_that_does_not_answer_is_asked_again_ever_later(reply: Any) -> None:
    scene = Scene()
    scene.tell()
    scene.sweep()

    def failing(request: HttpRequest) -> HttpReply:
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, HttpReply)
        return reply

    scene.provider.reply = failing
    assert scene.sweep(6 * HOUR).due_left == 0
    assert scene.row()["failures"] == 1
    assert scene.row()["due_at"] == rows.at(scene.at + backoff.PULL_FAILED[0])
    (line,) = scene.lines("pull.failed")
    assert KEY not in repr(line)
    scene.sweep(timedelta(minutes=5))
    assert scene.row()["due_at"] == rows.at(scene.at + backoff.PULL_FAILED[1])
    scene.provider.reply = lambda request: answer(DELIVERED)
    scene.sweep(timedelta(minutes=15))
    assert scene.row()["failures"] == 0
    assert "delivered" in {scan.status for scan in scene.scans()}


def test_one_account_that_fails_holds_up_no_other() -> None:
    scene = Scene()
    other = {**ACCOUNT, "account": "other", "secrets": ["another key"]}
    scene.stage.secrets = {**SECRETS, "seventeentrack": [ACCOUNT, other]}
    for key, number in ((KEY, "SYN000101"), ("another key", "SYN000102")):
        body = sample("seventeentrack/in_transit.json")
        body["data"]["number"] = number
        raw = json.dumps(body).encode()
        scene.stage.ring("seventeentrack", {"sign": seventeentrack.sign(key, raw)}, raw)
    scene.sweep()

    def reply(request: HttpRequest) -> HttpReply:
        return HttpReply(401, {}, b"") if request.headers["17token"] == KEY else answer(MOVING)

    scene.provider.reply = reply
    scene.sweep(6 * HOUR)
    assert sorted(scene.provider.numbers) == [["SYN000101"], ["SYN000102"]]
    assert len(scene.lines("pull.failed")) == len(scene.lines("pull.answered")) == 1


@pytest.mark.parametrize("odd", [{"pull": {"key": 5}}, {"pull": {"url": []}}])
def test_an_odd_setting_is_told_and_costs_only_the_asking(odd: dict[str, Any]) -> None:
    scene = Scene(**odd)
    scene.tell()
    scene.sweep()
    assert scene.sweep(6 * HOUR).due_left == 0
    (line,) = scene.lines("pull.failed")
    assert "must be a text" in line["fault"]
    assert scene.provider.asked == []


@pytest.mark.parametrize("pull", [None, True, "yes", []])
def test_an_account_that_does_not_say_so_is_never_asked_with(pull: object) -> None:
    scene = Scene(pull=pull)
    scene.tell()
    scene.sweep()
    scene.sweep(48 * HOUR)
    assert scene.provider.asked == []
    assert scene.stage.memory.get(pull_key(NUMBER, "seventeentrack", "default")) is None


def test_an_account_that_was_taken_out_is_asked_with_no_more() -> None:
    scene = Scene()
    scene.tell()
    scene.sweep()
    scene.stage.secrets = SECRETS
    assert scene.sweep(6 * HOUR).due_left == 0
    assert scene.provider.asked == []
    assert "due_at" not in scene.row()


def test_an_answer_that_can_not_be_read_waits_for_a_person_and_asking_goes_on() -> None:
    scene = Scene()
    scene.tell()
    scene.sweep()
    scene.provider.reply = lambda request: HttpReply(200, {}, b"<html>maintenance</html>")
    scene.sweep(6 * HOUR)
    assert len(scene.lines("delivery.quarantined")) == 1
    scene.provider.reply = lambda request: answer(DELIVERED)
    scene.sweep(6 * HOUR)
    assert "delivered" in {scan.status for scan in scene.scans()}


def test_what_the_provider_does_not_know_is_noted() -> None:
    scene = Scene()
    scene.tell()
    scene.sweep()
    unknown = {"number": NUMBER, "error": {"code": -18019902, "message": "made up"}}
    scene.provider.reply = lambda request: answer(rejected=(unknown,))
    scene.sweep(6 * HOUR)
    notes = [line["note"] for line in scene.lines("delivery.translated")]
    assert "rejected, by code: -18019902" in notes


def shipped(scene: Scene) -> tuple[str, str]:
    """An order that the marketplace has collected, and its number, of which nobody tells."""
    sandbox = scene.stage.sandbox
    order_id = sandbox.add_order(
        SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1}, shipping_type="TIKTOK"
    )
    sandbox.arrange(order_id)
    sandbox.collect(order_id)
    scene.stage.marketplace_tells()
    scene.sweep()
    (package,) = scene.stage.judged(order_id).order.packages
    assert package.provider == PROVIDER
    return order_id, package.tracking_number


PROVIDER = "Synthetic Post"


@pytest.mark.parametrize(
    ("carriers", "asked"),
    [
        (["Synthetic Post"], True),
        (["synthetic-post MY"], True),
        (["*"], True),
        (["Other Express"], False),
        ([], False),
    ],
)
def test_a_shipped_parcel_that_nobody_tells_of_is_asked_about_by_its_carriers_name(
    carriers: list[str], asked: bool
) -> None:
    scene = Scene(pull={"carriers": carriers})
    order_id, number = shipped(scene)
    scene.provider.reply = lambda request: answer({**DELIVERED, "number": number})
    scene.sweep(6 * HOUR)
    scene.sweep()
    assert scene.provider.numbers == ([[normal(number)]] if asked else [])
    (package,) = scene.stage.judged(order_id).order.packages
    assert bool(package.parcel and package.parcel.scans) is asked


# Unconfirmed words


def pulls_at(scene: Scene, now: datetime) -> Pulls:
    stage = scene.stage
    clockwork = Clockwork(stage.real, stage.real.sleep, stage.real.now + timedelta(minutes=1))

    def tell(name: str, **fields: Any) -> None:
        stage.lines.append(Line(name, fields))

    outside = Outside(
        stage.store, stage.wire, lambda: stage.secrets, clockwork, tell, timedelta(days=180)
    )
    return Pulls(outside, now)


def test_unconfirmed_words_have_the_provider_asked_at_once_but_not_at_every_callback() -> None:
    scene = Scene()
    doubtful = scan("delivered", source="seventeentrack", flags=(UNCONFIRMED,))
    told = Delivery("seventeentrack", "default", b"{}", REAL)
    now = scene.at
    pulls_at(scene, now).watch(told, [scan("in_transit"), doubtful])
    assert scene.row()["due_at"] == rows.at(now)
    pulls_at(scene, now + HOUR).watch(told, [doubtful])
    assert scene.row()["due_at"] == rows.at(now), "an earlier question is not put off"
    pulls_at(scene, now + HOUR).run([rows.key_of(scene.row())])
    answered = now + HOUR
    assert len(scene.provider.asked) == 1
    assert scene.row()["due_at"] == rows.at(answered + backoff.PULL[0])
    pulls_at(scene, answered).watch(told, [doubtful])
    assert scene.row()["due_at"] == rows.at(answered + SOON)


def test_an_end_that_is_unconfirmed_ends_no_asking() -> None:
    scene = Scene()
    doubtful = scan("delivered", source="seventeentrack", flags=(UNCONFIRMED,))
    scene.stage.memory.write(Put(codec.scan_row(doubtful, REAL)))
    told = Delivery("seventeentrack", "default", b"{}", REAL)
    pulls_at(scene, scene.at).watch(told, [doubtful])
    pulls_at(scene, scene.at).run([rows.key_of(scene.row())])
    assert len(scene.provider.asked) == 1


def test_an_answer_asks_no_further_question() -> None:
    scene = Scene()
    told = Delivery("seventeentrack", "default", b"{}", REAL, pulled=True)
    pulls_at(scene, scene.at).watch(told, [scan("in_transit")])
    assert scene.stage.memory.get(pull_key(NUMBER, "seventeentrack", "default")) is None


# Crashes


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_breaks_off_is_done_again(kind: str) -> None:
    """Each I/O step of the sweep that asks fails once; the next sweeps bring the same end."""
    for step in range(300):
        scene = Scene()
        scene.tell()
        scene.sweep()
        scene.provider.reply = lambda request: answer(DELIVERED)
        faults = Faults({step: kind})
        scene.stage.store = FaultyStore(scene.stage.memory, faults)
        scene.stage.wire = FaultyWire(scene.provider, faults)
        with suppress(Gone, StoreError):
            scene.sweep(6 * HOUR)
        fired = faults.step > step
        scene.stage.store, scene.stage.wire = scene.stage.memory, scene.provider
        for _ in range(6):
            scene.sweep(6 * HOUR)
        assert "delivered" in {scan.status for scan in scene.scans()}
        assert "due_at" not in scene.row()
        if not fired:
            assert step > 10
            return
    raise AssertionError("a sweep of more than 300 steps")
