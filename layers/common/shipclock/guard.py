"""Keeps what goes wrong with one row from stopping the work on all others."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from shipclock import backoff, rows
from shipclock.clockwork import Busy
from shipclock.ports import Change, Key, Row, Store, StoreError

TABLES = dict.fromkeys(("announcement", "box", "message"), backoff.SAYING)
"""How long what waits that is not put off as an order is, by its kind."""


class Guard:
    """Runs one row's work; whatever goes wrong in it is told, put off and goes no further."""

    def __init__(
        self,
        store: Store,
        now: datetime,
        tell: Callable[..., None],
        quarantine: Callable[[Row, str], object],
    ) -> None:
        """Puts off from `now`. `quarantine` keeps a delivery for a person, with the reason."""
        self._store = store
        self._now = now
        self._tell = tell
        self._quarantine = quarantine

    @contextmanager
    def __call__(self, key: Key, what: str, due: Iterable[Key] = ()) -> Iterator[None]:
        """Run one row's work, of the kind that `what` names; `due` are rows put off with it.

        This function is the one place that catches everything, putting off included: a bug that
        only one order meets must not cost all others their clocks. The row stays due, later and
        later.
        """
        try:
            yield
        except Busy:
            raise
        except StoreError as fault:  # the table stumbled: nothing is wrong with the row
            self._tell("table.failing", key="/".join(key), fault=repr(fault)[:500])
        except Exception as fault:
            self._tell(f"{what}.failing", key="/".join(key), fault=repr(fault)[:500])
            for row_key in (key, *due):
                try:
                    self._put_off(row_key, fault, TABLES.get(what, backoff.SETTLE))
                except Exception as error:  # a row so odd that not even this is possible
                    self._tell("put_off.failing", key="/".join(row_key), fault=repr(error)[:500])

    def _put_off(self, key: Key, fault: Exception, table: tuple[timedelta, ...]) -> None:
        row = self._store.get(key)
        if row is None or "due_at" not in row:
            return
        if key[1] == rows.DELIVERY:
            self._quarantine(row, f"translating it failed: {fault!r}")
            return
        failures = row.get("put_off", 0) + 1
        again = rows.at(backoff.after(table, failures, self._now))
        self._store.write(
            Change(
                key,
                set={"put_off": failures, **rows.mark(key, again)},
                when={"due_at": row["due_at"]},
            )
        )
