"""TikTok Shop: what may be said (`capability`), how (`calls`, `signing`), what came back."""

from shipclock.marketplaces.tiktok_shop.answers import (
    interpret,
    read_handover,
    read_orders,
    read_package,
    read_page,
    read_providers,
    read_tokens,
)
from shipclock.marketplaces.tiktok_shop.calls import (
    BATCH,
    DETAIL,
    SEARCHES,
    choose_provider,
    handover,
    needs_provider,
    package,
    providers,
    refresh,
    reread,
    search,
    ship,
)
from shipclock.marketplaces.tiktok_shop.capability import plan, undo
from shipclock.marketplaces.tiktok_shop.codes import cancel_words
from shipclock.marketplaces.tiktok_shop.signing import sign

__all__ = [
    "BATCH",
    "DETAIL",
    "SEARCHES",
    "cancel_words",
    "choose_provider",
    "handover",
    "interpret",
    "needs_provider",
    "package",
    "plan",
    "providers",
    "read_handover",
    "read_orders",
    "read_package",
    "read_page",
    "read_providers",
    "read_tokens",
    "refresh",
    "reread",
    "search",
    "ship",
    "sign",
    "undo",
]
