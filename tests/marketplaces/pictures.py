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
