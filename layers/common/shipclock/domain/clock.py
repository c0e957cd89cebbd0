"""Clocks and what a clock that ran out says (DESIGN 5)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shipclock.domain.times import plain


class ClockState(StrEnum):
    """Where a clock stands at a given instant."""

    WAITING = "waiting"
    RUNNING = "running"
    MET = "met"
    MISSED = "missed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Stop:
    """The fact that stops a clock. An untrusted time may stop a clock, never prove it missed."""

    at: datetime
    trusted: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", plain(self.at))


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one order.

    `set_by` is the marketplace's field or the pack that set it, `clause` what the pack's author
    rests on. `void_at` is when it stopped to apply (the order was cancelled; `EPOCH` where the
    marketplace's own field replaced it from the start); `hard` means that the marketplace itself
    cancels at `due_at`, so that it is re-read first. `overtaken_at` is when a later fact ended
    what was true as it ran out.
    """

    name: str
    due_at: datetime
    set_by: str
    clause: str = ""
    package_id: str = ""
    starts_at: datetime | None = None
    stop: Stop | None = None
    void_at: datetime | None = None
    overtaken_at: datetime | None = None
    hard: bool = False

    def __post_init__(self) -> None:
        for name in ("due_at", "starts_at", "void_at"):
            instant = getattr(self, name)
            if instant is not None:
                object.__setattr__(self, name, plain(instant))

    def state(self, now: datetime) -> ClockState:
        """The clock's state at `now`, judged by the facts' own times however late they arrived."""
        stop, void_at, due_at = self.stop, self.void_at, self.due_at
        if void_at is not None and void_at <= due_at and (stop is None or void_at < stop.at):
            return ClockState.STOPPED  # what came after its end no longer concerns it
        if stop is not None and (stop.at <= due_at or not stop.trusted):
            return ClockState.MET
        if now >= due_at:
            return ClockState.MISSED
        if self.starts_at is not None and now < self.starts_at:
            return ClockState.WAITING
        return ClockState.RUNNING


class VerdictState(StrEnum):
    """`withdrawn`: a stop in time became known. `overtaken`: true then, ended by a later fact."""

    STANDING = "standing"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a missed clock says, for good. `noticed_at` is the `now` of the settle that saw it."""

    rule: str
    due_at: datetime
    state: VerdictState
    noticed_at: datetime
    clause: str
    explanation: str
    package_id: str = ""

    @property
    def key(self) -> str:
        """Its identity within the order: a clock that is moved and missed again speaks anew."""
        return f"{self.rule}#{self.package_id}#{self.due_at:%Y-%m-%dT%H:%M:%SZ}"

    def turned(self, state: VerdictState) -> "Verdict":
        """The same verdict in another state."""
        return replace(self, state=state)


@dataclass(frozen=True, slots=True)
class Notice:
    """A reminder or warning while a clock still runs.

    `day` is the shop's local day of a reminder and its identity: one a day, never doubled.
    """

    clock: str
    kind: str
    at: datetime
    day: str
    text: str

    @property
    def key(self) -> str:
        """Its identity within the order."""
        return f"{self.kind}#{self.clock}#{self.day}"
