"""The real clock of one invocation, and the time that is left of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

RESERVE = timedelta(seconds=15)
"""A call to a marketplace or provider is not begun with less of the function's time left."""


class Busy(Exception):
    """The lane can't make a call now: too little time left, or it must wait longer than that."""


@dataclass(slots=True)
class Clockwork:
    """The real clock, the sleep that goes with it, when this invocation's time is over, and what is
    left of it for others."""

    real: Callable[[], datetime]
    sleep: Callable[[float], None]
    ends_at: datetime
    reserve: timedelta = RESERVE

    def allows(self, wait: timedelta = timedelta(0)) -> bool:
        """Whether a call may still begin after that wait."""
        return self.real() + wait + self.reserve <= self.ends_at
