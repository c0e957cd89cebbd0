"""Reading a multipart form: one file called `data`, and the fields a call names.

Partner Center, "Upload Proof of Delivery Image" and "Upload Proof of Delivery File". Such a body
is not signed ("Sign your API request"); what cannot be read as a form is 36009023.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.wire import BAD_FORM, BAD_PARAMETER, Refusal, Request, media_type

MULTIPART = "multipart/form-data"

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))')
_NAME = re.compile(r'(?:^|[;\s])name="([^"]*)"')
_FILENAME = re.compile(r'(?:^|[;\s])filename="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Form:
    """What a multipart call carries: the file's bytes and the text fields."""

    data: bytes
    fields: Mapping[str, str]


def _parts(request: Request) -> list[tuple[str, bytes]]:
    """Each part's headers and content, or 36009023."""
    match = _BOUNDARY.search(request.headers.get("content-type", ""))
    if media_type(request.headers) != MULTIPART or match is None:
        raise Refusal(BAD_FORM, f"content-type must be {MULTIPART} with a boundary")
    dashes = b"\r\n--" + (match[1] or match[2]).encode("latin-1", "replace")
    first, *rest = (b"\r\n" + request.body).split(dashes)
    if first.strip() or len(rest) < 2 or not rest[-1].startswith(b"--"):
        raise Refusal(BAD_FORM)
    found = []
    for each in rest[:-1]:
        head, mark, content = each.partition(b"\r\n\r\n")
        if not mark or not head.startswith(b"\r\n"):
            raise Refusal(BAD_FORM)
        found.append((head.decode("utf-8", "replace"), content))
    return found


def read(request: Request, names: tuple[str, ...]) -> Form:
    """The form of a request: `data` and every field of `names`, and nothing else.

    Raises `Refusal` 36009023 for what is no form, 36009004 for a field unknown, doubled or missing.
    """
    fields: dict[str, str] = {}
    data: bytes | None = None
    for head, content in _parts(request):
        match = _NAME.search(head)
        name = match[1] if match else ""
        if name in fields or (name == "data" and data is not None):
            raise Refusal(BAD_PARAMETER, f"form field {name} is given more than once")
        if name == "data":
            if _FILENAME.search(head) is None:
                raise Refusal(BAD_FORM, "data must be a file, with a filename")
            data = content
        elif name in names:
            fields[name] = content.decode("utf-8", "replace")
        else:
            raise Refusal(BAD_PARAMETER, f"unexpected identifier {name} in the form")
    for name in names:
        if not fields.get(name):
            raise Refusal(BAD_PARAMETER, f"form field {name} is missing")
    if data is None:
        raise Refusal(BAD_PARAMETER, "form field data is missing")
    return Form(data, fields)
