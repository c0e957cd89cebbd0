"""What the holder of a shop's lane works with while it holds it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from shipclock.clockwork import Clockwork
from shipclock.judge import Settled
from shipclock.lane import Lane
from shipclock.ports import Key, Store

Guarded = Callable[[Key, str], AbstractContextManager[None]]
"""`guard.Guard`, as work in a lane knows it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One lane's time in one sweep at `now`.

    `settle` settles one order anew, `look` only judges it; `report` tells one thing that happened;
    `guard` keeps what goes wrong with one row from stopping the work on the others.
    """

    store: Store
    lane: Lane
    clockwork: Clockwork
    now: datetime
    settle: Callable[[str], Settled | None]
    look: Callable[[str], Settled]
    report: Callable[..., None]
    guard: Guarded
