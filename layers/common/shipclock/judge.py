"""Judge an order by what is kept of it: fold and decide, without writing anything.

`settle` writes what comes of it; whoever only looks judges too, and so sees the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shipclock import rows
from shipclock.book import Book, fold_book, recorded_in
from shipclock.chain import Anchor
from shipclock.counting import MOST_WRITES
from shipclock.decide import Decision, decide
from shipclock.domain.clock import REMINDER, WARNING, Notice, Verdict
from shipclock.domain.order import Order
from shipclock.domain.push import Intent
from shipclock.incident_match import Matched, match, revision_of
from shipclock.incidents import DeclaredOf, read_declared
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import LARGEST_COMMIT, Store
from shipclock.rules.calendar import Span
from shipclock.rules.packs import policy_for
from shipclock.rules.policy import Policy
from shipclock.situation import Recorded, Situation

REMINDING = (REMINDER, WARNING)

ShopOf = Callable[[str], Shop | None]
"""The connected shop of that id, if it is known."""

PolicyFor = Callable[[str, date, str, str, tuple[Span, ...]], Policy]
"""The policy for a market, a local day, a zone, the pack a shop has chosen, its closed days."""


@dataclass(frozen=True, slots=True)
class Settled:
    """An order as it was just settled. `known` is false where no marketplace fact is known yet;
    `anchor` is how far this settle brought the chain, None where it bound nothing new."""

    order: Order
    recorded: Recorded
    decision: Decision
    situation: Situation
    known: bool
    anchor: Anchor | None = None
    matched: Matched = field(default_factory=Matched)

    @property
    def intents(self) -> dict[str, Intent]:
        """The intents as they stand after this settle."""
        return {**self.recorded.intents, **{i.key: i for i in self.decision.intents}}

    @property
    def read_at(self) -> datetime:
        """The real time at which the newest re-read of the order was asked for."""
        told = [snapshot.requested_at for snapshot in self.order.snapshots]
        return max([self.recorded.read.requested_at, *told])

    @property
    def kept(self) -> list[Verdict | Notice | Intent]:
        """What this settle writes beside the head: all that fits into one commit. The rest is
        for the next settle, which then is due at once."""
        decision = self.decision
        made: list[Verdict | Notice | Intent] = [*decision.verdicts, *decision.notices]
        beside = 2 + MOST_WRITES  # the head, a row that takes in links of the chain, and counts
        beside += len(self.matched.changed)
        return [*made, *decision.intents][: LARGEST_COMMIT - beside]

    @property
    def whole(self) -> bool:
        """Whether all of the decision is kept."""
        decision = self.decision
        count = len(decision.verdicts) + len(decision.notices) + len(decision.intents)
        return count == len(self.kept) and not self.matched.more

    @property
    def said(self) -> int:
        """How many verdicts and reminders this settle made, not counting those that turned."""
        known = self.recorded.verdicts
        return sum(
            (isinstance(made, Verdict) and made.key not in known)
            or (isinstance(made, Notice) and made.kind in REMINDING)
            for made in self.kept
        )


def judge(
    store: Store,
    book: Book,
    shop_of: ShopOf,
    now: datetime,
    real: datetime,
    declared: DeclaredOf | None = None,
    ruled: bool = True,
) -> Settled:
    """Fold and decide, without writing anything. Raises `PolicyError` where the shop's pack is not
    there; not `ruled`, the order is judged without any, and has no clocks."""
    order, recorded = fold_book(book), recorded_in(book)
    matched = matched_to(store, book, order, real, declared)
    order = replace(order, incidents=matched.incidents)
    shop = shop_of(order.shop_id) if order.shop_id else None
    later = max(now, recorded.settled_at) if recorded.settled_at else now
    providers = _providers(store, order, shop, real)
    policy = policy_of(order, shop) if ruled else None
    situation = Situation(later, policy, shop, providers)
    decision = decide(order, recorded, situation)
    return Settled(order, recorded, decision, situation, bool(order.shop_id), matched=matched)


def policy_of(order: Order, shop: Shop | None, find: PolicyFor | None = None) -> Policy | None:
    """The policy an order is judged by: the pack of its local day; none before it is known.

    `find` looks among other packs than those that are there.
    """
    if shop is None or order.facts is None:
        return None
    day = order.facts.create_time.astimezone(ZoneInfo(shop.zone)).date()
    closed = tuple(map(Span.parse, shop.closed))
    policy = (find or policy_for)(shop.market, day, shop.zone, shop.pack, closed)
    return replace(policy, hand_marked=shop.hand_marked, default_provider=shop.default_provider)


def matched_to(
    store: Store, book: Book, order: Order, real: datetime, declared: DeclaredOf | None = None
) -> Matched:
    """The incidents that may be about the order, by a reading that is no older than the one it was
    settled by last."""
    head = book.one(rows.HEAD)
    known = declared(revision_of(head)) if declared else read_declared(store)
    return match(order, book.one(rows.BUYER), head, known, real)


def _providers(
    store: Store, order: Order, shop: Shop | None, real: datetime
) -> dict[str, str] | None:
    """Who may ship the order, where somebody asked already and it matters."""
    if shop is None or order.facts is None or not (order.first_scan or order.requests):
        return None
    option = order.facts.delivery_option_id
    if not option:
        return {}
    row = store.get((rows.shop_pk(shop.shop_id), rows.PROVIDERS + option))
    fresh = row is not None and row["expires_at"] > real.timestamp()  # TTL deletes days later
    return dict(row["providers"]) if row and fresh else None
