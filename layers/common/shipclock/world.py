"""What a sweep needs from outside, and how it says what happened."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from shipclock.marketplaces.protocol import Hosts
from shipclock.ports import Outlets, Pictures, Store, Wire
from shipclock.silence import FLOOR, Speaker

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: for the log, and counted as a metric where it has one."""

    name: str
    fields: Mapping[str, Any]


Say = Callable[[Line], None]
Announce = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class World:
    """Everything a sweep needs from outside, wired once."""

    store: Store
    wire: Wire
    pictures: Pictures
    hosts: Hosts
    secrets: Callable[[], Mapping[str, Any]]
    announce: Announce
    destinations: Callable[[], object]
    outlets: Outlets
    say: Say
    real: Callable[[], datetime]
    sleep: Callable[[float], None]
    new_id: Callable[[], str]
    raw_kept: timedelta = timedelta(days=180)
    parallel: int = 16
    silence: timedelta = FLOOR
    heard: dict[Speaker, datetime] = field(default_factory=dict)

    def each(self, work: Callable[[T], None], items: Iterable[T]) -> None:
        """Do the work on each item, side by side where there is more than one."""
        listed = list(items)
        if self.parallel < 2 or len(listed) < 2:
            for item in listed:
                work(item)
            return
        with ThreadPoolExecutor(self.parallel) as pool:
            for _ in pool.map(work, listed):
                pass

    def tell(self, name: str, **fields: Any) -> None:
        """Say that one thing happened."""
        self.say(Line(name, fields))
