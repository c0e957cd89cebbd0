"""What is not as it should be at the end of a world, by the sandbox's own record."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from cli.evidence.gather import gather
from cli.evidence.made import pack
from shipclock import rows
from shipclock.announce import announcement
from shipclock.domain.number import normal
from shipclock.domain.push import GONE, Deed, Intent, IntentState
from shipclock.judge import Settled
from shipclock.ports import Row
from tests.evidence import wrong
from tests.stage import APP_SECRET, CARRIER_SECRET, EASYPOST_SECRET
from tests.worlds.effects import INTENT_OF, SHIPS, is_of
from tests.worlds.play import Play

TELLS = (IntentState.REFUSED, IntentState.DEAD, IntentState.NOT_ALLOWED)


def judged_world(play: Play) -> list[str]:
    """Everything that is not as it should be at the end of a world."""
    found = {number: play.settled_of(order_id) for number, order_id in play.orders.items()}
    wrong = [*_due(play), *_lines(play), *_effects(play, found.values()), *_repeats(play)]
    wrong += _people(play)
    for number, settled in found.items():
        wrong += [f"order {number} ({settled.order.order_id}): {w}" for w in _order(play, settled)]
    return wrong


def _due(play: Play) -> Iterator[str]:
    if play.left.due_left:
        entries = [row.get("due_at") for row in _rows(play) if "due_at" in row]
        yield f"{play.left.due_left} rows stay due: {sorted(map(str, entries))[:3]}"
    for row in _rows(play):
        if row.get("board_pk") == rows.QUARANTINE:
            yield f"in quarantine: {row['pk']}: {row['reason']}"


def _rows(play: Play) -> Iterator[Row]:
    for partition in play.memory.rows.values():
        yield from partition.values()


FAILING = ("order", "delivery", "scan", "packages", "shop", "put_off")


def _lines(play: Play) -> Iterator[str]:
    """Bugs that a sweep caught, and secrets in the log, the bus or the metrics."""
    secrets = [APP_SECRET, CARRIER_SECRET, EASYPOST_SECRET, "TTP_"]
    for line in play.lines:
        planned = "StoreError" in line.fields.get("fault", "")
        if line.name in {f"{what}.failing" for what in FAILING} and not planned:
            yield f"{line.name}: {dict(line.fields)}"
        if any(secret in repr(line.fields) for secret in secrets):
            yield f"a secret in {line.name}: {dict(line.fields)}"
    for told in play.announced:
        if any(secret in repr(told) for secret in secrets):
            yield f"a secret is announced: {dict(told)}"


def _people(play: Play) -> Iterator[str]:
    """Whatever stands to be told was kept for people once, and what was closed was told."""
    kept = Counter(row["sk"].rpartition("#")[2] for row in _rows(play) if _is(row, rows.ITEM))
    for event_id, count in kept.items():
        if count > 1:
            yield f"{count} messages tell of {event_id}"
    for row in _rows(play):
        verdict = _is(row, rows.VERDICT) and row.get("told")
        if verdict or _is(row, rows.NOTICE):
            event = announcement(rows.key_of(row), row)
            if event.get("alerts", True) and event["id"] not in kept:
                yield f"nobody is told: {event['type']} {event['text'][:80]}"
        if _is(row, rows.MESSAGE) and row["state"] != "told":
            yield f"a message was closed and is {row['state']}: {rows.key_of(row)}"


def _is(row: Row, kind: str) -> bool:
    return str(row["sk"]).startswith(kind)


def _effects(play: Play, found: Iterable[Settled]) -> Iterator[str]:
    """Each effect once, and each wanted by an intent that knows of it; each `done` has its one."""
    told = [effect for effect in play.effects if effect.call in INTENT_OF]
    same = Counter((e.call, e.order_id, e.package_id, e.tracking_number, e.detail) for e in told)
    for what, count in same.items():
        if count > 1:
            yield f"{count} times: {what}"
    done = [
        (settled, intent)
        for settled in found
        for intent in settled.recorded.intents.values()
        if intent.state is IntentState.DONE
    ]
    for effect in told:
        if not any(is_of(effect, settled.order.order_id, intent) for settled, intent in done):
            yield f"an effect that no push claims: {effect}"
    for settled, intent in done:
        order_id = settled.order.order_id
        mine = [effect for effect in told if is_of(effect, order_id, intent)]
        if len(mine) > 1:
            yield f"{len(mine)} effects of {intent.key}: {mine}"
        if not mine and not _otherwise(play, settled, intent):
            yield f"done without an effect: order {order_id}, {intent.key}"


def _repeats(play: Play) -> Iterator[str]:
    """Calls that were sent again after they had taken effect; the marketplace may well have refused
    them."""
    shared = {order for e in play.effects if "," in e.order_id for order in e.order_id.split(",")}
    for effect in play.effects:
        ending = PATH_OF.get(effect.call, "").format(
            package=effect.package_id, order=effect.order_id, case=effect.detail.split(" ")[0]
        )
        parts = [e for e in play.effects if e.order_id == effect.order_id and e.call in SHIPS]
        if not ending or shared & set(effect.order_id.split(",")) or len(parts) > 1:
            continue
        for call in play.sandbox.calls:
            sent = call.method == "POST" and call.fault != "landed_late"
            if sent and call.path.endswith(ending) and call.at_real > effect.at_real:
                yield f"sent again after it had taken effect: {call} {effect}"


PATH_OF = {
    "ship_package": "/packages/{package}/ship",
    "mark_package_as_shipped": "/orders/{order}/packages",
    "update_order_shipping_info": "/orders/{order}/shipping_info/update",
    "approve_cancellation": "/cancellations/{case}/approve",
    "reject_cancellation": "/cancellations/{case}/reject",
}
"""The ends of the paths that name all that a call is about."""


def _otherwise(play: Play, settled: Settled, intent: Intent) -> bool:
    """Whether what an intent was to bring about may have come about by another hand: such a push is
    `done` by what the marketplace shows."""
    order_id = settled.order.order_id
    if intent.call in SHIPS and intent.attempts:
        shared = any(order_id in e.order_id.split(",") for e in play.effects)
        return order_id in play.by_hand or shared
    if intent.call in ("cancel", "approve_cancellation") and intent.attempts:
        return settled.order.status == "CANCELLED"
    return False


def _order(play: Play, settled: Settled) -> Iterator[str]:
    order, order_id = settled.order, settled.order.order_id
    theirs: Any = play.sandbox.order(order_id)
    if order.facts is None:
        yield "never read"
        return
    if order.status != theirs["status"]:
        yield f"{order.status} here, {theirs['status']} there"
    head = play.memory.rows[rows.order_pk(order_id)][rows.HEAD]
    if head["status"] != theirs["status"]:
        yield f"{head['status']} in the hub, {theirs['status']} there"
    for unproven in wrong(pack(gather(play.memory, order_id, play.real.now))):
        yield f"evidence: {unproven}"
    ours = {
        x.line_id: (x.package_id, x.tracking_number, x.package_status) for x in order.facts.lines
    }
    shown = {
        x["id"]: (x.get("package_id", ""), x["tracking_number"], x.get("package_status", ""))
        for x in theirs["line_items"]
    }
    for line in theirs["line_items"]:
        # A parcel that is lost changes no `update_time`, nor does one of several that goes on.
        lost = line.get("package_status") == "CANCELLED" != line["display_status"]
        if lost or theirs["status"] == "PARTIALLY_SHIPPING":
            ours[line["id"]] = (*ours[line["id"]][:2], line.get("package_status", ""))
    # In silence, too, the parcel of a refunded order goes on, and a number is changed that another
    # order shares.
    silent = order.ended or any(
        "," in e.order_id and order_id in e.order_id.split(",") and "update" in e.call
        for e in play.effects
    )
    if ours != shown and not silent:
        yield f"lines {ours} here, {shown} there"
    yield from _cases(play, settled)
    yield from _pushes(settled)
    yield from _wishes(play, settled, theirs["status"])


def _cases(play: Play, settled: Settled) -> Iterator[str]:
    order = settled.order
    known = {case.case_id: case.status for case in order.cases}  # the newest is last
    theirs = play.sandbox._world.cases_of.get(order.order_id, [])
    told = {case.case_id: case.status for case in theirs}
    open_now = any(c.kind == "cancellation" and c.pending for c in theirs)
    if known != told:
        yield f"cases {known} here, {told} there"
    if order.cancel_open != open_now and not order.ended:
        yield f"cancel_open is {order.cancel_open} here, {open_now} there"


def _pushes(settled: Settled) -> Iterator[str]:
    for intent in settled.recorded.intents.values():
        state = intent.state
        if state in (IntentState.SENDING, IntentState.UNCLEAR):
            yield f"{intent.key} stays {state.value}"
        if state is IntentState.PENDING and not intent.reason:
            yield f"{intent.key} stays pending without a reason"
        if state in TELLS and not (intent.reason and intent.advice):
            yield f"{intent.key} is {state.value}: {intent.reason!r}, {intent.advice!r}"
        noticed = any(f"{intent.key}#{state.value}" in key for key in settled.recorded.notices)
        if state in TELLS and not noticed:
            yield f"{intent.key} is {state.value} and nobody was told"


def _wishes(play: Play, settled: Settled, status: str) -> Iterator[str]:
    """What was to be told and neither was nor says why."""
    order, intents = settled.order, settled.recorded.intents.values()
    known = {intent.deed for intent in intents}
    seller = order.facts is not None and order.facts.shipping_type == "SELLER"
    waits = status in ("AWAITING_SHIPMENT", "PARTIALLY_SHIPPING") and not order.cancel_open
    left = play.scanned.get(order.order_id, set()) - order.told_numbers
    if seller and waits and left and Deed.SHIP not in known:
        yield f"left with {left}, and {status} without a word"
    for wish in play.asked.values():
        if wish.order_id != order.order_id or wish.deed in known or wish.deed == "approve":
            continue
        moot = {
            "ship": not waits
            or any(p.package_id == wish.package_id and p.status in GONE for p in order.packages),
            "label": not waits,
            "renumber": status in ("CANCELLED", "AWAITING_SHIPMENT", "DELIVERED", "COMPLETED")
            or status in ("UNPAID", "ON_HOLD")
            or any(normal(wish.says.get("tracking_number", "")) in n for n in order.told_numbers),
            "deliver": status not in ("PARTIALLY_SHIPPING", "AWAITING_COLLECTION", "IN_TRANSIT")
            or all(
                p.package_id != wish.package_id or p.status in ("COMPLETED", "CANCELLED")
                for p in order.packages
            ),
            "cancel": status in ("CANCELLED", "COMPLETED"),
            "refund": status == "CANCELLED",
            "answer": not order.cancel_open or order.cancel_case != wish.says.get("case"),
        }
        if not moot.get(wish.deed, False):
            yield f"asked for and without a word: {wish}"
