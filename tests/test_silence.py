"""A source that normally speaks and has stopped is told: by its own record, by real time, once a
day; and nobody else is."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from benchmarks.units import MeteredStore, item_size
from shipclock import codec, rows
from shipclock.announce import announcement
from shipclock.domain.times import parse, stamp
from shipclock.ports import Change, Key, Put, Row, StoreError
from shipclock.silence import DAY, DAYS, FLOOR, HOUR, Heard, Listener, Speaker, read_heard, span
from shipclock.sweep import Report, Sweep
from tests.fakes import KINDS, FakeClock, Faults, FaultyStore, Gone, MemoryStore
from tests.stage import REAL, START, Stage, tiktok_signature

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WHO: Speaker = ("standard_webhooks", "north 3pl")
KEY = rows.source_key(*WHO)
SECRETS = {WHO[0]: [{"account": WHO[1], "secrets": ["whsec_x"]}]}
LONGEST = timedelta(hours=30)
"""The longest pause of the source in these tests; the others are six hours."""


class World:
    """A table, a clock, and one source in it."""

    def __init__(self, floor: timedelta = FLOOR) -> None:
        self.store = MemoryStore()
        self.clock = FakeClock(REAL)
        self.known: dict[Speaker, datetime] = {}
        self.floor = floor
        self.secrets: Mapping[str, Any] = SECRETS

    def listener(self, now: datetime | None = None, **more: Any) -> Listener:
        told: dict[str, Any] = {"store": self.store, "known": self.known, **more}
        return Listener(
            secrets=lambda: self.secrets,
            floor=self.floor,
            now=now or self.clock.now,
            real=self.clock,
            **told,
        )

    def speaks(self, *times: datetime, who: Speaker = WHO) -> list[Key]:
        return self.listener().note(who, times or [self.clock.now])

    def gets_used_to(self, days: int = 10) -> Heard:
        """The source speaks every six hours and pauses once for longer."""
        self.speaks()
        for turn in range(days * 4):
            self.clock.now += LONGEST if turn == 4 else 6 * HOUR
            self.speaks()
        return self.heard

    def at(self, instant: datetime) -> Key | None:
        """Time passes, and somebody looks."""
        self.clock.now = instant
        return self.listener().look(KEY)

    @property
    def row(self) -> Row:
        return self.store.rows[KEY[0]][KEY[1]]

    @property
    def heard(self) -> Heard:
        return read_heard(self.row)

    @property
    def due(self) -> list[Key]:
        """What stands in the index, at any time."""
        return [d.key for shard in range(rows.SHARDS) for d in self.store.due(shard, "9", 99)]

    def notices(self, kind: str = "") -> list[str]:
        found = self.store.read(KEY[0], rows.NOTICE + kind)
        return [codec.read_notice(row).text for row in found]


@pytest.fixture
def world() -> World:
    return World()


# Who normally speaks, and how long it may be silent


def test_a_source_that_normally_speaks_may_be_silent_for_twice_its_longest_pause() -> None:
    world = World()
    heard = world.gets_used_to()
    silent_at = heard.at + HOUR + 2 * LONGEST
    assert heard.habitual
    assert heard.silent_at(FLOOR) == silent_at
    assert world.at(silent_at - SECOND) is None
    assert world.notices() == []
    assert world.at(silent_at) is not None
    assert len(world.notices("silent")) == 1


def test_no_source_is_told_before_the_floor(world: World) -> None:
    world.floor = timedelta(hours=100)
    heard = world.gets_used_to()
    assert world.at(heard.at + HOUR + timedelta(hours=100) - SECOND) is None
    assert world.at(heard.at + HOUR + timedelta(hours=100)) is not None


@pytest.mark.parametrize(("days", "limit"), [(1, 14), (6, 14), (7, 2)])
def test_a_source_heard_on_few_days_is_told_after_fourteen_floors(days: int, limit: int) -> None:
    heard = Heard(REAL, {f"2026-11-{day:02}": 24 * 3600 for day in range(1, 1 + days)})
    assert heard.silent_at(FLOOR) == REAL + HOUR + limit * DAY


def test_a_source_that_rests_at_weekends_is_not_told_on_one(world: World) -> None:
    monday = datetime.fromisoformat("2026-11-02T08:00:00+00:00")
    for day in range(12):  # two weeks, from Monday to the second Friday
        for hour in range(0, 12, 3):
            world.clock.now = monday + timedelta(days=day, hours=hour)
            if world.clock.now.weekday() < 5:
                world.speaks()
            if KEY[0] in world.store.rows:
                assert world.listener().look(KEY) is None
    assert world.heard.habitual
    assert world.heard.silent_at(FLOOR) > monday + timedelta(days=14, hours=8), "the third Monday"


def test_only_the_last_fourteen_days_count_and_the_row_stays_small(world: World) -> None:
    for turn in range(100 * 8):
        world.clock.now = REAL + turn * 3 * HOUR
        world.speaks()
        assert len(world.heard.pauses) <= DAYS
        assert item_size(world.row) <= 1024, "one write unit"
    assert len(world.heard.pauses) == DAYS
    assert world.heard.longest == 3 * HOUR
    assert min(world.heard.pauses) == (world.heard.at - 13 * DAY).date().isoformat()


def test_a_silence_that_was_told_is_no_habit(world: World) -> None:
    heard = world.gets_used_to()
    assert world.at(heard.at + 5 * DAY)
    world.speaks()
    assert world.heard.longest <= LONGEST
    # and one that was not told because nobody looked is one
    world.clock.now += 5 * DAY
    world.speaks()
    assert world.heard.longest == 5 * DAY


def test_what_waited_for_us_tells_the_pauses_that_there_were(world: World) -> None:
    """After a day without a sweep everything comes at once, in any order."""
    times = [REAL + hour * 2 * HOUR for hour in (0, 5, 1, 3, 2, 4, 12, 6, 8, 7, 9, 10, 11)]
    world.clock.now = REAL + DAY
    world.speaks(*times)
    assert world.heard.at == REAL + DAY
    assert world.heard.longest == 2 * HOUR


def test_what_came_before_the_last_word_or_in_another_age_changes_nothing(world: World) -> None:
    world.gets_used_to()
    before = world.row
    world.known.clear()
    assert world.speaks(world.heard.at - 3 * DAY, world.heard.at - MINUTE) == []
    assert world.row == before
    other: Speaker = ("easypost", "default")
    assert world.speaks(world.clock.now - 15 * DAY, who=other) == []
    assert rows.source_key(*other)[0] not in world.store.rows


# What it costs


def test_a_busy_source_is_written_once_an_hour_and_read_as_often(world: World) -> None:
    world.speaks()
    reads, writes = world.store.reads, world.store.writes
    for minute in range(1, 24 * 60):
        world.clock.now = REAL + minute * MINUTE
        world.speaks()
    assert world.store.writes - writes == 23
    assert world.store.reads - reads == 23


def test_a_process_that_knows_nothing_yet_reads_and_does_not_write(world: World) -> None:
    world.speaks()
    writes = world.store.writes
    world.clock.now += 59 * MINUTE
    listener = world.listener(known={})
    reads = world.store.reads
    for _ in range(3):
        assert listener.note(WHO, [world.clock.now]) == []
    assert (world.store.reads - reads, world.store.writes) == (1, writes)


def test_a_note_costs_three_write_units(world: World) -> None:
    world.gets_used_to()
    metered = MeteredStore(world.store, lambda: "")
    world.clock.now += HOUR
    world.listener(store=metered).note(WHO, [world.clock.now])
    assert metered.by[""].writes == 3


# What is told, and when again


def test_it_is_told_daily_for_as_long_as_anything_is_remembered_of_it(world: World) -> None:
    heard = world.gets_used_to()
    said = []
    for minute in range(0, 20 * 24 * 60, 30):
        at = heard.at + minute * MINUTE
        if world.row.get("due_at", "9") <= stamp(at) and world.at(at):
            said.append((at - heard.at) / DAY)
    first = (2 * LONGEST + HOUR) / DAY
    assert said == [pytest.approx(first + day, abs=0.03) for day in range(len(said))]
    assert 13 < said[-1] < 14.1
    assert KEY not in world.due
    texts = world.notices()
    assert len(texts) == len(said) == len(set(texts))
    assert sum(text.endswith("This is not told again.") for text in texts) == 1


def test_a_source_heard_on_few_days_is_told_once(world: World) -> None:
    world.speaks()
    assert world.at(REAL + 14 * DAY + HOUR) is not None
    assert KEY not in world.due
    assert world.at(REAL + 40 * DAY) is None
    (text,) = world.notices()
    assert "It spoke on 1 of the last fourteen days before. " in text


def test_it_says_who_since_when_how_it_was_before_and_what_to_do(world: World) -> None:
    heard = world.gets_used_to()
    world.at(heard.at + 4 * DAY)
    (text,) = world.notices()
    assert text.startswith(
        f"Nothing has come from standard_webhooks (account north 3pl) for 4 days, since "
        f"{stamp(heard.at)}. It spoke on {len(heard.pauses)} of the last fourteen days before, and "
        "its longest pause was 30 hours. "
    )
    assert "switch a webhook off for good after failures" in text
    assert "`shipclock doctor`" in text
    assert text.endswith("This is told daily.")


def test_of_a_marketplace_it_says_how_its_webhooks_are_registered_anew(world: World) -> None:
    who: Speaker = ("tiktok_shop", "synthkey0001")
    world.secrets = {who[0]: [{"account": who[1], "secrets": ["x"]}]}
    world.speaks(who=who)
    world.clock.now += 15 * DAY
    key = world.listener().look(rows.source_key(*who))
    assert key is not None
    row = world.store.get(key)
    assert row is not None
    assert "`shipclock shops webhooks`" in codec.read_notice(row).text


def test_who_was_told_as_silent_is_told_to_speak_again_once(world: World) -> None:
    heard = world.gets_used_to()
    world.at(heard.at + 4 * DAY)
    world.clock.now += 6 * HOUR
    (key,) = world.speaks()
    world.clock.now += 6 * HOUR
    assert world.speaks() == []
    (text,) = world.notices("speaks_again")
    assert f"speaks again since {stamp(heard.at + 4 * DAY + 6 * HOUR)}, after 4 days. " in text
    assert key in world.due
    assert world.heard.told == 0
    assert stamp(world.heard.silent_at(FLOOR)) == world.row["due_at"]


def test_a_silence_after_a_silence_is_told_anew(world: World) -> None:
    heard = world.gets_used_to()
    world.at(heard.at + 4 * DAY)
    world.speaks()
    assert world.at(world.heard.silent_at(FLOOR))
    assert len(world.notices("silent")) == 2


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(minutes=59), "0 hours"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47, minutes=59), "47 hours"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=3, hours=23), "3 days"),
    ],
)
def test_spans_are_told_in_hours_and_then_in_days(length: timedelta, said: str) -> None:
    assert span(length) == said


@pytest.mark.parametrize(
    "secrets", [{}, {WHO[0]: []}, {WHO[0]: [{"account": "o", "secrets": [""]}]}]
)
def test_an_account_that_was_taken_out_is_not_missed(
    world: World, secrets: Mapping[str, Any]
) -> None:
    heard = world.gets_used_to()
    world.secrets = secrets
    assert world.at(heard.at + 4 * DAY) is None
    assert (world.due, world.notices()) == ([], [])


def test_an_account_whose_secret_cannot_be_used_is(world: World) -> None:
    heard = world.gets_used_to()
    world.secrets = {WHO[0]: "x"}
    assert world.at(heard.at + 4 * DAY) is not None


def test_the_event_names_source_and_account_whatever_the_account_is_called() -> None:
    world = World()
    who: Speaker = ("standard_webhooks", "a#b")
    world.secrets = {who[0]: [{"account": who[1], "secrets": ["x"]}]}
    world.speaks(who=who)
    world.clock.now += 15 * DAY
    key = world.listener().look(rows.source_key(*who))
    assert key is not None
    row = world.store.get(key)
    assert row is not None
    event = announcement(key, row)
    assert (event["type"], event["source"], event["account"]) == ("source.silent", *who)
    assert event["at"] == stamp(world.clock.now)


# Two times


@pytest.mark.parametrize("ahead", [2 * DAY, 30 * DAY, 400 * DAY])
def test_a_now_that_has_run_ahead_tells_nothing_and_leaves_nothing_due(
    world: World, ahead: timedelta
) -> None:
    world.gets_used_to()
    now = world.clock.now + ahead
    if ahead > 3 * DAY:
        assert world.row["due_at"] <= stamp(now)
    assert world.listener(now).look(KEY) is None
    assert world.row["due_at"] > stamp(now)
    assert world.notices() == []


def test_a_now_that_is_behind_tells_nothing(world: World) -> None:
    heard = world.gets_used_to()
    world.clock.now = heard.at + 4 * DAY
    assert world.listener(START).look(KEY) is None
    assert world.notices() == []


# Side by side


class Stale(MemoryStore):
    """A table that somebody changes between a read and the write after it."""

    def __init__(self, store: MemoryStore, change: Any) -> None:
        self.__dict__ = store.__dict__
        self.change = change

    def get(self, key: Key) -> Row | None:
        found = super().get(key)
        change, self.change = self.change, lambda: None
        change()
        return found


def test_of_two_that_look_at_once_one_tells(world: World) -> None:
    heard = world.gets_used_to()
    world.clock.now = heard.at + 4 * DAY
    other = world.listener()
    store = Stale(world.store, lambda: other.look(KEY))
    assert world.listener(store=store).look(KEY) is None
    assert len(world.notices()) == 1


def test_who_speaks_while_somebody_looks_is_not_told(world: World) -> None:
    heard = world.gets_used_to()
    world.clock.now = heard.at + 4 * DAY
    store = Stale(world.store, lambda: world.speaks())
    assert world.listener(store=store).look(KEY) is None
    assert world.notices() == []


@pytest.mark.parametrize("first", [True, False])
def test_of_two_that_note_at_once_one_writes(world: World, first: bool) -> None:
    if not first:
        world.gets_used_to()
        world.clock.now += 6 * HOUR
    later = world.clock.now + 2 * HOUR
    store = Stale(world.store, lambda: world.listener(known={}).note(WHO, [later]))
    known: dict[Speaker, datetime] = {}
    assert world.listener(store=store, known=known).note(WHO, [world.clock.now]) == []
    assert world.heard.at == later
    assert known == {}, "what was not written is not known as noted"


# In a whole Shipclock


class Days:
    """A stage whose story is the present: `now` and the real clock go on together."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.numbers = count()
        self.key = rows.source_key("standard_webhooks", "default")

    def sweep(self) -> Report:
        return self.stage.sweep(self.stage.real.now.replace(microsecond=0))

    def speaks(self) -> None:
        at = self.stage.real.now
        number = f"SYN-{next(self.numbers)}"
        assert self.stage.carrier_tells(number, "in_transit", at).status == 200

    def pass_by(self, span: timedelta) -> None:
        self.stage.real.now += span

    def get_used(self) -> None:
        """Eight days of a callback each half day."""
        for _ in range(16):
            self.speaks()
            self.sweep()
            self.pass_by(12 * HOUR)

    def told(self) -> list[Mapping[str, Any]]:
        return [e for e in self.stage.announced if str(e["type"]).startswith("source.")]

    def lines(self) -> list[str]:
        return [line.fields["source"] for line in self.stage.lines if line.name == "source.silent"]


@pytest.fixture
def days() -> Days:
    found = Days()
    found.get_used()
    assert found.told() == []
    return found


def test_silence_is_announced_counted_and_nothing_stays_due(days: Days) -> None:
    days.pass_by(13 * HOUR - MINUTE)
    days.sweep()
    assert days.told() == []
    days.pass_by(MINUTE)
    report = days.sweep()
    assert (report.due_left, report.failed, report.fired) == (0, 0, 0)
    (event,) = days.told()
    assert event["type"] == "source.silent"
    assert (event["source"], event["account"]) == ("standard_webhooks", "default")
    assert days.lines() == ["standard_webhooks#default"]
    for _ in range(3):
        days.pass_by(7 * HOUR)
        assert days.sweep().due_left == 0
    assert len(days.told()) == 1
    days.pass_by(3 * HOUR)
    days.sweep()
    assert len(days.told()) == len(days.lines()) == 2


def test_a_poke_tells_that_it_speaks_again(days: Days) -> None:
    days.pass_by(2 * DAY)
    days.sweep()
    days.speaks()
    row = days.stage.kept[-1]
    sweep = Sweep(days.stage.world, days.stage.real.now, timedelta(seconds=65))
    sweep.poke([(row["pk"], row["sk"])])
    assert [e["type"] for e in days.told()] == ["source.silent", "source.speaks_again"]
    assert days.sweep().due_left == 0
    assert len(days.told()) == 2


def test_what_waits_to_be_translated_has_been_heard(days: Days) -> None:
    days.pass_by(12 * HOUR)
    days.speaks()
    days.pass_by(12 * HOUR)
    days.sweep()
    assert days.told() == []


def test_what_cannot_be_read_has_been_heard_too(days: Days) -> None:
    days.pass_by(12 * HOUR)
    body = b'{"type": "shipment.tracking.updated", "data": 7}'
    headers = days.stage.carrier_headers(body)
    assert days.stage.ring("standard_webhooks", headers, body).status == 200
    days.pass_by(12 * HOUR)
    days.sweep()
    assert "delivery.quarantined" in {line.name for line in days.stage.lines}
    assert days.told() == []


def test_an_answer_to_a_question_of_ours_is_no_word_of_its_own(days: Days) -> None:
    days.pass_by(12 * HOUR)
    days.speaks()
    kept = days.stage.kept[-1]
    days.stage.memory.write(Change((kept["pk"], kept["sk"]), set={"pulled": True}))
    days.pass_by(12 * HOUR)
    days.sweep()
    assert "due_at" not in days.stage.memory.rows[kept["pk"]][kept["sk"]], "it was translated"
    assert len(days.told()) == 1


def test_what_is_not_authentic_has_not_been_heard(days: Days) -> None:
    days.pass_by(12 * HOUR)
    assert days.stage.ring("standard_webhooks", {}, b"{}").status == 401
    days.pass_by(12 * HOUR)
    days.sweep()
    assert len(days.told()) == 1


def test_a_marketplace_is_a_source_too() -> None:
    days = Days()
    for turn in range(16):
        body = b'{"type":1,"shop_id":"7490000000000000001","data":{},"tts_notification_id":"%d"}'
        told = body % turn
        headers = {"authorization": tiktok_signature(told)}
        assert days.stage.ring("tiktok_shop", headers, told).status == 200
        days.sweep()
        days.pass_by(12 * HOUR)
    days.pass_by(13 * HOUR)
    days.sweep()
    assert [e["source"] for e in days.told()] == ["tiktok_shop"]


def test_a_sweep_without_the_time_to_hear_all_tells_nobody_and_leaves_it_due(days: Days) -> None:
    days.pass_by(2 * DAY)
    stage = days.stage
    report = stage.sweep(stage.real.now, seconds=10)
    assert days.told() == []
    assert report.due_left > 0
    days.sweep()
    assert len(days.told()) == 1


def test_a_bus_that_is_down_leaves_it_due_until_it_is_told(days: Days) -> None:
    days.pass_by(2 * DAY)
    world = days.stage.world

    def down(_: Mapping[str, Any]) -> None:
        raise ConnectionError("no bus")

    world.announce = down
    assert Sweep(world, days.stage.real.now, timedelta(seconds=65)).run().due_left == 0
    assert days.told() == []
    days.pass_by(2 * MINUTE)
    days.sweep()
    assert len(days.told()) == 1


def test_secrets_that_cannot_be_read_put_it_off(days: Days) -> None:
    days.pass_by(2 * DAY)
    world = days.stage.world

    def down() -> Mapping[str, Any]:
        raise ConnectionError("no secret store")

    world.secrets = down
    Sweep(world, days.stage.real.now, timedelta(seconds=65)).run()
    assert "source.failing" in {line.name for line in days.stage.lines}
    assert days.told() == []
    days.pass_by(2 * MINUTE)
    days.sweep()
    assert len(days.told()) == 1
    assert "put_off" not in days.stage.memory.rows[days.key[0]][days.key[1]]


def test_a_word_ends_what_had_put_it_off(world: World) -> None:
    world.gets_used_to()
    world.row["put_off"] = 3
    world.clock.now += 6 * HOUR
    world.speaks()
    assert "put_off" not in world.row


def steps_of(days: Days, faults: Faults) -> None:
    """A source is told as silent, and speaks again, while I/O fails as planned."""
    for speaks in (False, True):
        if speaks:
            days.speaks()
        world = days.stage.world
        world.store = FaultyStore(days.stage.memory, faults)
        try:
            Sweep(world, days.stage.real.now, timedelta(seconds=65)).run()
        except (Gone, StoreError):
            faults.dead = False
        days.pass_by(5 * MINUTE)
        days.sweep()
        days.pass_by(5 * MINUTE)


def test_one_fault_at_any_step_tells_each_thing_and_leaves_the_same() -> None:
    def lived(plan: dict[int, str]) -> tuple[Any, int]:
        days, faults = Days(), Faults(dict(plan))
        days.get_used()
        days.pass_by(2 * DAY)
        steps_of(days, faults)
        days.pass_by(HOUR)
        assert days.sweep().due_left == 0
        days.speaks()  # a note that failed is made up for by the next word
        days.sweep()
        row = days.stage.memory.rows[days.key[0]]
        kinds = sorted(sk.split("#")[1] for sk in row if sk.startswith(rows.NOTICE))
        told = {str(e["type"]) for e in days.told()}
        return (kinds, told, read_heard(row[rows.HEARD]).told), faults.step

    expected, steps = lived({})
    assert expected == (
        ["silent", "speaks_again"],
        {"source.silent", "source.speaks_again"},
        0,
    )
    for step in range(steps):
        for kind in KINDS:
            assert lived({step: kind})[0] == expected, f"{kind} at step {step}"


def test_a_stack_that_travels_in_time_has_no_silent_source() -> None:
    """As in `make demo` and `make up`: real minutes, days of `now` in any direction."""
    days = Days()
    for turn in range(10):
        days.speaks()
        days.pass_by(MINUTE)
        report = days.stage.sweep(START + turn * 2 * DAY)
        assert (report.due_left, report.failed) == (0, 0)
    for ahead in (15, 16, 40, 400, 30):
        report = days.stage.sweep(days.stage.real.now.replace(microsecond=0) + ahead * DAY)
        assert (report.due_left, report.failed) == (0, 0)
    assert days.told() == []


def test_an_odd_delivery_by_hand_notes_nobody() -> None:
    days = Days()
    key = rows.delivery_key("standard_webhooks", "default", "0" * 64)
    days.stage.memory.write(Put({"pk": key[0], "sk": key[1], **rows.mark(key, rows.at_once(REAL))}))
    days.sweep()
    assert days.key[0] not in days.stage.memory.rows


def test_a_floor_that_was_raised_since_counts(days: Days) -> None:
    days.pass_by(2 * DAY)
    world = days.stage.world
    world.silence = timedelta(hours=100)
    Sweep(world, days.stage.real.now, timedelta(seconds=65)).run()
    assert days.told() == []
    row = days.stage.memory.rows[days.key[0]][days.key[1]]
    assert parse(row["due_at"]) == parse(row["heard_at"]) + HOUR + timedelta(hours=100)
