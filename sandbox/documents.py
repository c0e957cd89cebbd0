"""Small documents that open in a viewer or print on a label printer."""

from __future__ import annotations

# Points, portrait.
_SIZES = {"A5": (420, 595), "A6": (298, 420)}


def pdf(lines: list[str], size: str) -> bytes:
    """One page with these lines of ASCII text."""
    width, height = _SIZES[size]
    shown = " ".join(f"({_escaped(line)}) Tj T*" for line in lines)
    stream = f"BT /F1 9 Tf 12 TL 16 {height - 28} Td {shown} ET".encode("ascii", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R"
            " /Resources << /Font << /F1 5 0 R >> >> >>"
        ).encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def zpl(lines: list[str]) -> bytes:
    """The same for a label printer."""
    fields = "".join(
        f"^FO30,{30 + 40 * number}^A0N,28,28^FD{line}^FS" for number, line in enumerate(lines)
    )
    return f"^XA{fields}^XZ\n".encode("ascii", "replace")
