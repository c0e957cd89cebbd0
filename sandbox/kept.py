"""What the marketplace keeps besides orders: talk with buyers, stock, files."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Conversation:
    """A shop's talk with one buyer. Times are simulated Unix seconds."""

    conversation_id: str
    shop_id: str
    user_id: str
    create_time: int
    last_at: int
    messages: list[dict[str, object]] = field(default_factory=list)


@dataclass(slots=True)
class Stock:
    """The units of one SKU of one shop, by warehouse: available and committed to orders."""

    shop_id: str
    sku: str
    sku_id: str
    available: dict[str, int]
    committed: dict[str, int]

    @property
    def product_id(self) -> str:
        """The product the SKU belongs to."""
        return f"{self.sku_id[:-1]}1"


@dataclass(frozen=True, slots=True)
class File:
    """A file served under `/_files/`: whose, what, until when (real seconds; None: for good)."""

    shop_id: str
    content_type: str
    content: bytes
    until: float | None = None
