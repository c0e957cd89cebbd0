"""Files kept in the table, in pieces that fit its rows: proofs of delivery, labels.

They may show names and addresses, so each has an end (DESIGN 3.12). The first piece is written
last: what can be found is whole.
"""

from datetime import datetime, timedelta

from shipclock import rows
from shipclock.marketplaces.protocol import Blob
from shipclock.ports import Change, Key, Store

PIECE = 300 * 1024
"""Bytes of one piece; a row holds at most 400 KB."""

LARGEST = 10 * 1024 * 1024

KEPT = timedelta(days=120)
"""How long a file is kept after it was put."""


class TooLarge(Exception):
    """The file is larger than any that we keep."""


def put_blob(store: Store, owner: str, name: str, blob: Blob, real: datetime) -> None:
    """Keep a file under a name (`PROOF#package`), in place of an earlier one. Its owner is an order
    by its id, or a tracking number by its partition."""
    if len(blob.data) > LARGEST:
        raise TooLarge(f"{name}: a file of at most {LARGEST // 1024 // 1024} MB was expected")
    expires_at = int((real + KEPT).timestamp())
    pieces = [blob.data[at : at + PIECE] for at in range(0, len(blob.data), PIECE)] or [b""]
    about = {"media_type": blob.media_type, "pieces": len(pieces)}
    for number, piece in reversed(list(enumerate(pieces))):
        told = about if number == 0 else {}
        row = {"data": piece, "expires_at": expires_at, **told}
        store.write(Change(_key(owner, name, number), set=row, create=True))


def read_blob(store: Store, owner: str, name: str, real: datetime) -> Blob | None:
    """A kept file; None where there is none, or it is no longer whole, or its time is over: the
    table deletes it only days later."""
    first = store.get(_key(owner, name, 0))
    if first is None or first["expires_at"] <= real.timestamp():
        return None
    rest = [store.get(_key(owner, name, number)) for number in range(1, first["pieces"])]
    if any(row is None for row in rest):
        return None
    data = b"".join(row["data"] for row in (first, *rest) if row is not None)
    return Blob(first["media_type"], data)


def has_blob(store: Store, owner: str, name: str) -> bool:
    """Whether a file is kept under that name."""
    return store.get(_key(owner, name, 0)) is not None


def _key(owner: str, name: str, number: int) -> Key:
    return f"{rows.FILES}{owner}", f"{name}#{number:04}"
