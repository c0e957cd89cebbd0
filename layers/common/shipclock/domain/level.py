"""How much something that is told presses."""

from enum import StrEnum


class Level(StrEnum):
    """`ordinary`: it waits for the day's digest. `urgent`: it goes at once, but not in quiet hours.
    `critical`: it goes at once, whenever that is."""

    ORDINARY = "ordinary"
    URGENT = "urgent"
    CRITICAL = "critical"
