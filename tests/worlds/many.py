"""Many worlds: what goes wrong in one, and the least that still does."""

from collections import Counter
from dataclasses import replace

from tests.worlds.judge import judged_world
from tests.worlds.plans import Plan
from tests.worlds.play import Play


def wrong_in(plan: Plan, tally: Counter[str] | None = None) -> list[str]:
    """What is wrong at the end of a world; what fails while it is played is wrong, too."""
    play = Play(plan)
    try:
        play.play()
        wrong = judged_world(play)
    except Exception as fault:
        wrong = [f"it broke off: {fault!r}"]
    if tally is not None:
        tally.update(play.tally)
        tally["worlds"] += 1
        tally["orders"] += len(play.orders)
        tally["calls"] += len(play.sandbox.calls)
        tally["effects"] += len(play.effects)
        tally["faults"] += sum(bool(call.fault) for call in play.sandbox.calls)
        tally["mismatches"] += bool(wrong)
    return wrong


def smaller(plan: Plan, most: int = 300) -> Plan:
    """A plan with as few steps as can be found in so many tries that still goes wrong."""
    size, steps = max(1, len(plan.steps) // 2), list(plan.steps)
    while size and most > 0:
        start = 0
        while start < len(steps) and most > 0:
            fewer = steps[:start] + steps[start + size :]
            most -= 1
            if wrong_in(replace(plan, steps=tuple(fewer))):
                steps = fewer
            else:
                start += size
        size //= 2
    return replace(plan, steps=tuple(steps))
