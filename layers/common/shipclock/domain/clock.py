"""Clocks and what a clock that ran out says (DESIGN 5)."""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from shipclock.domain.times import plain, stamp


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
        if self.at.tzinfo is not UTC:
            object.__setattr__(self, "at", plain(self.at))


class Ask(StrEnum):
    """When the marketplace is asked about a clock before what it says is believed.

    `AROUND`: a day and an hour before, and as it runs out, for the marketplace itself acts then.
    `ONCE`: as it runs out. `DAILY`: as it runs out, and each day after until the outcome is known.
    """

    NEVER = "never"
    ONCE = "once"
    DAILY = "daily"
    AROUND = "around"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one order, or of one of its packages.

    `set_by` is the marketplace's field or the pack that set it, `clause` what the pack's author
    rests on. `part` and `cause` are its identity beside its name: what of the order it is about, in
    words that stay (package ids change under an order, numbers come late); empty: all of it.
    `package_id` and `number` are what it is about by now. `void_at` is when it stopped applying
    (the order was cancelled; `EPOCH` where the marketplace's own field replaced it from the
    start). One that comes `at_once` was never to be waited for: something that happened set it,
    and it starts as it runs out.
    """

    name: str
    due_at: datetime
    set_by: str
    clause: str = ""
    part: str = ""
    cause: str = ""
    package_id: str = ""
    number: str = ""
    starts_at: datetime | None = None
    stop: Stop | None = None
    void_at: datetime | None = None
    ask: Ask = Ask.NEVER
    at_once: bool = False

    def __post_init__(self) -> None:
        if self.due_at.tzinfo is not UTC:
            object.__setattr__(self, "due_at", plain(self.due_at))
        if self.at_once:
            object.__setattr__(self, "starts_at", self.due_at)
        elif self.starts_at is not None and self.starts_at.tzinfo is not UTC:
            object.__setattr__(self, "starts_at", plain(self.starts_at))
        if self.void_at is not None and self.void_at.tzinfo is not UTC:
            object.__setattr__(self, "void_at", plain(self.void_at))

    @property
    def hard(self) -> bool:
        """Whether the marketplace itself cancels as it runs out."""
        return self.ask is Ask.AROUND

    @property
    def cancels(self) -> bool:
        """Whether the marketplace cancels the order because of it: at once, or soon after."""
        return self.ask in (Ask.AROUND, Ask.DAILY)

    @property
    def overtaken(self) -> bool:
        """Whether a stop after its due instant ended what was true as it ran out."""
        return self.stop is not None and self.stop.at > self.due_at

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

    def awaited(self, now: datetime, spoken: Container[str]) -> bool:
        """Whether its end is still to come at `now`, or has come and no verdict of those `spoken`
        is of it. What comes at once nobody waits for."""
        if self.at_once:
            return False
        state = self.state(now)
        if state is ClockState.MISSED:
            return not self.overtaken and self.key not in spoken
        return state in (ClockState.RUNNING, ClockState.WAITING)

    @property
    def key(self) -> str:
        """The identity of the verdict that it comes to when it is missed.

        A deadline that is moved and missed again speaks anew. Of what happens at once an earlier
        instant may become known: that is the same thing, known better.
        """
        about = "/".join(filter(None, (self.part, self.cause)))
        return (
            f"{self.name}#{about}" if self.at_once else f"{self.name}#{about}#{stamp(self.due_at)}"
        )

    @property
    def losing(self) -> bool:
        """Whether it is missed, now or once its time comes, as far as is known."""
        return self.state(self.due_at) is ClockState.MISSED


class VerdictState(StrEnum):
    """`withdrawn`: a stop in time became known. `overtaken`: true then, ended by a later fact."""

    STANDING = "standing"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a missed clock says, for good.

    `key` is the clock's, as are its instant and what it is about, as they are known by now.
    `noticed_at` is the `now` of the settle that saw it first. `alerts` is false where another
    verdict tells people of the same thing. It is `hard` where the marketplace cancels the order
    because of it.
    """

    key: str
    rule: str
    due_at: datetime
    state: VerdictState
    noticed_at: datetime
    clause: str
    explanation: str
    package_id: str = ""
    number: str = ""
    cause: str = ""
    alerts: bool = True
    hard: bool = False

    def of(self, clock: Clock, state: VerdictState) -> "Verdict":
        """The same verdict, as its clock is known by now."""
        return replace(
            self,
            state=state,
            due_at=clock.due_at,
            package_id=clock.package_id,
            number=clock.number,
        )

    def turned(self, state: VerdictState) -> "Verdict":
        """The same verdict in another state."""
        return replace(self, state=state)


REMINDER, WARNING = "reminder", "warning"
"""Kinds of notices about a clock that runs."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the seller is told once that is no verdict: a reminder, a warning, news.

    `day` is its identity within its kind and clock: of a reminder the shop's local day, so that
    there is one a day, never doubled. `level` is how much it presses, empty: as its kind does.
    `due_at` is the instant ahead that it is about, where there is one.
    """

    clock: str
    kind: str
    at: datetime
    day: str
    text: str
    level: str = ""
    due_at: datetime | None = None

    @property
    def key(self) -> str:
        """Its identity within the order."""
        return f"{self.kind}#{self.clock}#{self.day}"
