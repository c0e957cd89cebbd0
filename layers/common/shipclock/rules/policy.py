"""Policy packs: deadlines as data, dated, per market (DESIGN 5). `packs` reads their files."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shipclock.rules.calendar import WEEKDAYS, Length, Span, WorkingDays, is_place
from shipclock.rules.figures import (
    FIRST,
    LAST,
    Action,
    Confidence,
    Dated,
    Day,
    Days,
    End,
    Hours,
    Line,
    MoreDays,
    MorePercent,
    Percent,
    Start,
    Text,
    TimeOfDay,
    Weekday,
    YesOrNo,
    Zone,
)


class Part(BaseModel):
    """A table of a pack: no key but those that are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cited(Part):
    """A figure, and what it rests on: the sentence, the page, its day, and how sure that is.

    `official`: the marketplace's own page says so. `reported`: others say so of it. `conflicting`:
    two sources disagree. `unconfirmed`: it is old, and no page of today has it.
    """

    clause: Text
    source: Text
    dated: Dated
    confidence: Confidence


class Timed(Part):
    """How long, see `calendar.Length`. `zone` is where days and cut-offs are local; empty: the
    pack's, else the shop's."""

    hours: Hours | None = None
    calendar_days: Days | None = None
    working_days: Days | None = None
    cut_off: TimeOfDay | None = None
    by: TimeOfDay | None = None
    zone: Zone = ""

    @cached_property
    def length(self) -> Length:
        """The figures alone."""
        return Length(self.hours, self.calendar_days, self.working_days, self.cut_off, self.by)

    @property
    def spans(self) -> int:
        """How many of the three spans are given."""
        given = (self.hours, self.calendar_days, self.working_days)
        return sum(span is not None for span in given)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.spans > 1:
            raise ValueError("only one of hours, calendar_days and working_days may be given")
        days = self.working_days if self.calendar_days is None else self.calendar_days
        if days is None and (self.cut_off or self.by):
            raise ValueError("cut_off and by go with calendar_days or working_days alone")
        if days == 0 and not (self.cut_off and self.by and self.cut_off <= self.by):
            raise ValueError("0 days need a cut_off and, at or after it, a time in by")
        return self


class Clause(Cited, Timed):
    """What a rule is told by a pack. Which figures it must have says the rule of its name
    (`NEEDS` in the rule's file). `force_majeure`: an incident extends this clock. `shipping` says
    which orders it is of, in the marketplace's words, of rules that ask for that (`TAKES`); empty:
    all that the rule is of."""

    shipping: tuple[str, ...] = ()
    attempts: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    first_reminder_hours: Hours | None = None
    reminder_at: TimeOfDay | None = None
    final_warning_hours: Hours | None = None
    force_majeure: YesOrNo = False

    @property
    def count(self) -> int:
        """How many attempts; of a rule that needs `attempts`."""
        return self.attempts or 1

    @model_validator(mode="after")
    def _extendable(self) -> Self:
        if self.force_majeure and not self.spans:
            raise ValueError(
                "force_majeure goes with hours, calendar_days or working_days: no incident moves "
                "what the marketplace or an event sets"
            )
        return self


class Deadline(Cited, Timed):
    """A clock told by the pack alone, under a name of its own.

    `shipping` and `order_types` say which orders it is of, in the marketplace's words; empty: all.
    A `hard` line is one at which the marketplace itself cancels. The first field of `replaced_by`
    that an order carries takes its place. `warn_hours` before it runs out there are warnings;
    `then` is what becomes of the order where it is missed.
    """

    starts: Start
    stops: End
    line: Line
    shipping: tuple[str, ...] = ()
    order_types: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    warn_hours: tuple[Hours, ...] = ()
    then: Action = "alert"
    force_majeure: YesOrNo = False

    @model_validator(mode="after")
    def _timed(self) -> Self:
        if self.spans != 1:
            raise ValueError("one of hours, calendar_days and working_days is needed")
        if self.force_majeure and self.line == "hard":
            raise ValueError(
                "force_majeure does not go with a hard line: the marketplace cancels at it, "
                "incident or not"
            )
        return self


class Extension(Cited):
    """More time for some clocks, as the marketplace announced it: of orders whose clock starts on
    one of these local days, the last included.

    Exactly one of: so many `hours` more, so many `calendar_days` or `working_days` more at the same
    time of day, or `not_before` a local time. Of several that fit the latest instant counts.
    """

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    clocks: Annotated[tuple[str, ...], Field(min_length=1)]
    hours: Hours | None = None
    calendar_days: MoreDays | None = None
    working_days: MoreDays | None = None
    not_before: Annotated[dt.datetime, Field(strict=True)] | None = None

    @field_validator("not_before")
    @classmethod
    def _of_our_time(cls, given: dt.datetime | None) -> dt.datetime | None:
        if given and not FIRST <= given.date() <= LAST:
            raise ValueError("is no time of ours")
        return given

    @model_validator(mode="after")
    def _one(self) -> Self:
        more = (self.hours, self.calendar_days, self.working_days, self.not_before)
        if sum(given is not None for given in more) != 1:
            raise ValueError(
                "exactly one of hours, calendar_days, working_days and not_before is needed"
            )
        if self.not_before and self.not_before.tzinfo:
            raise ValueError("not_before is a local time, without an offset")
        if self.last < self.first:
            raise ValueError("the last day comes before the first")
        return self

    def extended(self, due_at: dt.datetime, zone: ZoneInfo, working: WorkingDays) -> dt.datetime:
        """A due instant with this extension; never an earlier one."""
        if self.not_before is not None:
            moved = self.not_before.replace(tzinfo=zone).astimezone(dt.UTC)
        else:
            more = Length(self.hours, self.calendar_days, self.working_days)
            moved = more.over(due_at, zone, working)
        return max(due_at, moved)


class Signal(Cited):
    """A line for one of a shop's performance figures, in percent: `at_most`, `at_least` or `below`,
    which is crossed as the figure comes to it. `days` is the window that it is counted over; None:
    no source tells."""

    at_most: Percent | None = None
    at_least: Percent | None = None
    below: MorePercent | None = None
    days: MoreDays | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(bound is not None for bound in (self.at_most, self.at_least, self.below)) != 1:
            raise ValueError("exactly one of at_most, at_least and below is needed")
        return self


class Dates(Part):
    """Local days on end, the last included, and why they are named."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    why: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("the last day comes before the first")
        return self

    @property
    def span(self) -> Span:
        """The days alone."""
        return Span(self.first, self.last)


class Calendar(Part):
    """Which days are working days. `country` empty: that of the shop's market. Days are `closed`
    beside its holidays, or `worked` in spite of them or of the weekend."""

    country: str = ""
    subdivision: str = ""
    weekend: tuple[Weekday, ...] = ("saturday", "sunday")
    closed: tuple[Dates, ...] = ()
    worked: tuple[Dates, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.subdivision and not self.country:
            raise ValueError("subdivision goes with country alone: it is one of that country")
        if self.country and not is_place(self.country, self.subdivision):
            raise ValueError(
                "no such country or subdivision: ISO 3166 codes are accepted, such as US and CA"
            )
        if len(set(self.weekend)) == len(WEEKDAYS):
            raise ValueError("no day of the week would be left to work")
        for one in self.closed:
            if any(one.span.meets(other.span) for other in self.worked):
                raise ValueError(f"{one.first} to {one.last} is closed, and worked in part")
        self.days("").check()
        return self

    def days(self, market: str, closed: tuple[Span, ...] = ()) -> WorkingDays:
        """The calendar of a market's shop that is `closed` on some days of its own."""
        return WorkingDays(
            self.country or COUNTRIES.get(market, market),
            self.subdivision,
            frozenset(WEEKDAYS.index(day) for day in self.weekend),
            (*closed, *(one.span for one in self.closed)),
            tuple(one.span for one in self.worked),
        )


COUNTRIES = {"UK": "GB"}
"""Markets that are written otherwise than their country."""


class Reach(Part):
    """Whose orders a pack rules: those of its markets that are placed from its first local day on,
    to the day before `until`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    markets: tuple[str, ...]
    since: Day = Field(alias="from")
    until: Day | None = None

    def in_force(self, market: str, day: dt.date) -> bool:
        """Whether this pack rules an order of that market placed on that local day."""
        return market in self.markets and self.since <= day and (not self.until or day < self.until)


class Pack(Reach):
    """One policy pack. As it is read (`packs`), `source`, `dated` and `confidence` are written into
    each part that does not say otherwise, and what its parts are called is looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    extends: str = ""
    without: tuple[str, ...] = ()
    ship_on: Literal["scan"]
    source: Text | None = None
    dated: Dated | None = None
    confidence: Confidence | None = None
    zone: Zone = ""
    calendar: Calendar | None = None
    clauses: dict[str, Clause] = {}
    deadlines: dict[str, Deadline] = {}
    extensions: tuple[Extension, ...] = ()
    signals: dict[str, Signal] = {}

    @field_validator("until")
    @classmethod
    def _later(cls, until: dt.date | None, info: ValidationInfo) -> dt.date | None:
        if until and until <= info.data.get("since", dt.date.min):
            raise ValueError("comes before the first day; it is the day after the last")
        return until

    @model_validator(mode="after")
    def _whole(self) -> Self:
        timed: dict[str, Timed] = {**self.clauses, **self.deadlines}
        counted = any(part.working_days is not None for part in timed.values())
        counted = counted or any(one.working_days is not None for one in self.extensions)
        if counted and self.calendar is None:
            raise ValueError("calendar is missing: a table [calendar] says what working days are")
        return self


EVERY_WEEKDAY = WorkingDays()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a shop's orders are judged by: a pack and the shop's own terms.

    `zone` is the shop's, `working` its working days. `hand_marked`: its orders are marked as
    shipped by hand. `default_provider` is the id of the provider that stands for carriers of any
    name.
    """

    pack: Pack
    zone: ZoneInfo
    working: WorkingDays = EVERY_WEEKDAY
    hand_marked: bool = False
    default_provider: str = ""

    def clause(self, rule: str) -> Clause | None:
        """The pack's clause for a rule; None where the pack leaves it to the marketplace."""
        return self.pack.clauses.get(rule)

    def set_by(self, rule: str) -> str:
        """The name under which a clause is cited."""
        return f"{self.pack.name}:{rule}"

    def due(self, name: str, timed: Timed, start: dt.datetime) -> dt.datetime:
        """When the clock of that name that starts then runs out, announced extensions included."""
        if timed.hours is not None and not self.pack.extensions:
            return start + dt.timedelta(hours=timed.hours)
        place = timed.zone or self.pack.zone
        zone = ZoneInfo(place) if place else self.zone
        due_at = timed.length.over(start, zone, self.working)
        day = start.astimezone(zone).date()
        return max(
            (one.extended(due_at, zone, self.working) for one in self._extensions(name, day)),
            default=due_at,
        )

    def _extensions(self, name: str, day: dt.date) -> Iterator[Extension]:
        for one in self.pack.extensions:
            if name in one.clocks and one.first <= day <= one.last:
                yield one
