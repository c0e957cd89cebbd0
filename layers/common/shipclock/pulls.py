"""Asking providers about parcels: where their pushes may be lost, or prove too little.

A parcel is asked about by a due row of its own, `PULL#number` / `source#account`. A delivery
whose words are unconfirmed makes it due at once, any other some hours later: so a provider that
pushes well is hardly ever asked. What it answers is kept as a delivery of its own and translated as
one, so the answer is evidence too, and a fault in reading it loses nothing.

Only accounts whose entry in the sources' secret has `pull` are asked with (docs/sources.md). Asking
ends when the parcel's way has, by words that are certain; and after `MOST` times in any case.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from shipclock import backoff, codec, rows
from shipclock.clockwork import Clockwork
from shipclock.domain.carrier import differ
from shipclock.domain.number import normal
from shipclock.domain.order import AWAITING_COLLECTION, IN_TRANSIT, Order
from shipclock.domain.tracking import TERMINAL, Scan, fold_parcel
from shipclock.ports import (
    ABSENT,
    Change,
    HttpRequest,
    Key,
    NoAnswer,
    NotSent,
    Put,
    Row,
    Store,
    Wire,
)
from shipclock.reading import Unreadable
from shipclock.sources import (
    PULLERS,
    TOKEN_PULLERS,
    Account,
    Delivery,
    accounts_of,
    puller,
    token_puller,
)

MOST = 60
"""Times that one parcel is asked about; with the waits of `backoff.PULL` some seven weeks."""

SOON = timedelta(minutes=10)
"""The least between two questions about one parcel, however many callbacks it gets."""

CALLS = 30
"""Calls that one sweep makes with one account."""

PACE = timedelta(seconds=0.4)
"""Between two of them: the strictest provider allows three in a second."""

LARGEST_ANSWER = 350 * 1024
"""What a row can hold."""

Secrets = Callable[[], Mapping[str, Any]]
Tell = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Outside:
    """What asking needs from outside."""

    store: Store
    wire: Wire
    secrets: Secrets
    clockwork: Clockwork
    tell: Tell
    keep_for: timedelta


class NotAnswered(Exception):
    """A provider did not answer, or said no. The message holds no secret."""


class Pulls:
    """The asking of one sweep at `now`."""

    def __init__(self, outside: Outside, now: datetime) -> None:
        """Asks nothing until it is told to."""
        self._outside = outside
        self._store = outside.store
        self._now = now
        self._accounts: dict[str, tuple[Account, ...]] = {}

    # When to ask

    def watch(self, delivery: Delivery, scans: Iterable[Scan]) -> None:
        """Have the parcels of a delivery asked about, soon where its words are unconfirmed.

        Called before the delivery's own mark is taken off, so that a crash in between repeats it.
        """
        if delivery.pulled or self._account(delivery.source, delivery.account) is None:
            return
        certain: dict[str, bool] = {}
        for scan in scans:
            certain[scan.number] = certain.get(scan.number, True) and scan.confirmed
        for number, sure in certain.items():
            self.ask(number, delivery.source, delivery.account, soon=not sure)

    def begin(self, order: Order) -> None:
        """Have parcels asked about that nobody has told anything of.

        With the accounts whose `pull` names the carrier that the marketplace has assigned; a name
        of "*" is every carrier's.
        """
        if order.status not in (AWAITING_COLLECTION, IN_TRANSIT):
            return
        for package in order.packages:
            told = package.parcel.scans if package.parcel else ()
            if told or not package.tracking_number or not package.provider:
                continue
            for source, account in self._askable():
                named = account.options["pull"].get("carriers", ())
                if any(each == "*" or not differ(each, package.provider) for each in named):
                    number = normal(package.tracking_number)
                    self._put(number, source, account.name, self._now + backoff.PULL[0])

    def _askable(self) -> Iterator[tuple[str, Account]]:
        for source in PULLERS:
            for account in self._known(source):
                if isinstance(account.options.get("pull"), dict):
                    yield source, account

    def ask(self, number: str, source: str, account: str, *, soon: bool) -> None:
        """Make a question due: soon, or after the first wait since this news of the parcel."""
        first = self._now if soon else self._now + backoff.PULL[0]
        if self._put(number, source, account, first):
            return
        due_at = rows.at(first)
        known = self._store.get(pull_key(number, source, account))
        if known is None or known["pulls"] >= MOST:
            return
        if soon:
            due_at = max(due_at, known.get("not_before", ""))
            if known.get("due_at", rows.LATER) <= due_at:
                return
        self._mark(known, due_at)

    def _put(self, number: str, source: str, account: str, first: datetime) -> bool:
        key = pull_key(number, source, account)
        row = {"pk": key[0], "sk": key[1], "source": source, "account": account, "pulls": 0}
        return self._store.write(Put({**row, **rows.mark(key, rows.at(first))}))

    # Asking

    def run(self, keys: Iterable[Key]) -> None:
        """Ask about the parcels that are due, account by account."""
        groups: dict[tuple[str, str], list[Row]] = {}
        for key in keys:
            row = self._store.get(key)
            if row is not None and rows.is_due(row, self._now):
                groups.setdefault((row["source"], row["account"]), []).append(row)
        for (source, name), due in groups.items():
            account = self._account(source, name)
            if account is None:  # not set up any more
                for row in due:
                    self._end(row)
            else:
                self._ask_all(source, account, due)

    def _ask_all(self, source: str, account: Account, due: Sequence[Row]) -> None:
        by = puller(source)
        asked = [(row, written) for row in due if (written := self._written(row))]
        starts = range(0, len(asked), by.PULL_BATCH)
        batches = [asked[start : start + by.PULL_BATCH] for start in starts][:CALLS]
        token = ""
        for turn, batch in enumerate(batches):
            if not self._outside.clockwork.allows(PACE):
                return  # what is left stays due
            try:
                if turn:
                    self._outside.clockwork.sleep(PACE.total_seconds())
                else:
                    token = self._token(source, account)
                request = by.pull(account, [written for _, written in batch], self._now, token)
                self._keep(source, account, self._answer(request, by.PULL_ANSWERS))
            except (NotAnswered, Unreadable, ValueError) as problem:
                # whatever is wrong would meet the others of this account too
                name, fault = account.name, str(problem)[:300]
                self._outside.tell("pull.failed", source=source, account=name, fault=fault)
                for row, _ in asked[turn * by.PULL_BATCH :]:
                    self._later(row)
                return
            for row, _ in batch:
                self._answered(row)

    def _written(self, row: Row) -> str:
        """The number as its carrier writes it; empty where nothing is left to ask about."""
        number = row["pk"].removeprefix(f"{rows.PULL}#")
        kept = self._store.read(rows.number_pk(number), rows.EVENT)
        told = [codec.read_scan(each) for each in kept]
        certain = fold_parcel(number, (scan for scan in told if scan.confirmed))
        if certain.status in TERMINAL or row["pulls"] >= MOST:
            self._end(row)
            return ""
        return fold_parcel(number, told).written

    def _token(self, source: str, account: Account) -> str:
        """What the questions of an account carry; empty where they carry nothing."""
        if source not in TOKEN_PULLERS:
            return ""
        by = token_puller(source)
        return by.token_in(self._answer(by.pull_token(account), frozenset({200})))

    def _answer(self, request: HttpRequest, answers: frozenset[int]) -> bytes:
        """The body of an answer that tells something. Raises `NotAnswered`."""
        try:
            reply = self._outside.wire.send(request)
        except (NoAnswer, NotSent) as problem:
            raise NotAnswered(str(problem)) from problem
        if reply.status not in answers or len(reply.body) > LARGEST_ANSWER:
            raise NotAnswered(f"answered {reply.status} with {len(reply.body)} bytes")
        return reply.body

    def _keep(self, source: str, account: Account, body: bytes) -> None:
        """Keep an answer as a delivery. One that is there already tells nothing new."""
        row = rows.delivery_row(
            key=rows.delivery_key(source, account.name, sha256(body).hexdigest()),
            source=source,
            account=account.name,
            shops=account.shops,
            body=body,
            headers={},
            received_at=self._outside.clockwork.real(),
            keep=self._outside.keep_for,
        )
        self._store.write(Put({**row, "pulled": True}))
        self._outside.tell("pull.answered", source=source, account=account.name)

    # The row

    def _answered(self, row: Row) -> None:
        pulls = row["pulls"] + 1
        again = backoff.after(backoff.PULL, pulls, self._now)
        told = {"pulls": pulls, "failures": 0, "not_before": rows.at(self._now + SOON)}
        self._mark(row, rows.at(again), told)

    def _later(self, row: Row) -> None:
        failures = row.get("failures", 0) + 1
        again = backoff.after(backoff.PULL_FAILED, failures, self._now)
        self._mark(row, rows.at(again), {"failures": failures})

    def _mark(self, row: Row, due_at: str, more: Mapping[str, Any] | None = None) -> None:
        """Move the mark, unless somebody else has moved it meanwhile."""
        key = rows.key_of(row)
        as_read = {"due_at": row.get("due_at", ABSENT)}
        self._store.write(Change(key, set={**(more or {}), **rows.mark(key, due_at)}, when=as_read))

    def _end(self, row: Row) -> None:
        self._store.write(
            Change(rows.key_of(row), remove=rows.MARK, when={"due_at": row["due_at"]})
        )

    def _account(self, source: str, name: str) -> Account | None:
        """The account to ask with, if the source can be asked and the account says how."""
        accounts = self._known(source) if source in PULLERS else ()
        asking = (each for each in accounts if isinstance(each.options.get("pull"), dict))
        return next((account for account in asking if account.name == name), None)

    def _known(self, source: str) -> tuple[Account, ...]:
        if source not in self._accounts:
            try:
                self._accounts[source] = accounts_of(self._outside.secrets(), source)
            except ValueError as error:
                self._outside.tell("pull.failed", source=source, account="", fault=str(error))
                self._accounts[source] = ()
        return self._accounts[source]


def pull_key(number: str, source: str, account: str) -> Key:
    """The key of the row that has a parcel asked about."""
    return f"{rows.PULL}#{number}", f"{source}#{account}"
