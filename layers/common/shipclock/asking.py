"""What a person asks for: something to be told to a marketplace, or told again, or not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from shipclock import codec, rows
from shipclock.domain.event import Request
from shipclock.domain.number import is_number, normal
from shipclock.domain.push import Deed, Intent, IntentState
from shipclock.domain.times import parse
from shipclock.ports import Change, Put, Row, Store
from shipclock.reading import digest
from shipclock.wishes import APPROVE

AFFECTED = "affected"
"""The deed of a request by which a person says whether an incident is about the order."""


class NotAsked(Exception):
    """It can't be asked for so; the message says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Words:
    """What has to be said of a deed, and what may be; each with the words it takes, if not all."""

    must: Mapping[str, tuple[str, ...]]
    may: Mapping[str, tuple[str, ...]]
    package: bool | None = None


ANY: tuple[str, ...] = ()
UNDONE = Words({"reason": ANY}, {"lines": ANY}, package=False)
WORDS: Mapping[str, Words] = {
    Deed.SHIP: Words(
        {},
        {
            "handover_method": ("PICKUP", "DROP_OFF"),
            "slot_from": ANY,
            "slot_until": ANY,
            "tracking_number": ANY,
            "carrier": ANY,
        },
    ),
    Deed.LABEL: Words({}, {"service": ANY, "lines": ANY}, package=False),
    Deed.RENUMBER: Words({"tracking_number": ANY, "carrier": ANY}, {}),
    Deed.DELIVER: Words(
        {"delivery_type": ("DELIVERY_SUCCESS", "DELIVERY_FAILED", "UPDATE_POD")},
        {"reason": ANY, "verification_code": ANY},
        package=True,
    ),
    Deed.CANCEL: UNDONE,
    Deed.REFUND: UNDONE,
    Deed.ANSWER: Words(
        {"case": ANY, "answer": ("approve", "reject")},
        {"reason": ANY, "comment": ANY},
        package=False,
    ),
    Deed.MESSAGE: Words({"text": ANY}, {}, package=False),
    APPROVE: Words(
        {"kind": ("cancellation", "refund", "buyer_message"), "verdict": ANY}, {}, package=False
    ),
    AFFECTED: Words({"incident": ANY, "is": ("yes", "no")}, {}, package=False),
}
"""Deed to the words it needs (`tiktok-shop.md` 5.2, 5.5, 5.6). What a marketplace takes of them is
for it to say."""

LONGEST = 2000
MOST = 100
"""Requests that one order takes, and as many that take one back. Of an order with too many events
no webhook is taken any more (`translate.MOST_EVENTS`), and people ask a few times."""


def ask(
    store: Store,
    order_id: str,
    deed: str,
    says: Mapping[str, str],
    real: datetime,
    by: str = "",
    package_id: str = "",
    revoked: bool = False,
) -> Request:
    """Ask that something be told of an order; the next sweep settles it and says in `pushes[]` what
    becomes of it. With `revoked` it is asked for no longer.

    Raises `NotAsked` for an order that is not known, for words that the deed does not know, and for
    one of which all too much was asked.
    """
    check(deed, says, package_id)
    if store.get((rows.order_pk(order_id), rows.HEAD)) is None:
        raise NotAsked(f"There is no order {order_id}. Look its id up in the hub.")
    events = store.read(rows.order_pk(order_id), rows.EVENT)
    made = sum(event["kind"] == "request" for event in events)
    if made >= MOST * (2 if revoked else 1):
        raise NotAsked(f"{made} things were asked for of this order: go on in Seller Center.")
    told = chain.from_iterable(sorted(says.items()))
    identity = digest("request", order_id, deed, package_id, *told, str(revoked), real.isoformat())
    request = Request(identity, order_id, deed, real, by, package_id, dict(says), revoked)
    store.write(Put(codec.event_row(request, real)))
    return request


def check(deed: str, says: Mapping[str, str], package_id: str = "") -> None:
    """Raises `NotAsked` where a deed is not asked for in these words."""
    words = WORDS.get(deed)
    if words is None:
        raise NotAsked(f"{deed!r} can't be asked for; there are: {', '.join(map(str, WORDS))}.")
    known = {**words.must, **words.may}
    if lacking := [name for name in words.must if not says.get(name, "").strip()]:
        raise NotAsked(f"{deed} needs {', '.join(lacking)}.")
    if foreign := [name for name in says if name not in known]:
        knows = ", ".join(known) or "no words at all"
        raise NotAsked(f"{deed} knows nothing of {', '.join(foreign)}; it takes: {knows}.")
    for name, text in says.items():
        if not text.isascii() and text.encode("utf-8", "ignore").decode("utf-8") != text:
            raise NotAsked(f"{name} holds half a character: send whole ones, in UTF-8.")
        if known[name] and text not in known[name]:
            raise NotAsked(f"{name} is one of: {', '.join(known[name])}.")
        if len(text) > LONGEST:
            raise NotAsked(f"{name} has {len(text)} characters; at most {LONGEST} are taken.")
        if name in TIMES and not _is_time(text):
            raise NotAsked(f"{name} is a time with its offset, such as 2026-11-10T10:00:00+08:00.")
        if name == "tracking_number" and text and not is_number(normal(text)):
            raise NotAsked("tracking_number has at most 64 letters, digits and signs.")
        if (
            name == "lines"
            and text
            and not all(ID.fullmatch(line.strip()) for line in text.split(","))
        ):
            raise NotAsked("lines are the ids of units, with commas between them.")
    if package_id and not ID.fullmatch(package_id):
        raise NotAsked(f"{package_id[:80]!r} is no package's id; the hub shows those of the order.")
    failed = says.get("delivery_type") == "DELIVERY_FAILED"
    if deed == Deed.DELIVER and failed is not bool(says.get("reason")):
        raise NotAsked("reason says why a delivery failed, and belongs to no other.")
    if words.package and not package_id:
        raise NotAsked(f"{deed} is about a package: name it.")
    if words.package is False and package_id:
        raise NotAsked(f"{deed} is about the whole order: leave the package out.")


ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What ids look like. They stand in keys of the table, whose length is bounded."""

TIMES = ("slot_from", "slot_until")


def _is_time(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def intents(store: Store, order_id: str) -> list[Intent]:
    """Everything that was, will be or can't be told of an order."""
    return [codec.read_intent(row) for row in store.read(rows.order_pk(order_id), rows.PUSH)]


AGAIN = (IntentState.REFUSED, IntentState.DEAD)


def again(store: Store, order_id: str, key: str, real: datetime) -> None:
    """Have a push tried again that was refused or given up. Raises `NotAsked` for any other."""
    row, intent = _row(store, order_id, key)
    if intent.state not in AGAIN:
        raise NotAsked(f"{key} is {intent.state.value}: only refused or dead ones are tried again.")
    fresh = replace(
        intent, state=IntentState.PENDING, failures=0, not_before=None, reason="", advice=""
    )
    _write(store, order_id, fresh, row["rev"], real)


def done(store: Store, order_id: str, key: str, real: datetime) -> None:
    """Say that a push that nobody could follow took effect. Raises `NotAsked` for any other.

    It is done as of when it was sent, as one whose effect is seen: the clock of whoever says so may
    be ahead, and an order whose push is done in the future would be read again and again till then.
    """
    row, intent = _row(store, order_id, key)
    if intent.state is not IntentState.DEAD:
        raise NotAsked(f"{key} is {intent.state.value}: only of dead ones a person has to say so.")
    known = replace(
        intent,
        state=IntentState.DONE,
        done_at=intent.unclear_at or intent.sent_at,
        reason="a person says so",
        advice="",
    )
    _write(store, order_id, known, row["rev"], real)


def _row(store: Store, order_id: str, key: str) -> tuple[Row, Intent]:
    row = store.get((rows.order_pk(order_id), rows.PUSH + key))
    if row is None:
        raise NotAsked(f"Order {order_id} has no push {key}; `shipclock push list` shows them.")
    return row, codec.read_intent(row)


def _write(store: Store, order_id: str, intent: Intent, rev: int, real: datetime) -> None:
    key = codec.intent_key(order_id, intent)
    marked = rows.mark(key, rows.at_once(real))
    change = Change(
        key, set={**codec.intent_doc(intent), "rev": rev + 1, **marked}, when={"rev": rev}
    )
    if not store.write(change):
        raise NotAsked("It has changed meanwhile: look at it again, then repeat.")
