"""Pictures and files as small as they can be, with a size of one's choice."""

import struct
import zlib

PDF_FILE = b"%PDF-1.4\n%made up\n%%EOF\n"


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG of that size: signature and header."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    length, check = struct.pack(">I", 13), struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + length + header + check


def jpeg(width: int, height: int, before: bytes = b"") -> bytes:
    """The beginning of a JPEG of that size, with other segments before its frame."""
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    return b"\xff\xd8" + app0 + before + b"\xff\xc0" + frame


def chunk(name: bytes, data: bytes = b"") -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def whole_png(width: int = 120, height: int = 120, note: bytes = b"") -> bytes:
    """A whole PNG, in grey; a note makes it another file of the same looks."""
    told = chunk(b"tEXt", b"note\x00" + note) if note else b""
    lines = zlib.compress(b"\x00" * (width + 1) * height)
    return png(width, height) + told + chunk(b"IDAT", lines) + chunk(b"IEND")


def whole_jpeg(width: int = 120, height: int = 120, scan: bytes = b"\x00" * 8) -> bytes:
    """A JPEG with all its parts; of the scan nobody here looks at more than its end."""
    head = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 63, 0)
    return jpeg(width, height) + head + scan + b"\xff\xd9"
