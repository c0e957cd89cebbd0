"""Fetches the pictures of deliveries that carriers have named, when they are due.

Nothing waits for a picture but the telling of its delivery, and that not for long; so this comes
last in a sweep.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shipclock import backoff, codec, rows
from shipclock.clockwork import Clockwork
from shipclock.domain.clock import Notice
from shipclock.domain.picture import NotAPicture
from shipclock.marks import have_settled
from shipclock.ports import Change, FetchFailed, FetchRefused, Key, Pictures, Put, Row, Store
from shipclock.proof_images import State, keep, may_speak, until

MOST = 20
"""Pictures that one sweep fetches; the rest stays due."""

TOGETHER = 4
"""Pictures that are fetched at a time: each may take megabytes of memory."""

PROOF = "proof"
"""The kind of a notice about a picture that could not be had."""

NOT_WANTED = "the account's proof_hosts are empty"
TOO_OLD = "its link has become too old"


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches the pictures that are due, in one sweep at `now`.

    `hosts_of` names what an account lets us fetch from; `report` tells one thing that happened.
    """

    store: Store
    pictures: Pictures
    hosts_of: Callable[[str, str], Sequence[str]]
    clockwork: Clockwork
    now: datetime
    report: Callable[..., None]

    unsaid: list[Key] = field(default_factory=list)
    """Notices that were put and are to be announced."""

    def fetch(self, key: Key) -> None:
        """Fetch one picture if it is still due and the time allows, and note what came of it.

        The file is kept before its row says so, and the row says so before people are told: what
        breaks off is done again, and nothing is kept or told twice.
        """
        row = self.store.get(key)
        if row is None or not rows.is_due(row, self.now):
            return
        real = self.clockwork.real()
        if row["state"] != State.WAITING:
            self._tell(row)
            self._change(row, {}, rows.UNMARK)
        elif row["expires_at"] <= real.timestamp():
            self._end(row, State.GONE, TOO_OLD)
        elif not (hosts := self.hosts_of(row["source"], row["account"])):
            said = {"state": State.REFUSED.value, "reason": NOT_WANTED}
            if self._change(row, said, ("link", *rows.UNMARK)):  # nobody waits for it
                self._say(row, State.REFUSED, NOT_WANTED)
        elif self.clockwork.allows():
            self._try(row, hosts)

    def _try(self, row: Row, hosts: Sequence[str]) -> None:
        try:
            data = self.pictures.fetch(row["link"], hosts)
            had = keep(self.store, row, data, self.clockwork.real())
        except FetchFailed as reason:
            self._again(row, str(reason))
        except (FetchRefused, NotAPicture) as reason:
            self._end(row, State.REFUSED, str(reason))
        else:
            if self._change(row, had, ("link", "reason", *rows.UNMARK)):
                self._say(row, State.KEPT, "")

    def _again(self, row: Row, reason: str) -> None:
        tries = row["tries"] + 1
        if backoff.exhausted(backoff.IMAGE, tries):
            self._end(row, State.GONE, reason)
            return
        again = rows.at(backoff.after(backoff.IMAGE, tries, self.now))
        said = {"tries": tries, "reason": reason, **rows.mark(rows.key_of(row), again)}
        if self._change(row, said):
            self._say(row, State.WAITING, reason)

    def _end(self, row: Row, state: State, reason: str) -> None:
        """It will not be had: the link goes at once, the mark once people have been told."""
        expires_at = until(self.clockwork.real())
        said: Row = {"state": state.value, "reason": reason, "expires_at": expires_at}
        if self._change(row, said, ("link",)):
            self._say(row, state, reason)
            self._tell(ended := {**row, **said})
            self._change(ended, {}, rows.UNMARK)

    def _change(self, row: Row, said: Row, remove: tuple[str, ...] = ()) -> bool:
        """Change a row unless another sweep has done so meanwhile."""
        when = {"due_at": row["due_at"], "state": row["state"]}
        return self.store.write(Change(rows.key_of(row), set=said, remove=remove, when=when))

    def _say(self, row: Row, state: State, reason: str) -> None:
        self.report(
            f"image.{state.value}",
            number=row["number"],
            source=row["source"],
            account=row["account"],
            kind=row["kind"],
            reason=reason,
        )

    def _tell(self, row: Row) -> None:
        """Have the sellers told, unless another picture of the same scan is had or may be."""
        fellows = [r for r in self.store.read(row["pk"], rows.IMAGE) if r["scan"] == row["scan"]]
        if any(fellow["state"] in (State.WAITING, State.KEPT) for fellow in fellows):
            return
        number = row["number"]
        text = (
            f"The carrier names a {row['kind']} of the delivery of {number}, which could not be "
            f"had: {row['reason']}. Nothing waits for it. Where a proof is needed, keep one of "
            "your own with `shipclock files proof`; once the cause is mended, "
            "`shipclock files pictures` tries it again."
        )
        for link in self.store.read(rows.number_pk(number), rows.LINK):
            pk = rows.order_pk(link["sk"].removeprefix(rows.LINK))
            head = self.store.get((pk, rows.HEAD))
            if head is not None and may_speak(row, head["shop_id"]):
                notice = Notice(number, PROOF, self.now, row["scan"], text)
                told = codec.notice_row(pk, notice, self.clockwork.real(), head["shop_id"])
                self.store.write(Put(told))
                have_settled(self.store, pk, self.clockwork.real())  # which binds it
                self.unsaid.append(rows.key_of(told))
