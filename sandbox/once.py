"""Calls that take an idempotency key: approve, reject, create a return. No other call has one.

Partner Center, parameter `idempotency_key` of those calls: at most 255 characters. The same key
for the same call and path answers as the first time and has no second effect, whatever the body; a
refused call leaves its key unused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from sandbox.gate import Asked
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World

QUERY = ("idempotency_key",)
LONGEST = 255

Act = Callable[[World, Asked], dict[str, object]]


def once(act: Act) -> Act:
    """The call, carried out once per key."""

    @wraps(act)
    def answer(world: World, asked: Asked) -> dict[str, object]:
        key = asked.query.get("idempotency_key")
        if key is None:
            return act(world, asked)
        if not 0 < len(key) <= LONGEST:
            raise Refusal(BAD_PARAMETER, f"idempotency_key must have 1 to {LONGEST} characters")
        place = (asked.shop.shop_id, act.__name__, *asked.parts, key)
        if place not in world.answers:
            world.answers[place] = act(world, asked)
        return world.answers[place]

    return answer
