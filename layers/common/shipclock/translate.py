"""Translate a delivery into permanent events and links (DESIGN 3.2, first step).

The order of writes is what makes it safe: an event is put before the links are read, a link before
the order is marked due, and the delivery's own mark is cleared last. Whatever breaks off is done
again, and doing it again changes nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shipclock import backoff, codec, rows
from shipclock.connect import begin_reconciling, disconnect, expiring, reconcile_key
from shipclock.domain.event import Link, OrderEvent, Replacement
from shipclock.domain.order import ENDED, STAGES
from shipclock.domain.times import parse
from shipclock.domain.tracking import Scan
from shipclock.ports import Change, Put, Row, Store, StoreError
from shipclock.proof_images import Wants, put_images
from shipclock.reading import Unreadable
from shipclock.sources import Delivery, ShopNews, Translation, source
from shipclock.stock import keep_stock

MOST_EVENTS = 2_000
"""Events one order or number may have. A delivery that would bring more waits for a person."""

TRIES = 8

ENDED_STAGES = frozenset(STAGES[status] for status in ENDED) | {"delivered"}


@dataclass(slots=True)
class Touched:
    """What translating touched: orders to settle, and how it went for the log."""

    orders: set[str] = field(default_factory=set)
    lost_shops: set[str] = field(default_factory=set)
    events: int = 0
    note: str = ""
    quarantined: str = ""


class Translator:
    """Translates deliveries; remembers only which events it has seen of an order this time."""

    def __init__(
        self,
        store: Store,
        now: datetime,
        real: Callable[[], datetime],
        keep_for: timedelta,
        watch: Callable[[Delivery, Iterable[Scan]], None] = lambda delivery, scans: None,
        wants_images: Wants = lambda source, account: False,
    ) -> None:
        """Translates at `now`, marking rows with the real clock; raw bodies live for `keep_for`.

        `watch` is told the scans of each delivery before its mark is taken off.
        """
        self._store = store
        self._watch = watch
        self._wants_images = wants_images
        self._keep_for = keep_for
        self._now = now
        self._real = real
        self._known: dict[str, set[str]] = {}

    def translate(self, row: Row) -> Touched:
        """Translate one delivery's row. What it cannot read goes to quarantine."""
        delivery = Delivery(
            row["source"],
            row["account"],
            rows.body_of(row),
            parse(row["received_at"]),
            tuple(row.get("shops", ())),
            row.get("pulled", False),
            row.get("headers", {}),
        )
        try:
            translation = self._read(delivery)
            left_out = self._note_images(translation, delivery, row["pk"])
            touched = self._keep(translation, rows.delivery_name(row["pk"]))
            self._watch(delivery, translation.scans)
        except Unreadable as problem:
            return self.quarantine(row, str(problem))
        note = "; ".join(filter(None, (translation.note, left_out)))
        changes: Row = {"note": note} if note else {}
        if "expires_at" not in row:  # it was in quarantine, where nothing expires
            changes["expires_at"] = int((self._real() + self._keep_for).timestamp())
        self._store.write(
            Change(
                rows.key_of(row),
                set=changes,
                remove=(*rows.MARK, "board_pk", "board_at", "reason"),
                when={"due_at": row["due_at"]} if "due_at" in row else {},
            )
        )
        return replace(touched, note=note)

    def quarantine(self, row: Row, reason: str) -> Touched:
        """Keep a delivery for a person: tried again ever more rarely, never expiring."""
        failures = row.get("failures", 0) + 1
        again = backoff.after(backoff.QUARANTINE, failures, self._now)
        self._store.write(
            Change(
                rows.key_of(row),
                set={"failures": failures, **rows.quarantine(row, reason[:300], again)},
                remove=("expires_at",),
            )
        )
        return Touched(quarantined=reason)

    def _read(self, delivery: Delivery) -> Translation:
        try:
            return source(delivery.source).translate(delivery)
        except KeyError as error:
            raise Unreadable(f"there is no source {delivery.source!r} any more") from error
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"the body can't be read: {error}") from error

    def _note_images(self, found: Translation, delivery: Delivery, named_by: str) -> str:
        """Note the pictures that are named, before their scans are put: whoever settles one of
        these must see that a picture is on its way."""
        if not found.images:
            return ""
        real, wants = self._real(), self._wants_images
        return put_images(self._store, delivery, named_by, found.images, wants, self._now, real)

    def _keep(self, found: Translation, via: str) -> Touched:
        touched = Touched()
        touched.lost_shops = {n.shop_id for n in found.news if self._shop_news(n)}
        for stock in found.stock:
            keep_stock(self._store, stock, self._now, self._real())
        for event in found.events:
            self._put_event(event, via)
            touched.orders.add(event.order_id)
        for link in found.links:
            touched.orders |= self._link(link, via)
        for replacement in found.replaced:
            touched.orders |= self._follow(replacement, via)
        for scan in found.scans:
            touched.orders |= self._put_scan(scan, via)
        touched.events = len(found.events) + len(found.scans)
        return touched

    def _put_event(self, event: OrderEvent, via: str) -> None:
        row = codec.event_row(event, self._real(), via)
        self._make_room(event.order_id, *rows.key_of(row))
        self._store.write(Put(row))

    def _put_scan(self, scan: Scan, via: str) -> set[str]:
        """Put a scan, then read whose it is. Where it is nobody's yet, its mark goes at once:
        whoever links the number later marks the order due."""
        row = codec.scan_row(scan, self._real(), via)
        self._make_room(scan.number, *rows.key_of(row))
        self._store.write(Put(row))
        linked = linked_orders(self._store, scan.number)
        if not linked:
            self._store.write(
                Change(rows.key_of(row), remove=rows.MARK, when={"due_at": row["due_at"]})
            )
        return linked

    def _make_room(self, name: str, pk: str, sk: str) -> None:
        """Refuse what would bring an order or number past `MOST_EVENTS`.

        Counting costs a read, so it is done once per partition and translator; what is brought
        after that is counted along.
        """
        known = self._known.get(pk)
        if known is None:
            known = self._known[pk] = {row["sk"] for row in self._store.read(pk, rows.EVENT)}
        if len(known) >= MOST_EVENTS and sk not in known:
            raise Unreadable(f"{name} has {len(known)} events; nothing honest brings so many")
        known.add(sk)

    def _link(self, link: Link, via: str) -> set[str]:
        """Link a number to the order a carrier named, unless it is linked to another open one.

        An order that no marketplace has told of does not count: the reference to it may be a slip.
        """
        linked = linked_orders(self._store, link.number)
        if link.order_id in linked:
            return set()
        if any(not self._closed(order_id) for order_id in linked):
            return set()
        put_link(self._store, link, self._real(), via)
        return {link.order_id}

    def _follow(self, change: Replacement, via: str) -> set[str]:
        """Link a new number to the orders that the old one is linked to by now."""
        orders = linked_orders(self._store, change.old) - linked_orders(self._store, change.new)
        for order_id in orders:
            link = Link(change.new, order_id, change.source, shops=change.shops)
            put_link(self._store, link, self._real(), via)
        return orders

    def _closed(self, order_id: str) -> bool:
        head = self._store.get((rows.order_pk(order_id), rows.HEAD))
        return head is None or head["stage"] in ENDED_STAGES

    def _shop_news(self, news: ShopNews) -> bool:
        """Act on news of a shop that is connected, unless it was connected again since; whether it
        was lost."""
        for _ in range(TRIES):
            row = self._store.get((rows.shop_pk(news.shop_id), rows.LANE))
            if row is None or "doc" not in row:
                return False
            if row.get("connected_at", 0) > codec.millis(news.received_at):
                return False
            shop = codec.read_shop(row)
            if not shop.connected:
                return False
            if news.kind == "aftersales":
                search_at_once(self._store, news.shop_id, self._real())
                return False
            if news.kind == "expiring" and news.ends_at is not None:
                expiring(self._store, news.shop_id, news.ends_at, self._now, self._real())
                return False
            if disconnect(self._store, shop, row, self._now, self._real()):
                return True
        raise StoreError(f"shop {news.shop_id} was changed by others {TRIES} times in a row")


def search_at_once(store: Store, shop_id: str, real: datetime) -> None:
    """Have a shop's reconciliation run with the next sweep, whenever it would have been due."""
    begin_reconciling(store, shop_id, real)
    key = reconcile_key(shop_id)
    store.write(Change(key, set=rows.mark(key, rows.at_once(real))))


def replay(store: Store, row: Row, real: datetime) -> bool:
    """Have a quarantined delivery translated again by the next sweep; False where it was not one.

    What it was tried before does not count any more: if it fails again it starts over.
    """
    again = rows.mark(rows.key_of(row), rows.at_once(real))
    return store.write(
        Change(
            rows.key_of(row),
            set={"failures": 0, **again},
            when={"board_pk": rows.QUARANTINE, "due_at": row["due_at"]},
        )
    )


def linked_orders(store: Store, number: str) -> set[str]:
    """The orders a number is linked to, read strongly."""
    found = store.read(rows.number_pk(number), rows.LINK)
    return {row["sk"].removeprefix(rows.LINK) for row in found}


def put_link(store: Store, link: Link, real: datetime, via: str = "") -> None:
    """Put both rows of a link, together: half a link would be found by one side only."""
    store.commit([Put(row) for row in codec.link_rows(link, real, via)])
