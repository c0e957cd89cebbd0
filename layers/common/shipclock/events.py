"""The domain events that are put on the event bus: what fields each has, and what they mean.

The one source of `docs/events/`: `python -m cli docs` writes a JSON Schema of each, and what is
announced is made of these models. Within a version fields are added only: none is removed, renamed
or given another meaning (docs/events/README.md).
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION: Literal[1] = 1
"""Of all events together. Another one would be put on the bus beside this one for a while."""

Instant = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$",
        json_schema_extra={"format": "date-time"},
    ),
]


class Event(BaseModel):
    """What every event has."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    NULLS: ClassVar[tuple[str, ...]] = ()

    type: str = Field(description="What happened; also the detail type on the bus.")
    id: str = Field(
        pattern=r"^evt_[0-9a-f]{40}$",
        description="The same whenever the same announcement is repeated: drop what you have seen.",
    )
    version: Literal[1] = Field(
        default=VERSION, description="Version of the fields. Fields may be added within it."
    )
    level: Literal["ordinary", "urgent", "critical"] = Field(
        description="How much it presses: people are told of `ordinary` in the day's digest, of "
        "`urgent` at once but not in quiet hours, of `critical` at once."
    )
    text: str = Field(
        description="For people: what happened, what will happen and when in the shop's time, and "
        "what to do. Its words may change."
    )

    def document(self) -> dict[str, Any]:
        """The event as it is announced. What is not known is left out, or null where that is
        what the event has always had."""
        dumped = self.model_dump(mode="json")
        return {k: v for k, v in dumped.items() if v is not None or k in self.NULLS}


SHOP = Field(default=None, description="The marketplace's id of the shop; left out while unknown.")


CHAIN = Field(
    default=None,
    pattern=r"^[0-9]+:[0-9a-f]{64}$",
    description="How far the order's chain of facts had come, its links and their hash; keep it, "
    "and a later change of the facts can be shown (docs/evidence.md).",
)


class OrderEvent(Event):
    """An event of one order."""

    order_id: str = Field(description="The marketplace's id of the order.")
    shop_id: str | None = SHOP
    chain: str | None = CHAIN


class VerdictEvent(OrderEvent):
    """A clock was missed, or later news changed what was said of it."""

    NULLS = ("cause", "package_id", "tracking_number")

    rule: str = Field(description="The rule or field whose clock it is (docs/rules.md).")
    cause: str | None = Field(description="Of `abnormal_delivery`: what happened to the parcel.")
    package_id: str | None = Field(description="The package it is about; null: all of the order.")
    tracking_number: str | None = Field(description="Its tracking number, where one is known.")
    due_at: Instant = Field(description="The instant at which the clock ran out.")
    noticed_at: Instant = Field(description="The sweep's time that saw it first.")
    clause: str = Field(description="What set the clock, and what that rests on.")
    alerts: bool = Field(
        description="False where another event tells people of the same thing: no message goes out."
    )


class NoticeEvent(Event):
    """What a reminder, a warning or news has."""

    clock: str = Field(description="The rule, status, call or thing that it is about.")
    at: Instant = Field(description="The sweep's time at which it was told.")
    due_at: Instant | None = Field(
        default=None, description="The instant ahead that it is about, where there is one."
    )


class OrderNotice(NoticeEvent):
    """A notice of one order."""

    order_id: str = Field(description="The marketplace's id of the order.")
    shop_id: str | None = SHOP
    chain: str | None = CHAIN


class ShopNotice(NoticeEvent):
    """A notice of a shop."""

    shop_id: str = Field(description="The marketplace's id of the shop.")


class SourceNotice(NoticeEvent):
    """A notice of who sends webhooks. Of no shop: an account may speak for several."""

    source: str = Field(description="The source's name (docs/sources.md).")
    account: str = Field(description="The account in the sources' secret.")


class DestinationNotice(NoticeEvent):
    """A notice of a destination of messages to people."""

    destination: str = Field(description="Its name in the destinations' secret.")


Kind = tuple[type[Event], str]

EVENTS: dict[str, Kind] = {
    "order.verdict.standing": (VerdictEvent, "A clock was missed"),
    "order.verdict.withdrawn": (
        VerdictEvent,
        "A missed clock was not missed, by what is known now; its verdict is taken back",
    ),
    "order.verdict.overtaken": (VerdictEvent, "Later news ended what a verdict said"),
    "order.reminder": (OrderNotice, "A clock runs: once a local day"),
    "order.warning": (OrderNotice, "A clock runs out soon, or a carrier reports a delay"),
    "order.nearing": (OrderNotice, "A line nears at which the marketplace cancels the order"),
    "order.outcome": (OrderNotice, "The marketplace cancelled the order"),
    "order.cancel_request": (OrderNotice, "The buyer asks to cancel: keep the parcel back"),
    "order.pickup": (OrderNotice, "When the marketplace's carrier fetches a parcel"),
    "order.collected": (OrderNotice, "The marketplace's carrier has fetched the parcel"),
    "order.proof": (OrderNotice, "No picture of a delivery could be had"),
    "order.push": (OrderNotice, "The marketplace is not told something: why, and what to do"),
    "source.silent": (SourceNotice, "A source that normally speaks has stopped"),
    "source.speaks_again": (SourceNotice, "A silent source is heard again"),
    "shop.disconnected": (ShopNotice, "The marketplace no longer lets us act for a shop"),
    "shop.authorisation_ends": (ShopNotice, "A seller's authorisation ends soon"),
    "shop.renewal_refused": (ShopNotice, "The marketplace refused to renew a shop's tokens"),
    "shop.stock_not_set": (ShopNotice, "A wish for stock could not be carried out"),
    "shop.stock": (ShopNotice, "The marketplace says that a SKU runs low or is sold out"),
    "shop.signal": (ShopNotice, "A performance signal has crossed its line, or will within a day"),
    "destination.failing": (DestinationNotice, "A message to a destination was given up"),
    "destination.gone": (DestinationNotice, "A destination said that it is gone: nothing is sent"),
    "destination.test": (
        DestinationNotice,
        "A made-up message, sent by hand to a destination and not put on the bus",
    ),
}
"""Every type of event that there is."""

WHOSE: dict[str, type[NoticeEvent]] = {
    "order": OrderNotice,
    "shop": ShopNotice,
    "source": SourceNotice,
    "destination": DestinationNotice,
}
"""What a notice is about, by the first word of its type."""


# What a webhook is sent


class MessageData(BaseModel):
    """What a message tells of one shop, or of none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(
        pattern=r"^msg_[0-9a-f]{40}$",
        description="The same at every try, and the header webhook-id: drop what you have seen.",
    )
    level: Literal["ordinary", "urgent", "critical"] = Field(
        description="`ordinary` is the digest of the day."
    )
    shop_id: str | None = Field(description="The shop; null: the events are of no shop.")
    day: str = Field(
        pattern=r"^\d{4}-\d{2}-\d{2}$", description="The local day on which it was closed."
    )
    part: int = Field(ge=1, description="Which part of the message this is.")
    parts: int = Field(ge=1, description="How many parts it has; each is sent on its own.")
    subject: str = Field(description="For people: shop, what and how many. Its words may change.")
    events: list[dict[str, Any]] = Field(
        description="The events, as they were on the bus, each by the schema of its type."
    )


class MessageBody(BaseModel):
    """The body of a signed webhook, of the shape that Standard Webhooks recommends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["shipclock.message"] = Field(description="What the body is.")
    timestamp: Instant = Field(description="The sweep's time at which the message was closed.")
    data: MessageData = Field(description="The message.")
