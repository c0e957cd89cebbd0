"""What a seller has agreed with his carriers, as he writes it down: a TOML file, checked as read.

```toml
minimum = 30                 # judge no figure over fewer parcels than this

[[terms]]
carrier = "J&T Express"
lane = "MY/SELLER/*"
from = 2026-01-01
transit_days = 3
within_transit_days = 0.95
loss = 0.002
```
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from shipclock.domain.carrier import known_as

MINIMUM = 30
"""Over fewer parcels than this nothing is judged, unless the file says otherwise."""


class TermsError(Exception):
    """A file of terms says something that cannot be: names file, line, key and what is accepted."""


def _number(value: Any) -> Decimal:
    """A number as TOML writes it, exactly: 0.95 stays 0.95."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("a number was expected")
    return Decimal(value)


_EXACT = BeforeValidator(_number)
_PLACES = 9
"""Decimal places; it also keeps out numbers such as 1e-999999999 that take ages to compare."""


Share = Annotated[
    Decimal,
    _EXACT,
    Field(ge=0, le=1, decimal_places=_PLACES, description="a share from 0 to 1, such as 0.95"),
]
Mean = Annotated[
    Decimal,
    _EXACT,
    Field(ge=1, le=100, decimal_places=_PLACES, description="a mean from 1 to 100, such as 1.2"),
]
Hours = Annotated[
    Decimal,
    _EXACT,
    Field(gt=0, le=8784, decimal_places=_PLACES, description="hours up to 8784, such as 72"),
]
Minutes = Annotated[
    Decimal,
    _EXACT,
    Field(gt=0, le=527040, decimal_places=_PLACES, description="minutes up to 527040, such as 90"),
]
Parcels = Annotated[
    int, Field(ge=1, le=1_000_000, description="a whole number from 1 to 1000000, such as 30")
]


class Terms(BaseModel):
    """What was agreed with one carrier on one lane from one day on. What is left out is not judged.

    A parcel is judged by one of them: of those of its carrier that are in force on the local day of
    its first scan and name its lane, by the one that names it most closely; of these the newest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    carrier: str = Field(description="the carrier's name in quotes, with a letter or digit in it")
    lane: str = Field(
        "*",
        pattern=r"^[^*]*\*?$",
        min_length=1,
        description='a lane as the scorecard shows it, or its beginning and *, such as "MY/*"',
    )
    since: dt.date = Field(alias="from", description="the first day, without quotes: 2026-01-01")
    until: dt.date | None = Field(
        None, description="the day after the last, later than `from`, without quotes: 2027-01-01"
    )
    minimum: Parcels | None = None
    transit_days: Annotated[
        int | None, Field(ge=0, le=365, description="whole days from 0 to 365, such as 3")
    ] = None

    on_time: Share | None = None
    within_transit_days: Share | None = None
    first_attempt: Share | None = None
    proof: Share | None = None
    attempts: Mean | None = None
    loss: Share | None = None
    damage: Share | None = None
    returned: Share | None = None
    transit_p50_hours: Hours | None = None
    transit_p90_hours: Hours | None = None
    latency_p50_minutes: Minutes | None = None
    latency_p90_minutes: Minutes | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "Terms":
        if not known_as(self.carrier):
            raise ValueError("carrier: a name with a letter or digit in it is needed")
        if self.until is not None and self.until <= self.since:
            raise ValueError(f"until: a day later than `from`, {self.since}, is needed")
        if self.within_transit_days is not None and self.transit_days is None:
            raise ValueError("within_transit_days: transit_days, such as 3, is needed beside it")
        if not self.asked:
            raise ValueError(f"nothing is agreed: name one of {', '.join((*AT_LEAST, *AT_MOST))}")
        return self

    @property
    def asked(self) -> dict[str, Decimal]:
        """The figures that were agreed, in the order of a scorecard."""
        values = {name: getattr(self, name) for name in (*AT_LEAST, *AT_MOST)}
        return {name: value for name, value in values.items() if value is not None}

    def covers(self, carrier: str, lane: str, day: dt.date) -> bool:
        """Whether a parcel of that carrier (as `known_as` names it) may be judged by them."""
        begins = lane.startswith(self.lane[:-1]) if self.lane.endswith("*") else lane == self.lane
        in_force = self.since <= day and (self.until is None or day < self.until)
        return begins and in_force and known_as(self.carrier) == carrier

    @property
    def rank(self) -> tuple[bool, int, dt.date]:
        """The larger, the more closely they name a lane; of one lane, the newer they are."""
        return not self.lane.endswith("*"), len(self.lane), self.since


AT_LEAST = ("on_time", "within_transit_days", "first_attempt", "proof")
AT_MOST = (
    "attempts",
    "loss",
    "damage",
    "returned",
    "transit_p50_hours",
    "transit_p90_hours",
    "latency_p50_minutes",
    "latency_p90_minutes",
)
"""Which way a figure is good."""


class TermsFile(BaseModel):
    """A whole file of terms."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    minimum: Parcels = MINIMUM
    terms: tuple[Terms, ...] = Field(
        strict=False, description="tables of terms, each begun by a line [[terms]]"
    )


def terms_for(terms: Sequence[Terms], carrier: str, lane: str, day: dt.date) -> Terms | None:
    """The terms that a parcel is judged by; None where there are none for it."""
    covering = [one for one in terms if one.covers(carrier, lane, day)]
    return max(covering, key=lambda one: one.rank, default=None)


def parse_terms(text: str, name: str) -> TermsFile:
    """Read a file of terms. Raises `TermsError` naming the file and, of everything that is wrong,
    its line, its key and what is accepted."""
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # the former also for numbers without end
        raise TermsError(f"{name} is not TOML: {error}.") from None
    except ArithmeticError:  # an exponent beyond what decimals can have
        raise TermsError(f"{name}: it has a number that is out of all bounds.") from None
    try:
        found = TermsFile.model_validate(document)
    except ValidationError as error:
        wrong = [f"{name}, {_told(dict(e), text)}." for e in error.errors()]
        raise TermsError("\n".join(wrong)) from None
    if not found.terms:
        raise TermsError(f"{name}: there are no terms; begin each by a line [[terms]].")
    seen: dict[tuple[str, str, dt.date], int] = {}
    for number, one in enumerate(found.terms, 1):
        earlier = seen.setdefault((known_as(one.carrier), one.lane, one.since), number)
        if earlier != number:
            raise TermsError(
                f"{name}, line {_line(text, number)}: terms {number} are for the carrier, lane and "
                f"`from` of terms {earlier}; accepted: each once."
            )
    return found


def _told(error: dict[str, Any], text: str) -> str:
    """One thing that is wrong: where, and what is accepted there."""
    where: tuple[int | str, ...] = error["loc"]
    number = where[1] + 1 if len(where) > 1 and isinstance(where[1], int) else 0
    key = where[-1] if where and isinstance(where[-1], str) else ""
    model: type[BaseModel] = Terms if number else TermsFile
    line = _line(text, number, key)
    place = f"line {line}" if line else "at its top"
    what = " of ".join(filter(None, (key, f"terms {number}" if number else "")))
    if error["type"] == "value_error" and not key:
        return f"{place}: {': '.join(filter(None, (what, str(error['ctx']['error']))))}"
    if error["type"] == "extra_forbidden":
        return f"{place}: {what} is no key; accepted: {', '.join(_keys(model))}"
    accepted = _keys(model).get(key) or f"a table of {', '.join(_keys(model))}"
    if error["type"] == "missing":
        return f"{place}: {what} is missing; accepted: {accepted}"
    return f"{place}: {what} is {_shown(error['input'])}; accepted: {accepted}"


def _keys(model: type[BaseModel]) -> dict[str, str]:
    """Every key of a table and what is accepted there."""
    found = {}
    for name, field in model.model_fields.items():
        told = field.description or next(_descriptions(field.annotation), "")
        found[field.alias or name] = told
    return found


def _descriptions(kind: Any) -> Iterator[str]:
    """What is said inside a type: of `Share | None` what is said of `Share`."""
    for inside in getattr(kind, "__args__", ()):
        for note in getattr(inside, "__metadata__", ()):
            if told := getattr(note, "description", None):
                yield told


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


HEAD = re.compile(r"\s*\[")


def _line(text: str, number: int, key: str = "") -> int:
    """The line of a key in the table of terms of that number (0: before all tables); that of the
    table's head where the key is not found; 0 where neither is."""
    head = table = 0
    for place, line in enumerate(text.splitlines(), 1):
        if HEAD.match(line):
            if table == number and head:
                break
            table += bool(re.match(r"\s*\[\[\s*\"?terms\"?\s*\]\]", line))
            head = place if table == number else head
        elif key and table == number and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
            return place
    return head
