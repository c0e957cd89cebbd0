"""`shipclock carriers`: what carriers have done, from the recorded history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import click

from cli import cards, kept, operate
from cli.options import STACK, TABLE, real
from shipclock import connect
from shipclock.book import Book, fold_book, read_book
from shipclock.domain.carrier import differ
from shipclock.domain.detection import candidates
from shipclock.domain.order import Order
from shipclock.fulfillment.audit import audits
from shipclock.fulfillment.history import History, histories, local_day, unscanned
from shipclock.fulfillment.scorecards import MONTH, Ledger, month_of
from shipclock.fulfillment.terms import MINIMUM, TermsError, TermsFile, parse_terms
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Store

PAGE = 200
"""Orders that are read together: so many histories are in memory at most."""

READERS = 8
"""Orders read at the same time; the SDK's client has ten connections."""


class ScoreError(Exception):
    """There is no scorecard as asked; the message says what to do."""


@click.group("carriers")
def group() -> None:
    """What carriers have done, and whether it is what was agreed."""


@group.command("detect")
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
def detect_command(numbers: tuple[str, ...]) -> None:
    """Say which carriers a tracking number may be of, by its form: a hint, never a fact.

    About one in seven numbers of plain digits fits the check digit of a carrier that it is not of.
    """
    for number in numbers:
        found = ", ".join(f"{one.carrier} ({one.by})" for one in candidates(number))
        click.echo(f"{number}: {found or 'its form says nothing'}")


def _month(context: click.Context, option: click.Parameter, given: str) -> str:
    if not MONTH.fullmatch(given):
        raise click.BadParameter(f"{given!r} is no month; write it as 2026-11.")
    return given


@group.command("score")
@click.option("--month", required=True, callback=_month, help="Such as 2026-11.")
@click.option("--shop", "shop_ids", multiple=True, help="Only this shop's parcels; repeatable.")
@click.option(
    "--terms",
    "terms_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What was agreed with carriers, as TOML: docs/scorecards.md.",
)
@click.option(
    "--parcels",
    "parcels_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write every parcel that is counted into this CSV file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the scorecards as JSON.")
@TABLE
@STACK
def score_command(
    month: str,
    shop_ids: tuple[str, ...],
    terms_file: Path | None,
    parcels_file: Path | None,
    as_json: bool,
    table: str | None,
    stack: str | None,
) -> None:
    """Score each carrier on each lane over the parcels of a month, against what was agreed.

    Every order of the shops is read, two requests or more for each; exit status 1 where some could
    not be.
    """
    agreed = read_terms(terms_file) if terms_file else TermsFile(minimum=MINIMUM, terms=())
    store = operate.open_store(table, stack)
    read = Reading(store, shops_of(store, shop_ids), month)
    ledger = Ledger(month, agreed.terms)
    with ExitStack() as files:
        keep = None
        if parcels_file:
            keep = cards.parcel_writer(files.enter_context(_opened(parcels_file)))
        for parcel in read.parcels():
            if ledger.add(parcel) and keep:
                keep(parcel)
    found = ledger.scorecards()
    told = cards.Told(
        real(), tuple(read.shops), found, audits(found, agreed.minimum), read.unscanned, read.unread
    )
    click.echo(cards.as_json(told) if as_json else cards.as_text(told))
    if read.unread:
        click.echo(
            f"{len(read.unread)} orders could not be read and are left out: "
            f"{', '.join(read.unread[:20])}. Look at them in the hub.",
            err=True,
        )
        raise SystemExit(1)


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ScoreError(f"{path} can't be written: {error.strerror}.") from None


def read_terms(path: Path) -> TermsFile:
    """The terms in a file; raises `TermsError`."""
    try:
        return parse_terms(path.read_text("utf-8-sig"), path.name)
    except UnicodeDecodeError:
        raise TermsError(f"{path.name} is no text in UTF-8.") from None


def shops_of(store: Store, wanted: Iterable[str]) -> dict[str, Shop]:
    """The shops asked for, all of them where none is; raises `ScoreError` for one there is not."""
    known = {shop.shop_id: shop for shop, _ in connect.known_shops(store)}
    chosen = tuple(dict.fromkeys(wanted)) or tuple(known)
    if missing := [shop_id for shop_id in chosen if shop_id not in known]:
        raise ScoreError(
            f"Shop {missing[0]} was never connected; `shipclock shops list` shows which."
        )
    return {shop_id: known[shop_id] for shop_id in chosen}


@dataclass(frozen=True, slots=True)
class _Read:
    """What one order brings: its parcels, and how many of its packages nobody scanned, where it was
    placed in the month."""

    parcels: Sequence[History] = ()
    unscanned: int = 0


@dataclass(slots=True)
class Reading:
    """All orders of some shops, read one page after the other, and what their parcels come to.

    `unscanned` counts packages of orders placed in the month whose number nobody scanned;
    `unread` are orders whose rows could not be understood.
    """

    store: Store
    shops: Mapping[str, Shop]
    month: str
    unscanned: int = 0
    unread: list[str] = field(default_factory=list)

    def parcels(self) -> Iterator[History]:
        """The parcels of all months, each once.

        The board may change while it is read. Its stages are read in the order of an order's life,
        so that one which moves on meanwhile is met twice rather than never; it counts as it was met
        first.
        """
        with ThreadPoolExecutor(READERS) as pool:
            for shop_id in self.shops:
                counted: set[str] = set()
                for page in kept.pages(self.store, shop_id, PAGE):
                    fresh = [order_id for order_id in page if order_id not in counted]
                    for order_id, read in zip(fresh, pool.map(self._read, fresh), strict=True):
                        if read is None:
                            self.unread.append(order_id)
                            counted.add(order_id)
                            continue
                        self.unscanned += read.unscanned
                        if read.unscanned or any(self._mine(parcel) for parcel in read.parcels):
                            counted.add(order_id)
                        yield from read.parcels

    def _mine(self, parcel: History) -> bool:
        return month_of(parcel.day) == self.month

    def _read(self, order_id: str) -> _Read | None:
        """What an order brings; None where its rows can't be understood."""
        try:
            book = read_book(self.store, order_id)
            order = fold_book(book)
            shop = self.shops.get(order.shop_id)
            if shop is None:
                return _Read()
            zone = ZoneInfo(shop.zone)
            found = [
                parcel
                for parcel in histories(order, shop.market, zone)
                if self._counts_here(book, order, parcel.number)
            ]
        except (KeyError, ValueError):  # a row that no version of ours has written
            return None
        placed = order.facts and month_of(local_day(order.facts.create_time, zone)) == self.month
        return _Read(found, unscanned(order) if placed else 0)

    def _counts_here(self, book: Book, order: Order, number: str) -> bool:
        """Whether a parcel that several orders share, as combined ones do, is counted under this
        one: it is under the smallest id. Two carriers' parcels of one number are two."""
        links = book.number_facts(number).links
        ours = {link.carrier for link in links if link.order_id == order.order_id and link.carrier}
        mine = _scans(order, number)
        return not any(
            mine & self._scanned_there(link.order_id, number)
            for link in links
            if link.order_id < order.order_id
            and not (ours and all(differ(link.carrier, name) for name in ours))
        )

    def _scanned_there(self, order_id: str, number: str) -> set[str]:
        """The scans of a number as another order of these shops has them."""
        other = fold_book(read_book(self.store, order_id))
        return _scans(other, number) if other.shop_id in self.shops else set()


def _scans(order: Order, number: str) -> set[str]:
    return {
        scan.identity
        for parcel in order.parcels
        if parcel.number == number
        for scan in parcel.movements()
        if scan.confirmed
    }
