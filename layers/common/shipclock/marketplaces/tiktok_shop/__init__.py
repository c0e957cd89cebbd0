"""TikTok Shop: what may be said (`capability`), how (`telling`, `calls`, `signing`), what came back
(`answers`, `codes`), and what shows that it took effect (`proof`)."""

from shipclock.marketplaces.tiktok_shop.answers import (
    read_handover,
    read_orders,
    read_package,
    read_page,
    read_providers,
    read_tokens,
)
from shipclock.marketplaces.tiktok_shop.blame import fault_of
from shipclock.marketplaces.tiktok_shop.calls import (
    BATCH,
    SEARCHES,
    cases,
    handover,
    package,
    providers,
    refresh,
    reread,
    search,
)
from shipclock.marketplaces.tiktok_shop.capability import bars_stock, plan, plan_stock, undo
from shipclock.marketplaces.tiktok_shop.codes import cancel_words
from shipclock.marketplaces.tiktok_shop.delivery import takes_proof
from shipclock.marketplaces.tiktok_shop.fulfilment import read_document
from shipclock.marketplaces.tiktok_shop.fulfilment import shipping_document as document
from shipclock.marketplaces.tiktok_shop.inventory import MOST_SKUS as SKUS_SEARCHED
from shipclock.marketplaces.tiktok_shop.inventory import (
    MOST_UNITS,
    SKUS_SET,
    set_stock,
    stock_apart,
)
from shipclock.marketplaces.tiktok_shop.inventory import read_inventory as read_stock
from shipclock.marketplaces.tiktok_shop.inventory import search_inventory as search_stock
from shipclock.marketplaces.tiktok_shop.outcomes import interpret
from shipclock.marketplaces.tiktok_shop.proof import effect
from shipclock.marketplaces.tiktok_shop.signing import sign
from shipclock.marketplaces.tiktok_shop.tell_parcels import choose_provider, needs_provider
from shipclock.marketplaces.tiktok_shop.telling import (
    CASES,
    DETAIL,
    SHARED,
    TOGETHER,
    apart,
    learn,
    step,
    tell,
)

__all__ = [
    "BATCH",
    "CASES",
    "DETAIL",
    "MOST_UNITS",
    "SEARCHES",
    "SHARED",
    "SKUS_SEARCHED",
    "SKUS_SET",
    "TOGETHER",
    "apart",
    "bars_stock",
    "cancel_words",
    "cases",
    "choose_provider",
    "document",
    "effect",
    "fault_of",
    "handover",
    "interpret",
    "learn",
    "needs_provider",
    "package",
    "plan",
    "plan_stock",
    "providers",
    "read_document",
    "read_handover",
    "read_orders",
    "read_package",
    "read_page",
    "read_providers",
    "read_stock",
    "read_tokens",
    "refresh",
    "reread",
    "search",
    "search_stock",
    "set_stock",
    "sign",
    "step",
    "stock_apart",
    "takes_proof",
    "tell",
    "undo",
]
