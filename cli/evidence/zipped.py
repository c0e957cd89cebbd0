"""One file of many, to the byte: the same contents make the same file, and no bit of it is idle."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

FORMAT = "shipclock-evidence-1"
MANIFEST = "manifest.json"
TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that the format knows: when a pack was made is nobody's proof."""

LARGEST = 512 * 1024 * 1024
"""Bytes of a pack that is read: more is nothing that we have made."""

READABLE = 0o644 << 16

ODD = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    KeyError,
    EOFError,
    OSError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)
"""What `zipfile` raises on bytes that are no zip, or not quite: it documents a few of these."""


class NoPack(Exception):
    """The bytes are no evidence pack as we make them; the message says what is wrong."""


Files = Mapping[str, bytes]


def sha256(data: bytes) -> str:
    """The digest that the manifest has of a file."""
    return hashlib.sha256(data).hexdigest()


def as_json(value: Any) -> bytes:
    """A JSON file of a pack: sorted, indented, so that it has one spelling only."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def manifest(files: Files, told: Mapping[str, Any]) -> bytes:
    """What the manifest says of these files, with what else is `told`."""
    digests = {name: sha256(data) for name, data in files.items() if name != MANIFEST}
    return as_json({"format": FORMAT, **told, "files": digests})


def zipped(files: Files) -> bytes:
    """The pack's bytes. Nothing is compressed: compressors differ, and a text can be looked at."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
        for name in sorted(files):
            about = zipfile.ZipInfo(name, TIME)
            about.create_system, about.external_attr = 3, READABLE
            pack.writestr(about, files[name])
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The files of a pack. Raises `NoPack` unless these are exactly the bytes that they make."""
    if len(data) > LARGEST:
        raise NoPack(f"it has {len(data)} bytes; at most {LARGEST} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            names = [about.filename for about in pack.infolist()]
            if any(_packed(about) for about in pack.infolist()):
                raise NoPack("a file in it is compressed: ours never are")
            if sum(about.file_size for about in pack.infolist()) > len(data):
                raise NoPack("its files are said to be larger than it is itself")
            files = {name: pack.read(name) for name in names}
        same = len(names) == len(files) and zipped(files) == data
    except ODD as fault:
        raise NoPack(f"it is no zip file, or was changed: {fault}") from None
    if not same:
        raise NoPack("it holds bytes that none of its files accounts for")
    return files


def _packed(about: zipfile.ZipInfo) -> bool:
    """Whether a file would be more than the bytes that there are of it, once it is read."""
    return about.compress_type != zipfile.ZIP_STORED or about.compress_size != about.file_size
