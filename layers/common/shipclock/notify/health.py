"""How it goes with telling a destination: one row each, for the doctor and for 410 (Gone)."""

from datetime import datetime

from shipclock import rows
from shipclock.domain.times import stamp
from shipclock.notify.destinations import TOPIC, Destination, Destinations
from shipclock.ports import Change, Key, Store
from shipclock.reading import digest


def went_well(store: Store, one: Destination, now: datetime) -> None:
    """Note that a destination took a message, where that is news. It is not gone, then."""
    key = rows.destination_key(one.name)
    if (store.get(key) or {}).get("failures"):
        told = {"failures": 0, "told_at": stamp(now)}
        store.write(Change(key, set=told, remove=("gone", "not_before")))


def failed(
    store: Store,
    one: Destination,
    reason: str,
    now: datetime,
    gone: bool = False,
    not_before: datetime | None = None,
) -> None:
    """Note that it did not; of one that is gone, at which address, and until when it asked us to
    wait."""
    key = rows.destination_key(one.name)
    before = (store.get(key) or {}).get("failures", 0)
    address = {"gone": address_digest(one)} if gone else {}
    since = {} if before else {"since": stamp(now)}
    waits = {"not_before": rows.at(not_before)} if not_before else {}
    said = {"failures": before + 1, "reason": reason, **since, **address, **waits}
    store.write(Change(key, set=said, remove=() if waits else ("not_before",), create=True))


def waits_until(store: Store, one: Destination) -> str:
    """Until when a destination asked us to wait, as a due mark has it; empty where it did not."""
    return str((store.get(rows.destination_key(one.name)) or {}).get("not_before", ""))


def address_digest(one: Destination) -> str:
    """Tells one address of a destination from another, and nothing of either."""
    return digest(one.entry.url)[:20]


def without_gone(store: Store, found: Destinations) -> Destinations:
    """The destinations without those that said at their present address that they are gone."""

    def is_gone(one: Destination) -> bool:
        if one.kind == TOPIC:
            return False
        row = store.get(rows.destination_key(one.name)) or {}
        return bool(row.get("gone") == address_digest(one))

    return Destinations(tuple(one for one in found.all if not is_gone(one)), found.problems)


def again(store: Store, key: Key, real: datetime) -> bool:
    """Have a message that was given up tried anew; False where it was not given up."""
    said = {"state": "waiting", "tries": 0, **rows.mark(key, rows.after_all(real))}
    gone = ("board_pk", "board_at")
    return store.write(Change(key, set=said, remove=gone, when={"state": "dead"}))
