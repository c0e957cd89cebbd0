"""Pictures of deliveries, from a carrier's callback to what the marketplace is shown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from cli import __main__ as entry
from cli import operate, pushes
from shipclock import backoff, fetching, proof_images, rows
from shipclock.blobs import KEPT, put_blob, read_blob
from shipclock.clockwork import Clockwork
from shipclock.codec import read_scan
from shipclock.domain.times import stamp
from shipclock.marketplaces.protocol import Blob
from shipclock.order_view import order_view
from shipclock.ports import Change, FetchFailed, FetchRefused, Put, Row, SecretsFailed, StoreError
from shipclock.proof_images import HOLD, LINK_KEPT, MOST_PER_DELIVERY, MOST_PER_NUMBER, put_images
from shipclock.sources import Delivery, Image, history, jtexpress, ninjavan
from shipclock.sweep import Report, Sweep
from tests.evidence import made, wrong
from tests.fakes import KINDS, FakePictures, Faults, FaultyPictures, FaultyStore, FaultyWire, Gone
from tests.pictures import whole_jpeg, whole_png
from tests.scenes import NUMBER, package, settle, stage_of, under_way
from tests.stage import SECRETS, Stage

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HOST = "images.example.net"
NUMBER_KEY = "SYN0001"
SIGN = "made-up-right-of-access"
PHOTO, OTHER_PHOTO = whole_jpeg(300, 200), whole_jpeg(301, 200)
SIGNATURE = whole_png(200, 150)
SENDER = "synthetic sender secret"


def accounts(*hosts: str, **more: Any) -> Mapping[str, Any]:
    """The sources' secret, with an account of two carriers that lets us fetch from these hosts."""
    listed = [{"account": "my", "secrets": [SENDER], "proof_hosts": list(hosts), **more}]
    return {**SECRETS, "ninjavan": listed, "jtexpress": listed}


def prepared(stage: Stage, *hosts: str) -> Stage:
    stage.secrets = accounts(*(hosts or (HOST,)))
    return stage


@pytest.fixture
def stage() -> Stage:
    return prepared(Stage())


@pytest.fixture
def fleet() -> Stage:
    """A shop whose marketplace wants to be told of deliveries, with a proof."""
    return prepared(stage_of(settings={"hand_marked": True}, own_fleet=True, needs_proof=True))


def pictures(stage: Stage, **has: bytes | FetchRefused | FetchFailed) -> FakePictures:
    """What the carrier has to show from now on, by the names of its links."""
    found = FakePictures({link(name): had for name, had in has.items()})
    stage.pictures = found
    return found


def link(name: str, sign: str = SIGN) -> str:
    return f"https://{HOST}/p/{name}.jpg?sign={sign}"


def delivered(
    stage: Stage, *photos: str, signature: str = "", number: str = NUMBER, **more: Any
) -> None:
    """Ninja Van tells of a delivery, with links to what shows it."""
    proof = {"signature_uri": signature or None, "image_uris": list(photos)}
    body = {
        "tracking_id": number,
        "timestamp": stamp(stage.now),
        "event": "Delivered, Received by Customer",
        "delivery_information": {"proof": proof},
        **more,
    }
    raw = json.dumps(body).encode()
    headers = {ninjavan.HEADER: ninjavan.sign(SENDER, raw)}
    assert stage.ring("ninjavan", headers, raw).status == 200


def delivered_by_jt(stage: Stage, *scans: tuple[str, str], **parcels: str) -> None:
    """J&T Express tells of parcels with all their scans so far: code and pictures of each."""
    listed = [
        {
            "billCode": number,
            "details": [
                {"scanTypeCode": code, "scanTime": f"2026-11-01 1{n}:00:00", "sigPicUrl": shown}
                for n, (code, shown) in enumerate(scans)
            ],
        }
        for number in (parcels.values() or [NUMBER])
    ]
    content = json.dumps(listed)
    raw = urlencode({"bizContent": content}).encode()
    headers = {"digest": jtexpress.sign(SENDER, content)}
    assert stage.ring("jtexpress", headers, raw).status == 200


def album(stage: Stage, number: str = NUMBER_KEY) -> list[Row]:
    """The rows of a number's pictures, as they are named."""
    found = stage.memory.read(proof_images.album(number), rows.IMAGE)
    return sorted(found, key=lambda row: (row["kind"] != "signature", row["place"]))


def states(stage: Stage, number: str = NUMBER_KEY) -> list[str]:
    return [row["state"] for row in album(stage, number)]


def files(stage: Stage, number: str = NUMBER_KEY) -> list[bytes]:
    """The pictures that are kept of a number."""
    pk = proof_images.album(number)
    names = {row["sk"].rpartition("#")[0] for row in stage.memory.read(pk, rows.CARRIER)}
    blobs = [read_blob(stage.memory, f"NUMBER#{number}", name, stage.real.now) for name in names]
    return sorted(blob.data for blob in blobs if blob is not None)


def said(stage: Stage) -> list[Mapping[str, Any]]:
    """What sellers were told of pictures."""
    return [event for event in stage.announced if event["type"] == "order.proof"]


def lines(stage: Stage) -> list[str]:
    return [line.name for line in stage.lines if line.name.startswith("image.")]


def later(stage: Stage, wait: timedelta) -> Report:
    stage.until(stage.now + wait)
    stage.marketplace_tells()
    stage.real.pass_time(wait.total_seconds())
    return stage.sweep()


# Fetched once, where that is wanted


def test_a_picture_that_a_carrier_names_is_fetched_and_kept_once(stage: Stage) -> None:
    had = pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    assert stage.sweep().due_left == 0
    assert (files(stage), states(stage)) == ([PHOTO], ["kept"])
    (row,) = album(stage)
    assert (row["media_type"], row["size"]) == ("image/jpeg", len(PHOTO))
    delivered(stage, link("a"))  # the same bytes
    delivered(stage, link("a"), comments="of another delivery")
    delivered(stage, link("a", sign="signed anew"), comments="once more")
    for _ in range(3):
        assert later(stage, HOUR).due_left == 0
    assert had.asked == [link("a")]
    assert (files(stage), states(stage)) == ([PHOTO], ["kept"])
    assert lines(stage) == ["image.kept"]
    assert not said(stage)


@pytest.mark.parametrize("hosts", [[], None, "images.example.net", ["*"], [""]])
def test_without_the_setting_nothing_is_noted_and_nothing_fetched(
    stage: Stage, hosts: object
) -> None:
    stage.secrets = accounts(proof_hosts=hosts)
    had = pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    assert stage.sweep().due_left == 0
    assert (had.asked, album(stage)) == ([], [])
    assert stage.memory.read("NUMBER#SYN0001", rows.EVENT)


def test_the_setting_of_one_account_is_not_anothers(stage: Stage) -> None:
    (entry,) = accounts(HOST)["ninjavan"]
    stage.secrets = {**SECRETS, "ninjavan": [{**entry, "account": "sg", "secrets": ["x"]}, entry]}
    assert isinstance(stage.secrets["ninjavan"], list)
    entry["proof_hosts"] = []
    had = pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    stage.sweep()
    assert (had.asked, album(stage)) == ([], [])


def test_signature_and_photos_are_all_kept(stage: Stage) -> None:
    pictures(stage, s=SIGNATURE, a=PHOTO, b=OTHER_PHOTO)
    delivered(stage, link("a"), link("b"), signature=link("s"))
    stage.sweep()
    assert files(stage) == sorted([SIGNATURE, PHOTO, OTHER_PHOTO])
    assert [row["kind"] for row in album(stage)] == ["signature", "photo", "photo"]


def test_two_links_to_the_same_picture_are_one_file(stage: Stage) -> None:
    had = pictures(stage, a=PHOTO, b=PHOTO)
    delivered(stage, link("a"), link("b"))
    stage.sweep()
    assert (files(stage), states(stage)) == ([PHOTO], ["kept", "kept"])
    assert len(had.asked) == 2


def test_links_that_differ_in_what_is_signed_alone_are_told_apart_in_one_delivery(
    stage: Stage,
) -> None:
    """Some carriers name the picture there and nowhere else."""
    stage.pictures = FakePictures({link("a", "1"): PHOTO, link("a", "2"): OTHER_PHOTO})
    delivered(stage, link("a", "1"), link("a", "2"))
    stage.sweep()
    assert files(stage) == sorted([PHOTO, OTHER_PHOTO])


def test_a_history_that_is_sent_again_and_again_names_its_pictures_once(stage: Stage) -> None:
    had = pictures(stage, a=PHOTO, b=OTHER_PHOTO)
    both = f"{link('a')}, {link('b')}"
    delivered_by_jt(stage, ("10", ""), ("100", link("a")))
    stage.sweep()
    delivered_by_jt(stage, ("10", ""), ("100", both))
    stage.sweep()
    delivered_by_jt(stage, ("10", ""), ("100", both), ("100", ""))
    stage.sweep()
    assert had.asked == [link("a"), link("b")]
    assert files(stage) == sorted([PHOTO, OTHER_PHOTO])


def test_the_stream_notes_pictures_and_leaves_fetching_to_the_sweep(stage: Stage) -> None:
    had = pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    Sweep(stage.world, stage.now, timedelta(seconds=65)).poke([rows.key_of(stage.kept[-1])])
    assert (had.asked, states(stage)) == ([], ["waiting"])
    stage.sweep()
    assert (had.asked, states(stage)) == ([link("a")], ["kept"])


def test_a_sweep_without_time_fetches_nothing_and_leaves_it_due(stage: Stage) -> None:
    had = pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    Sweep(stage.world, stage.now, timedelta(seconds=65)).poke([rows.key_of(stage.kept[-1])])
    sweep = Sweep(stage.world, stage.now, timedelta(seconds=65))
    stage.real.pass_time(51)
    assert sweep.run().due_left == 1
    assert (had.asked, states(stage)) == ([], ["waiting"])


def test_pictures_that_take_long_are_left_when_the_time_is_over(stage: Stage) -> None:
    class Slow(FakePictures):
        """Each takes as long as it may."""

        def fetch(self, named: str, hosts: Sequence[str]) -> bytes:
            stage.real.pass_time(10)
            return super().fetch(named, hosts)

    had = stage.pictures = Slow({link("a"): PHOTO})
    for n in range(8):
        delivered(stage, link("a"), number=f"SYN-9{n:03}")
    assert stage.sweep(seconds=65).due_left == 2
    assert len(had.asked) == 6


def test_a_picture_that_is_not_due_yet_is_not_fetched_whatever_the_index_says(
    stage: Stage,
) -> None:
    had = pictures(stage)
    delivered(stage, link("a"))
    stage.sweep()
    (row,) = album(stage)
    world = stage.world
    clockwork = Clockwork(stage.real, stage.real.sleep, stage.real.now + HOUR)
    fetches = fetching.Fetching(
        world.store,
        world.pictures,
        lambda source, account: [HOST],
        clockwork,
        stage.now + MINUTE - timedelta(seconds=1),
        lambda name, **said: None,
    )
    fetches.fetch(rows.key_of(row))
    fetches.fetch(("FILES#NUMBER#SYN9", "IMAGE#of nobody"))
    assert len(had.asked) == 1
    replace(fetches, now=stage.now + MINUTE).fetch(rows.key_of(row))
    assert len(had.asked) == 2


def test_what_waits_to_be_fetched_is_no_reason_for_an_alarm(stage: Stage) -> None:
    pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    Sweep(stage.world, stage.now, timedelta(seconds=65)).poke([rows.key_of(stage.kept[-1])])
    stage.real.pass_time(3600)
    sweep = Sweep(stage.world, stage.now, timedelta(seconds=65))
    stage.real.pass_time(60)
    sweep.run()
    (left,) = [line for line in stage.lines if line.name == "sweep.left"]
    assert dict(left.fields) == {"due_left": 1, "OldestDueSeconds": 0}


def test_one_sweep_fetches_only_so_many_and_the_next_goes_on(stage: Stage) -> None:
    numbers = [f"SYN-9{n:03}" for n in range(fetching.MOST + 5)]
    had = pictures(stage, a=PHOTO)
    for number in numbers:
        delivered(stage, link("a"), number=number)
    assert stage.sweep().due_left == 5
    assert len(had.asked) == fetching.MOST
    assert later(stage, MINUTE).due_left == 0
    assert all(states(stage, number.replace("-", "")) == ["kept"] for number in numbers)


def test_of_a_number_only_so_many_pictures_are_taken(stage: Stage) -> None:
    had = pictures(stage)
    for day in range(4):
        stage.until(stage.now + HOUR)
        delivered(stage, *(link(f"{day}-{n}") for n in range(50)))
        stage.sweep()
    assert len(album(stage)) == MOST_PER_NUMBER
    assert len(had.asked) >= MOST_PER_NUMBER
    notes = [line.fields["note"] for line in stage.lines if line.name == "delivery.translated"]
    assert notes[0] == ""
    assert "pictures left out" in notes[-1]


def test_of_a_delivery_only_so_many_pictures_are_taken(stage: Stage) -> None:
    pictures(stage)
    parcels = {f"p{n}": f"SYN8{n:03}" for n in range(MOST_PER_DELIVERY + 7)}
    delivered_by_jt(stage, ("100", link("a")), **parcels)
    stage.sweep()
    assert sum(len(album(stage, number)) for number in parcels.values()) == MOST_PER_DELIVERY
    (note,) = [line.fields["note"] for line in stage.lines if line.name == "delivery.translated"]
    assert note == "pictures left out: 7"
    assert all(stage.memory.read(f"NUMBER#{number}", rows.EVENT) for number in parcels.values())


# Where the link is


def texts(value: object) -> str:
    """Everything in a row as text, packed bytes left out."""
    return repr(value)


def test_a_link_is_in_its_own_row_alone_and_there_only_until_it_is_had(stage: Stage) -> None:
    order_id = under_way(stage)
    pictures(stage, a=FetchFailed(f"{HOST} answered 503"), b=FetchFailed("later"))
    delivered(stage, link("a"), link("b"))
    stage.sweep()
    holding = {
        (pk, sk)
        for pk, partition in stage.memory.rows.items()
        for sk, row in partition.items()
        if SIGN in texts(row)
    }
    assert holding == {rows.key_of(row) for row in album(stage)}
    assert {row["expires_at"] for row in album(stage)} == {
        int((stage.real.now + LINK_KEPT).timestamp())
    }
    pictures(stage, a=PHOTO, b=FetchRefused("the picture was sent packed"))
    later(stage, MINUTE)
    assert states(stage) == ["kept", "refused"]
    assert SIGN not in texts(stage.memory.rows)
    assert SIGN not in texts(stage.lines)
    assert SIGN not in texts(stage.announced)
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    assert HOST not in view.model_dump_json()


def test_what_is_kept_of_a_picture_ends_with_its_file(stage: Stage) -> None:
    pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    stage.sweep()
    (row,) = album(stage)
    assert row["expires_at"] == int((stage.real.now + KEPT).timestamp())
    pieces = stage.memory.read(proof_images.album(NUMBER_KEY), rows.CARRIER)
    assert {piece["expires_at"] for piece in pieces} == {row["expires_at"]}
    stage.real.pass_time(KEPT.total_seconds())
    assert files(stage) == []
    assert proof_images.picture_of(stage.store, row, stage.real.now) is None


# What can't be had


def test_a_picture_that_is_not_there_yet_is_tried_again_ever_more_rarely(stage: Stage) -> None:
    had = pictures(stage)
    delivered(stage, link("a"))
    stage.sweep()
    tries = 1
    for wait in backoff.IMAGE[:3]:
        later(stage, wait - timedelta(seconds=1))
        assert len(had.asked) == tries
        later(stage, timedelta(seconds=1))
        tries += 1
        assert len(had.asked) == tries
    had.has[link("a")] = PHOTO
    later(stage, backoff.IMAGE[3])
    assert (files(stage), states(stage)) == ([PHOTO], ["kept"])
    assert "reason" not in album(stage)[0]
    assert not said(stage)


def test_after_so_many_tries_it_is_gone_and_the_seller_is_told_once(stage: Stage) -> None:
    order_id = under_way(stage)
    had = pictures(stage)
    delivered(stage, link("a"))
    stage.sweep()
    for wait in backoff.IMAGE:
        assert states(stage) == ["waiting"]
        later(stage, wait)
    assert (states(stage), len(had.asked)) == (["gone"], len(backoff.IMAGE) + 1)
    for _ in range(3):
        later(stage, 24 * HOUR)
    assert len(had.asked) == len(backoff.IMAGE) + 1
    (told,) = said(stage)
    assert told["order_id"] == order_id
    assert "photo of the delivery of SYN0001" in told["text"]
    assert "answered 404" in told["text"]
    assert "shipclock files proof" in told["text"]


def test_a_host_that_is_not_listed_is_refused_and_the_seller_reads_which(stage: Stage) -> None:
    under_way(stage)
    had = pictures(stage)
    delivered(stage, "https://evil.test/p/a.jpg?sign=made-up")
    stage.sweep()
    assert (had.asked, states(stage)) == ([], ["refused"])
    (told,) = said(stage)
    assert "evil.test is not among the account's proof_hosts" in told["text"]
    assert "made-up" not in told["text"]


def test_what_the_seller_was_told_of_a_picture_is_bound_with_all_else(stage: Stage) -> None:
    order_id = under_way(stage)
    pictures(stage)
    delivered(stage, "https://evil.test/p/a.jpg?sign=made-up")
    stage.sweep()
    stage.settle_down()
    assert said(stage)
    assert wrong(made(stage, order_id, stage.secrets), stage) == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>Sign in</html>", "a web page"),
        (b"", "empty"),
        (PHOTO[:-2], "cut off"),
        (whole_jpeg(30_000, 10), "pixels"),
    ],
)
def test_what_is_no_picture_is_refused_and_not_kept(stage: Stage, data: bytes, reason: str) -> None:
    under_way(stage)
    had = pictures(stage, a=data)
    delivered(stage, link("a"))
    stage.sweep()
    later(stage, 48 * HOUR)
    assert (files(stage), states(stage), len(had.asked)) == ([], ["refused"], 1)
    assert reason in said(stage)[0]["text"]


def test_of_a_delivery_that_is_shown_by_one_picture_nobody_hears_that_another_is_missing(
    stage: Stage,
) -> None:
    under_way(stage)
    pictures(stage, a=PHOTO, b=FetchRefused("the picture was sent packed"))
    delivered(stage, link("b"), link("a"))
    stage.sweep()
    assert states(stage) == ["refused", "kept"]
    assert not said(stage)


def test_of_several_pictures_that_are_all_missing_the_seller_hears_once(stage: Stage) -> None:
    under_way(stage)
    packed = FetchRefused("the picture was sent packed")
    pictures(stage, a=packed, b=packed, c=packed)
    delivered(stage, link("a"), link("b"), link("c"))
    stage.sweep()
    later(stage, HOUR)
    assert states(stage) == ["refused"] * 3
    assert len(said(stage)) == 1


def test_while_another_picture_may_still_come_nobody_hears_of_one_that_is_missing(
    stage: Stage,
) -> None:
    under_way(stage)
    pictures(stage, a=FetchRefused("the picture was sent packed"))
    delivered(stage, link("a"), link("b"))
    stage.sweep()
    assert states(stage) == ["refused", "waiting"]
    assert not said(stage)
    for wait in backoff.IMAGE:
        later(stage, wait)
    assert states(stage) == ["refused", "gone"]
    assert len(said(stage)) == 1


def test_of_a_number_that_nobody_knows_nobody_hears(stage: Stage) -> None:
    pictures(stage, a=FetchRefused("the picture was sent packed"))
    delivered(stage, link("a"))
    stage.sweep()
    assert states(stage) == ["refused"]
    assert not said(stage)
    assert "due_at" not in album(stage)[0]


def test_what_was_missing_is_tried_again_when_a_carrier_names_it_again(stage: Stage) -> None:
    pictures(stage, a=FetchRefused("the picture was sent packed"))
    delivered(stage, link("a"))
    stage.sweep()
    pictures(stage, a=PHOTO)
    later(stage, HOUR)
    assert states(stage) == ["refused"]
    (row,) = album(stage)
    delivered(stage, link("a"), comments="once more", timestamp=stamp(stage.now - HOUR))
    stage.sweep()
    assert (files(stage), states(stage)) == ([PHOTO], ["kept"])
    assert album(stage)[0]["sk"] == row["sk"]


def test_a_link_that_is_signed_anew_takes_the_place_of_the_old_one(stage: Stage) -> None:
    at = stamp(stage.now)
    had = pictures(stage)
    delivered(stage, link("a"), timestamp=at)
    stage.sweep()
    delivered(stage, link("a", sign="fresh"), timestamp=at)
    had.has[link("a", sign="fresh")] = PHOTO
    later(stage, MINUTE)
    assert had.asked == [link("a"), link("a", sign="fresh")]
    assert (files(stage), states(stage)) == ([PHOTO], ["kept"])


def test_where_the_setting_is_taken_away_nothing_more_is_fetched_and_nobody_told(
    stage: Stage,
) -> None:
    under_way(stage)
    had = pictures(stage)
    delivered(stage, link("a"))
    stage.sweep()
    stage.secrets = accounts()
    later(stage, HOUR)
    assert (len(had.asked), states(stage)) == (1, ["refused"])
    assert "link" not in album(stage)[0]
    assert not said(stage)


def test_a_link_that_nobody_could_follow_for_a_week_is_not_followed(stage: Stage) -> None:
    had = pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    Sweep(stage.world, stage.now, timedelta(seconds=65)).poke([rows.key_of(stage.kept[-1])])
    later(stage, LINK_KEPT)
    assert (had.asked, states(stage)) == ([], ["gone"])


def test_while_the_secret_can_not_be_read_pictures_are_noted_and_wait(stage: Stage) -> None:
    had = pictures(stage, a=PHOTO)

    def fails() -> Mapping[str, Any]:
        raise SecretsFailed("GetParameterError")

    delivered(stage, link("a"))
    world = stage.world
    world.secrets = fails
    Sweep(world, stage.now, timedelta(seconds=65)).run()
    assert (had.asked, states(stage)) == ([], ["waiting"])
    assert stage.memory.read("NUMBER#SYN0001", rows.EVENT), "the scan waits for no secret"
    assert "delivery.quarantined" not in [line.name for line in stage.lines]
    later(stage, HOUR)
    assert states(stage) == ["kept"]


def test_one_picture_that_breaks_the_sweep_holds_up_no_other(stage: Stage) -> None:
    class Broken(FakePictures):
        """Stumbles over one link in a way that nobody has foreseen."""

        def fetch(self, named: str, hosts: Sequence[str]) -> bytes:
            if "/a.jpg" in named:
                raise RuntimeError("a bug")
            return super().fetch(named, hosts)

    stage.pictures = Broken({link("b"): PHOTO})
    delivered(stage, link("a"), link("b"))
    stage.sweep()
    assert states(stage) == ["waiting", "kept"]
    assert "image.failing" in [line.name for line in stage.lines]
    stage.pictures = FakePictures({link("a"): OTHER_PHOTO})
    later(stage, HOUR)
    assert states(stage) == ["kept", "kept"]
    assert "put_off" not in album(stage)[0]


def test_two_sweeps_that_fetch_at_once_keep_it_once(stage: Stage) -> None:
    class Slow(FakePictures):
        """Another sweep runs while the first one waits for its picture."""

        def fetch(self, named: str, hosts: Sequence[str]) -> bytes:
            data = super().fetch(named, hosts)
            if len(self.asked) == 1:
                stage.sweep()
            return data

    stage.pictures = Slow({link("a"): PHOTO})
    delivered(stage, link("a"))
    stage.sweep()
    assert (files(stage), states(stage)) == ([PHOTO], ["kept"])
    assert lines(stage) == ["image.kept"]


def test_two_sweeps_that_are_refused_at_once_tell_it_once(stage: Stage) -> None:
    under_way(stage)

    class Slow(FakePictures):
        """Another sweep runs while the first one waits for its refusal."""

        def fetch(self, named: str, hosts: Sequence[str]) -> bytes:
            self.asked.append(named)
            if len(self.asked) == 1:
                stage.sweep()
            raise FetchRefused("the picture was sent packed")

    stage.pictures = Slow()
    delivered(stage, link("a"))
    stage.sweep()
    assert states(stage) == ["refused"]
    assert (lines(stage), len(said(stage))) == (["image.refused"], 1)


# Pictures that a delivery brings along


def brought(stage: Stage, data: bytes) -> None:
    """An account without any hosts brings the picture itself."""
    delivery = Delivery("ninjavan", "my", b"{}", stage.real.now)
    image = Image(NUMBER_KEY, "scan-1", "photo", data=data)
    put_images(
        stage.store,
        delivery,
        "DELIVERY#x",
        [image, image],
        lambda source, account: False,
        stage.now,
        stage.real.now,
    )


def test_a_picture_that_is_brought_is_kept_without_a_way_to_anywhere(stage: Stage) -> None:
    had = pictures(stage)
    brought(stage, PHOTO)
    brought(stage, PHOTO)
    assert files(stage) == [PHOTO]
    assert {row["state"] for row in album(stage)} == {"kept"}
    assert stage.sweep().due_left == 0
    assert had.asked == []


def test_what_is_brought_and_is_no_picture_is_refused_and_told(stage: Stage) -> None:
    under_way(stage)
    brought(stage, b"%PDF-1.4")
    assert files(stage) == []
    stage.sweep()
    assert "a PDF file" in said(stage)[0]["text"]
    assert all("due_at" not in row for row in album(stage))
    brought(stage, PHOTO)
    assert files(stage) == [PHOTO]


# Shown to the marketplace, where it asks


def uploads(stage: Stage) -> list[bytes]:
    """What the marketplace was sent as proofs."""
    return [file.content for file in stage.sandbox._world.files.values()]


def push(stage: Stage, order_id: str) -> tuple[str, str]:
    """How far the telling of the delivery is, and why."""
    found = stage.judged(order_id).recorded.intents.values()
    (intent,) = [intent for intent in found if intent.call == "deliver"]
    return intent.state.value, intent.reason


def test_the_marketplace_is_shown_the_carriers_picture_with_the_delivery(fleet: Stage) -> None:
    order_id = under_way(fleet)
    pictures(fleet, a=PHOTO)
    delivered(fleet, link("a"))
    fleet.sweep()
    assert uploads(fleet) == []
    later(fleet, 2 * MINUTE)
    assert (uploads(fleet), push(fleet, order_id)) == ([PHOTO], ("done", ""))
    effects = [e.call for e in fleet.effects if e.order_id == order_id]
    assert effects.count("update_package_delivery_status") == 1


def test_a_delivery_waits_to_be_told_while_its_picture_is_fetched(fleet: Stage) -> None:
    order_id = under_way(fleet)
    had = pictures(fleet)
    delivered(fleet, link("a"))
    fleet.sweep()
    assert push(fleet, order_id) == (
        "pending",
        "the carrier's picture of the delivery is being fetched",
    )
    for _ in range(5):
        later(fleet, 2 * MINUTE)
        assert push(fleet, order_id)[0] == "pending"
    had.has[link("a")] = PHOTO
    for _ in range(10):
        later(fleet, 2 * MINUTE)
    assert (uploads(fleet), push(fleet, order_id)[0]) == ([PHOTO], "done")


def test_whoever_settles_a_delivery_sees_that_its_pictures_are_on_their_way(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: list[str] = []
    apply = stage.memory._apply

    def noted(write: Put | Change) -> None:
        put.append(write.key[1].partition("#")[0])
        apply(write)

    monkeypatch.setattr(stage.memory, "_apply", noted)
    pictures(stage, a=PHOTO, b=PHOTO)
    delivered(stage, link("a"), link("b"))
    stage.sweep()
    told = [name for name in put if name in ("IMAGE", "EVENT")]
    assert told[:3] == ["IMAGE", "IMAGE", "EVENT"]


def test_a_delivery_does_not_wait_for_long() -> None:
    stage = prepared(stage_of(settings={"hand_marked": True}, own_fleet=True))
    order_id = under_way(stage)
    pictures(stage)
    delivered(stage, link("a"))
    stage.sweep()
    waited = timedelta(0)
    while push(stage, order_id)[0] == "pending" and waited < 2 * HOLD:
        later(stage, MINUTE)
        waited += MINUTE
    assert push(stage, order_id)[0] == "done"
    assert HOLD <= waited <= HOLD + 2 * MINUTE
    assert uploads(stage) == []


def test_a_delivery_whose_picture_is_refused_waits_no_longer() -> None:
    stage = prepared(stage_of(settings={"hand_marked": True}, own_fleet=True))
    order_id = under_way(stage)
    pictures(stage, a=FetchRefused("the picture was sent packed"))
    delivered(stage, link("a"))
    stage.sweep()
    later(stage, 2 * MINUTE)
    assert (uploads(stage), push(stage, order_id)[0]) == ([], "done")


def test_a_delivery_that_names_no_picture_waits_for_none() -> None:
    stage = prepared(stage_of(settings={"hand_marked": True}, own_fleet=True))
    order_id = under_way(stage)
    delivered(stage)
    stage.sweep()
    assert push(stage, order_id)[0] == "done"


def test_the_sellers_own_proof_comes_first_and_waits_for_nothing(fleet: Stage) -> None:
    order_id = under_way(fleet)
    pictures(fleet)
    name = rows.PROOF + package(fleet, order_id)
    put_blob(fleet.store, order_id, name, Blob("image/png", SIGNATURE), fleet.real.now)
    delivered(fleet, link("a"))
    fleet.sweep()
    assert (uploads(fleet), push(fleet, order_id)[0]) == ([SIGNATURE], "done")


@pytest.mark.parametrize(
    ("signature", "shown"), [(SIGNATURE, SIGNATURE), (whole_png(400, 60), PHOTO)]
)
def test_a_signature_goes_before_a_photo_unless_the_marketplace_does_not_take_it(
    fleet: Stage, signature: bytes, shown: bytes
) -> None:
    order_id = under_way(fleet)
    pictures(fleet, s=signature, a=PHOTO)
    delivered(fleet, link("a"), signature=link("s"))
    fleet.sweep()
    later(fleet, 2 * MINUTE)
    assert (uploads(fleet), push(fleet, order_id)[0]) == ([shown], "done")


def brings(stage: Stage, status: str, *images: tuple[str, bytes]) -> None:
    """A carrier brings pictures, with their kinds, of the scan that says so."""
    scans = [read_scan(row) for row in stage.memory.read("NUMBER#SYN0001", rows.EVENT)]
    (scan,) = [scan.identity for scan in scans if scan.status == status]
    named = [Image(NUMBER_KEY, scan, kind, data=data) for kind, data in images]
    delivery = Delivery("ninjavan", "my", b"{}", stage.real.now)
    at = stage.now, stage.real.now
    put_images(stage.store, delivery, "DELIVERY#x", named, lambda source, account: False, *at)


def heard(stage: Stage) -> None:
    """A delivery is heard of and not told yet."""
    stage.until(stage.now + MINUTE)
    stage.carrier_tells(NUMBER, "delivered", proof="photo")
    Sweep(stage.world, stage.now, timedelta(seconds=65)).poke([rows.key_of(stage.kept[-1])])


def test_of_all_pictures_the_signature_is_shown_whichever_was_named_first(fleet: Stage) -> None:
    order_id = under_way(fleet)
    heard(fleet)
    brings(fleet, "delivered", ("photo", PHOTO), ("photo", OTHER_PHOTO), ("signature", SIGNATURE))
    fleet.sweep()
    assert (uploads(fleet), push(fleet, order_id)[0]) == ([SIGNATURE], "done")


def test_of_several_photos_the_first_is_shown(fleet: Stage) -> None:
    order_id = under_way(fleet)
    heard(fleet)
    brings(fleet, "delivered", *(("photo", whole_jpeg(n, 200)) for n in range(400, 408)))
    fleet.sweep()
    assert (uploads(fleet), push(fleet, order_id)[0]) == ([whole_jpeg(400, 200)], "done")


def test_a_picture_of_the_pickup_shows_no_delivery() -> None:
    stage = prepared(stage_of(settings={"hand_marked": True}, own_fleet=True))
    order_id = under_way(stage)
    brings(stage, "picked_up", ("photo", PHOTO))
    heard(stage)
    stage.sweep()
    assert (uploads(stage), push(stage, order_id)[0]) == ([], "done")


def test_a_picture_that_the_marketplace_does_not_take_keeps_no_delivery_from_being_told() -> None:
    stage = prepared(stage_of(settings={"hand_marked": True}, own_fleet=True))
    order_id = under_way(stage)
    pictures(stage, s=whole_png(400, 60))
    delivered(stage, signature=link("s"))
    stage.sweep()
    later(stage, 2 * MINUTE)
    assert states(stage) == ["kept"]
    assert (uploads(stage), push(stage, order_id)[0]) == ([], "done")


def test_where_the_marketplace_asks_for_no_proof_none_is_shown(stage: Stage) -> None:
    order_id = under_way(stage)
    pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    stage.sweep()
    later(stage, HOUR)
    assert files(stage) == [PHOTO]
    assert uploads(stage) == []
    calls = {intent.call for intent in stage.judged(order_id).recorded.intents.values()}
    assert "deliver" not in calls


def test_a_picture_of_an_account_that_may_not_speak_for_the_shop_is_not_shown() -> None:
    stage = stage_of(settings={"hand_marked": True}, own_fleet=True)
    order_id = under_way(stage)
    stage.secrets = accounts(HOST, shops=["7490000000000000002"])
    pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    stage.sweep()
    assert files(stage) == [PHOTO]
    stage.carrier_tells(NUMBER, "delivered", proof="photo")
    stage.sweep()
    assert (uploads(stage), push(stage, order_id)[0]) == ([], "done")


def test_a_picture_of_a_sender_that_is_not_certain_is_kept_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unsigned = partial(history.tracked, confirmed=False)
    monkeypatch.setattr(ninjavan, "tracked", unsigned)
    stage = prepared(stage_of(settings={"hand_marked": True}, own_fleet=True))
    order_id = under_way(stage)
    pictures(stage, a=PHOTO)
    delivered(stage, link("a"))
    stage.sweep()
    assert files(stage) == [PHOTO]
    stage.until(stage.now + MINUTE)
    stage.carrier_tells(NUMBER, "delivered", proof="photo")
    stage.sweep()
    assert (uploads(stage), push(stage, order_id)[0]) == ([], "done")


def test_what_such_an_account_could_not_show_is_not_told_to_the_shop() -> None:
    stage = stage_of(settings={"hand_marked": True}, own_fleet=True)
    under_way(stage)
    stage.secrets = accounts(HOST, shops=["7490000000000000002"])
    pictures(stage, a=FetchRefused("the picture was sent packed"))
    delivered(stage, link("a"))
    stage.sweep()
    assert states(stage) == ["refused"]
    assert not said(stage)


def test_a_picture_named_for_a_scan_of_another_account_is_not_shown() -> None:
    """Two accounts of one carrier that tell the same scan: its picture is of who may speak."""
    stage = stage_of(settings={"hand_marked": True}, own_fleet=True)
    order_id = under_way(stage)
    at = stamp(stage.now)
    stage.secrets = accounts(HOST, shops=["7490000000000000002"])
    pictures(stage, a=PHOTO, b=OTHER_PHOTO)
    stage.until(stage.now + MINUTE)
    mine = accounts(HOST)["ninjavan"][0] | {"account": "sg"}
    foreign = stage.secrets
    stage.secrets = {**SECRETS, "ninjavan": [mine]}
    delivered(stage, timestamp=at, signature=link("b"))
    stage.real.pass_time(1)
    stage.secrets = foreign
    delivered(stage, timestamp=at, signature=link("a"))
    stage.secrets = {**SECRETS, "ninjavan": [mine, *foreign["ninjavan"]]}
    stage.sweep()
    later(stage, 2 * MINUTE)
    assert files(stage) == sorted([PHOTO, OTHER_PHOTO])
    assert (uploads(stage), push(stage, order_id)[0]) == ([OTHER_PHOTO], "done")


def test_a_picture_of_an_earlier_parcel_with_the_number_is_not_shown(fleet: Stage) -> None:
    pictures(fleet, a=PHOTO, b=OTHER_PHOTO)
    delivered(fleet, link("a"))  # before the order was placed
    fleet.sweep()
    fleet.until(fleet.now + 240 * HOUR)
    order_id = under_way(fleet)
    fleet.until(fleet.now + HOUR)
    delivered(fleet, link("b"))
    fleet.sweep()
    later(fleet, 2 * MINUTE)
    assert files(fleet) == sorted([PHOTO, OTHER_PHOTO])
    assert (uploads(fleet), push(fleet, order_id)[0]) == ([OTHER_PHOTO], "done")


# For people


def shipclock(stage: Stage, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """What the command says."""
    monkeypatch.setattr(operate, "open_store", lambda table: stage.store)
    monkeypatch.setattr(pushes, "real", lambda: stage.real.now)
    result = CliRunner().invoke(entry.main, ["files", "pictures", *words])
    assert not result.exception or isinstance(result.exception, SystemExit | pushes.AskError)
    return result.output or str(result.exception)


def test_a_person_sees_each_picture_and_what_became_of_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    order_id = under_way(stage)
    assert "No carrier has named a picture" in shipclock(stage, monkeypatch, order_id)
    pictures(stage, s=SIGNATURE, a=FetchRefused("the picture was sent packed"))
    delivered(stage, link("a"), link("b"), signature=link("s"))
    stage.sweep()
    told = shipclock(stage, monkeypatch, order_id, "--out", str(tmp_path / "new"))
    assert [line.split(" (")[0] for line in told.splitlines()] == [
        "kept     signature of SYN0001, by ninjavan my",
        f"         {tmp_path}/new/SYN0001-0.png",
        "refused  photo of SYN0001, by ninjavan my: the picture was sent packed",
        "waiting  photo of SYN0001, by ninjavan my: images.example.net answered 404",
    ]
    assert (tmp_path / "new" / "SYN0001-0.png").read_bytes() == SIGNATURE
    assert SIGN not in told


def test_a_person_has_what_was_missing_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = under_way(stage)
    stage.secrets = accounts("other.example.net")
    had = pictures(stage, a=PHOTO, b=OTHER_PHOTO)
    delivered(stage, link("a"), link("b"))
    stage.sweep()
    assert states(stage) == ["refused", "refused"]
    stage.secrets = accounts(HOST)
    told = shipclock(stage, monkeypatch, order_id, "--again")
    assert "1 of 1 deliveries" in told
    assert stage.sweep().due_left == 0
    assert (len(had.asked), files(stage)) == (2, sorted([PHOTO, OTHER_PHOTO]))
    assert "0 of 0" in shipclock(stage, monkeypatch, order_id, "--again")


def test_what_a_delivery_that_is_no_longer_kept_has_named_can_not_be_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = under_way(stage)
    pictures(stage, a=FetchRefused("the picture was sent packed"))
    delivered(stage, link("a"))
    stage.sweep()
    del stage.memory.rows[stage.kept[-1]["pk"]]
    assert "0 of 1 deliveries" in shipclock(stage, monkeypatch, order_id, "--again")
    stage.real.pass_time(KEPT.total_seconds())
    assert "No carrier has named a picture" in shipclock(stage, monkeypatch, order_id)


# Whatever breaks off


class Story:
    """A delivery with two pictures, of which one is refused; told with the other."""

    def __init__(self) -> None:
        own = stage_of(settings={"hand_marked": True}, own_fleet=True, needs_proof=True)
        self.stage = prepared(own)
        self.order_id = under_way(self.stage)
        self.other = "SYN-0002"
        pictures(self.stage, a=PHOTO, b=FetchRefused("the picture was sent packed"))
        self.stage.carrier_tells(self.other, "picked_up", order_id=self.order_id)
        settle(self.stage)
        delivered(self.stage, link("b"), link("a"))
        delivered(self.stage, link("b"), number=self.other)

    def sweep_with(self, faults: Faults) -> None:
        world = self.stage.world
        world.store = FaultyStore(self.stage.memory, faults)
        world.wire = FaultyWire(self.stage.wire, faults)
        world.pictures = FaultyPictures(self.stage.pictures, faults)
        try:
            Sweep(world, self.stage.now, timedelta(seconds=65)).run()
        except (Gone, StoreError):
            return

    def heal(self) -> None:
        for _ in range(6):
            left = later(self.stage, HOUR).due_left
        assert left == 0, "something stays due for ever"

    def outcome(self) -> dict[str, Any]:
        notices = {(told["order_id"], told["text"]) for told in said(self.stage)}
        return {
            "files": files(self.stage),
            "states": states(self.stage) + states(self.stage, "SYN0002"),
            "links": SIGN in texts(self.stage.memory.rows),
            "shown": set(uploads(self.stage)),
            "push": push(self.stage, self.order_id),
            "told": len(notices),
            "effects": [e.call for e in self.stage.effects if e.order_id == self.order_id].count(
                "update_package_delivery_status"
            ),
        }


def lived(*plans: dict[int, str]) -> dict[str, Any]:
    story = Story()
    for plan in plans:
        story.sweep_with(Faults(dict(plan)))
        story.stage.real.pass_time(90)
        story.stage.until(story.stage.now + 2 * MINUTE)
    story.heal()
    return story.outcome()


def steps() -> list[int]:
    """How many steps the sweeps take that fetch and that show, where nothing goes wrong."""
    story, found = Story(), []
    for _ in range(2):
        faults = Faults()
        story.sweep_with(faults)
        found.append(faults.step)
        story.stage.real.pass_time(90)
        story.stage.until(story.stage.now + 2 * MINUTE)
    return found


UNDISTURBED = {
    "files": [PHOTO],
    "states": ["refused", "kept", "refused"],
    "links": False,
    "shown": {PHOTO},
    "push": ("done", ""),
    "told": 1,
    "effects": 1,
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_fault_at_any_step_of_fetching_or_showing_changes_nothing_in_the_end(
    kind: str,
) -> None:
    assert lived() == UNDISTURBED
    fetching_steps, showing_steps = steps()
    for step in range(fetching_steps):
        assert lived({step: kind}) == UNDISTURBED, f"{kind} at step {step} of fetching"
    for step in range(showing_steps):
        assert lived({}, {step: kind}) == UNDISTURBED, f"{kind} at step {step} of showing"
