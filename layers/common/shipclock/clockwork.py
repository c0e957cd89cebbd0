"""The real clock of one invocation, and the time that is left of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

RESERVE = timedelta(seconds=15)
"""A call is not begun with less of the function's time left."""


class Busy(Exception):
    """The lane can't make a call now: too little time left, or it must wait longer than that."""


@dataclass(slots=True)
class Clockwork:
    """The real clock, the sleep that goes with it, and when this invocation's time is over."""

    real: Callable[[], datetime]
    sleep: Callable[[float], None]
    ends_at: datetime

    def allows(self, wait: timedelta = timedelta(0)) -> bool:
        """Whether a call may still begin after that wait."""
        return self.real() + wait + RESERVE <= self.ends_at
