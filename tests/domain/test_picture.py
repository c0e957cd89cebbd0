"""Pictures judged by their bytes alone."""

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.picture import MOST_SIDE, NotAPicture, Picture, look
from tests.builders import patient
from tests.pictures import PDF_FILE, chunk, jpeg, png, whole_jpeg, whole_png

PNG_START = png(120, 120)


def refused(data: bytes) -> str:
    with pytest.raises(NotAPicture) as why:
        look(data)
    return str(why.value)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (whole_png(120, 90), "image/png"),
        (whole_png(120, 90, note=b"of another camera"), "image/png"),
        (whole_png(120, 90) + b"after the end", "image/png"),
        (whole_jpeg(120, 90), "image/jpeg"),
        (whole_jpeg(120, 90) + b"a phone's own data", "image/jpeg"),
        (whole_jpeg(120, 90, scan=b"\xff\x00\xff\xd0" * 9), "image/jpeg"),
    ],
)
def test_a_whole_picture_is_known_by_its_bytes(data: bytes, kind: str) -> None:
    assert look(data) == Picture(kind, 120, 90)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"\r\n  ", "empty"),
        (b"GIF89a" + bytes(80), "a GIF picture"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(80), "a WEBP picture"),
        (PDF_FILE, "a PDF file"),
        (b"<!doctype html><p>Sign in", "a web page"),
        (b"\xef\xbb\xbf\n <html>", "a web page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a web page"),
        (b'{"error": "expired"}', "a message"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(80), "something else"),
        (b"BM" + bytes(80), "something else"),
        (b" " + whole_png(), "something else"),
        (b"\xff\xd8" + bytes(80), "something else"),
    ],
)
def test_what_is_no_jpg_or_png_is_named_for_people(data: bytes, what: str) -> None:
    assert f"it is {what}" in refused(data)


WHOLE = whole_png()
BENT = bytearray(WHOLE)
BENT[20] ^= 1  # its height, which the header's checksum covers


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        PNG_START,
        PNG_START + chunk(b"IEND"),
        PNG_START + chunk(b"IDAT") + chunk(b"IEND"),
        PNG_START + chunk(b"IDAT", b"x"),
        PNG_START + struct.pack(">I", 2**32 - 1) + b"IDAT" + b"x" * 40 + chunk(b"IEND"),
        WHOLE[:-1],
        WHOLE[:-12],
        bytes(BENT),
        WHOLE.replace(b"IHDR", b"JHDR"),
        b"\xff\xd8\xff",
        jpeg(120, 120),
        jpeg(120, 120) + b"\xff\xd9",
        whole_jpeg()[:-2],
        whole_jpeg()[:-1],
        b"\xff\xd8\xff\xda\x00\x08" + bytes(20) + b"\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x00" + bytes(20) + b"\xff\xd9",
        b"\xff\xd8\xff\xe0\xff\xff" + bytes(20) + b"\xff\xd9",
        b"\xff\xd8\xff" + b"\xff" * 60,
    ],
)
def test_a_picture_that_was_cut_off_or_bent_is_damaged(data: bytes) -> None:
    assert "damaged" in refused(data)


@pytest.mark.parametrize(
    "size", [(0, 120), (120, 0), (MOST_SIDE + 1, 120), (120, MOST_SIDE + 1), (2**31, 2**31)]
)
def test_sides_that_no_camera_makes_are_refused(size: tuple[int, int]) -> None:
    # Said by the header alone: nothing is unpacked to find it out.
    body = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND")
    assert "pixels" in refused(png(*size) + body)


def test_the_largest_sides_are_taken() -> None:
    body = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND")
    assert look(png(MOST_SIDE, 1) + body) == Picture("image/png", MOST_SIDE, 1)
    assert look(whole_jpeg(1, MOST_SIDE)) == Picture("image/jpeg", 1, MOST_SIDE)


@pytest.mark.parametrize("data", [whole_png(), whole_jpeg()], ids=["png", "jpeg"])
def test_no_beginning_of_a_picture_passes_for_it(data: bytes) -> None:
    for end in range(len(data)):
        refused(data[:end])


@patient
@given(start=st.sampled_from([b"", PNG_START, jpeg(9, 9), b"\xff\xd8\xff"]), rest=st.binary())
def test_any_bytes_are_a_picture_or_refused(start: bytes, rest: bytes) -> None:
    with suppress(NotAPicture):
        found = look(start + rest)
        assert min(found.width, found.height) >= 1
