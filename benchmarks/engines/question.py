"""What every engine is asked, and how its answer is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.conditions import Facts, Row
from shipclock.domain.clock import ClockState

States = Sequence[str | None]
RUNNING = ClockState.RUNNING.value


@dataclass(frozen=True, slots=True)
class Question:
    """`prepare` puts facts into the engine's own form, `ask` is what is measured."""

    prepare: Callable[[Any], Any]
    ask: Callable[[Any], States]


@dataclass(frozen=True, slots=True)
class Engine:
    """The two questions that an engine is asked."""

    clocks: Callable[[], Question]
    orders: Callable[[Sequence[Row]], Question]


def there(facts: Facts) -> dict[str, int]:
    """Without what is not known: the less there is, the less has to be handed over."""
    return {name: at for name, at in facts.items() if at is not None}
