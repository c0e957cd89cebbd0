"""Files: proofs that a seller uploads, and whatever this marketplace hands out by address.

Partner Center: "Upload Proof of Delivery Image" (JPG or PNG, 5 MB, 100 to 20,000 pixels a side) and
"Upload Proof of Delivery File" (PDF, 10 MB), both for sellers with a fleet of their own. Files are
served under `/_files/`, unsigned, as by a content network: unknown or expired is a bare 404 or 403.
The codes of a file that is too large or of another kind are not published: 36009004 here.
"""

from __future__ import annotations

import hashlib
import struct

from sandbox import wire
from sandbox.gate import Asked
from sandbox.kept import File
from sandbox.wire import BAD_PARAMETER, Refusal, Reply, Request
from sandbox.world import World, record

PREFIX = "/_files/"
LARGEST_IMAGE = 5 << 20
LARGEST_PDF = 10 << 20
_SIDES = (100, 20_000)
_KINDS = {"image/png": "png", "image/jpeg": "jpg", "application/pdf": "pdf", "text/plain": "zpl"}


def keep(world: World, file: File) -> str:
    """Keep a file and return the address it is found at."""
    number = world.count("file")
    seed = f"{number} {file.shop_id}".encode() + file.content
    name = f"{hashlib.sha256(seed).hexdigest()[:32]}.{_KINDS[file.content_type]}"
    world.files[name] = file
    return f"{world.base_url}{PREFIX}{name}"


def known(world: World, shop_id: str, url: str) -> File | None:
    """The file of this shop behind an address, None for any other address."""
    start = f"{world.base_url}{PREFIX}"
    file = world.files.get(url.removeprefix(start)) if url.startswith(start) else None
    return file if file and file.shop_id == shop_id else None


def serve(world: World, request: Request) -> Reply:
    """The answer to a request for a file."""
    file = world.files.get(request.path.removeprefix(PREFIX))
    plain = {"Content-Type": "text/plain"}
    if request.method not in ("GET", "HEAD"):
        return Reply(405, plain, b"method not allowed")
    if file is None:
        return Reply(404, plain, b"no such file")
    if file.until is not None and file.until <= world.real_now():
        return Reply(403, plain, b"the address has expired")
    return Reply(200, {"Content-Type": file.content_type}, file.content)


def upload_image(world: World, asked: Asked) -> dict[str, object]:
    """Upload Proof of Delivery Image."""
    _check_fleet(asked)
    content = _data(asked, LARGEST_IMAGE)
    sides = _png_sides(content) or _jpeg_sides(content)
    if sides is None:
        raise Refusal(BAD_PARAMETER, "data must be a JPG or PNG image")
    if not all(_SIDES[0] <= side <= _SIDES[1] for side in sides):
        raise Refusal(BAD_PARAMETER, f"an image measures {_SIDES[0]} to {_SIDES[1]} pixels a side")
    kind = "image/png" if content.startswith(_PNG) else "image/jpeg"
    url = keep(world, File(asked.shop.shop_id, kind, content))
    record(world, "upload_image", asked.shop.shop_id, detail=url)
    return {"url": url, "width": sides[0], "height": sides[1]}


def upload_file(world: World, asked: Asked) -> dict[str, object]:
    """Upload Proof of Delivery File: a PDF and its name."""
    _check_fleet(asked)
    content = _data(asked, LARGEST_PDF)
    if not content.startswith(b"%PDF-"):
        raise Refusal(BAD_PARAMETER, "data must be a PDF")
    url = keep(world, File(asked.shop.shop_id, "application/pdf", content))
    record(world, "upload_file", asked.shop.shop_id, detail=url)
    return {"url": url, "name": asked.form.fields["name"] if asked.form else ""}


def _check_fleet(asked: Asked) -> None:
    if not asked.shop.own_fleet and not asked.shop.own_tracks:
        raise Refusal(wire.NOT_SELF_DELIVERED)


def _data(asked: Asked, largest: int) -> bytes:
    content = asked.form.data if asked.form else b""
    if not content:
        raise Refusal(BAD_PARAMETER, "data is empty")
    if len(content) > largest:
        raise Refusal(BAD_PARAMETER, f"data is over {largest} bytes")
    return content


_PNG = b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers: all of C0 to CF but for three that mean something else.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _png_sides(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_sides(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None
