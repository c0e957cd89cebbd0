"""Pictures judged by their bytes: which kind, how large, and whether they are whole.

Nothing is decompressed: a picture that unpacks to gigabytes is nobody's trouble here.
"""

import zlib
from dataclasses import dataclass

JPEG, PNG = "image/jpeg", "image/png"
JPEG_MAGIC, PNG_MAGIC = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"

MOST_SIDE = 20_000
"""Pixels: the most that a marketplace takes (`tiktok-shop.md` 5.2), and more than any camera's."""

NOT_FRAMES = (0xC4, 0xC8, 0xCC)
"""Markers between C0 and CF that begin no frame."""

BEGINS_SCAN, ENDS = 0xDA, b"\xff\xd9"

OTHERS = (
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a WEBP picture or a film"),
    (b"%PDF-", "a PDF file"),
    (b"<", "a web page"),
    (b"{", "a message, not a picture"),
)
"""What comes in place of a picture, told apart for people only."""


class NotAPicture(Exception):
    """It is no whole JPEG or PNG picture; the message says what is wrong, for people."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the bytes of a picture say of it; sides in pixels."""

    media_type: str
    width: int
    height: int


def look(data: bytes) -> Picture:
    """What a whole JPEG or PNG picture is, whatever its sender calls it. Raises `NotAPicture`.

    Its parts are walked from start to end, so that one that was cut off is found; what the parts
    hold is not looked at.
    """
    if data.startswith(PNG_MAGIC):
        kind, size, whole = PNG, png_size(data), _is_whole_png(data)
    elif data.startswith(JPEG_MAGIC):
        kind, size, whole = JPEG, jpeg_size(data), _is_whole_jpeg(data)
    else:
        raise NotAPicture(f"it is {_other(data)}; a JPG or PNG picture was expected")
    if size is None or not whole:
        raise NotAPicture("the picture is damaged or was cut off")
    if not all(1 <= side <= MOST_SIDE for side in size):
        raise NotAPicture(f"the picture's sides must have 1 to {MOST_SIDE} pixels")
    return Picture(kind, *size)


def _other(data: bytes) -> str:
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        return "empty"
    return next((name for magic, name in OTHERS if start.startswith(magic)), "something else")


def png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height out of the header, which comes first in every PNG."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _is_whole_png(data: bytes) -> bool:
    """Whether its chunks follow one another from a sound header over some data to the end."""
    header = data[12:29]
    if int.from_bytes(data[8:12]) != 13 or zlib.crc32(header) != int.from_bytes(data[29:33]):
        return False
    at, has_data = 33, False
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        at += 12 + length
        has_data = has_data or (name == b"IDAT" and length > 0)
        if name == b"IEND":
            return has_data and at <= len(data)
    return False


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height out of the first frame header, found by walking the segments."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in NOT_FRAMES:
            height, width = data[at + 5 : at + 7], data[at + 7 : at + 9]
            return int.from_bytes(width), int.from_bytes(height)
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether its segments lead to a scan after a frame, and something ends it."""
    at, framed = 2, False
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if length < 2:
            return False
        if marker == BEGINS_SCAN:
            return framed and data.find(ENDS, at + 2 + length) >= 0
        framed = framed or (0xC0 <= marker <= 0xCF and marker not in NOT_FRAMES)
        at += 2 + length
    return False
