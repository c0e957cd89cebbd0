"""A local TikTok Shop marketplace for `make run` and the tests. Never shipped.

It behaves as the Partner Center pages say and is stricter than a client should need: unknown
fields are refused, nothing is deduplicated, every accepted write is kept as an `Effect`. It shares
no code with what it judges. All data in it is made up.
"""

from sandbox.building import OrderWish
from sandbox.core import PROVIDERS, UNTRACKED_AFTER, Sandbox
from sandbox.faults import Fault
from sandbox.server import Server
from sandbox.shops import Shop
from sandbox.wire import Reply, Request, StoryError
from sandbox.world import Call, Effect, Provider, Settings, Webhook

__all__ = [
    "PROVIDERS",
    "UNTRACKED_AFTER",
    "Call",
    "Effect",
    "Fault",
    "OrderWish",
    "Provider",
    "Reply",
    "Request",
    "Sandbox",
    "Server",
    "Settings",
    "Shop",
    "StoryError",
    "Webhook",
]
