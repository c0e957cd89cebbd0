"""TikTok Shop's answer codes as data: what each means for the caller (`tiktok-shop.md` 6.2)."""

from dataclasses import dataclass
from datetime import timedelta

from shipclock.marketplaces.protocol import Kind

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

RATE_LIMIT = 36009002
MALFORMED = 36009004


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means, what it is called in the log, and what a seller should do."""

    kind: Kind
    reason: str
    advice: str = ""
    wait: timedelta | None = None


def _each(codes: str, meaning: Meaning) -> dict[int, Meaning]:
    return {int(code): meaning for code in codes.split()}


CODES: dict[int, Meaning] = {
    105002: Meaning(
        Kind.EXPIRED,
        "the access token is expired or not taken",
        "Nothing to do: our access is renewed, then it is tried again by itself.",
    ),
    105001: Meaning(
        Kind.DEAUTHORISED,
        "the shop is deauthorised",
        "Connect the shop again; until then nothing can be read or pushed.",
    ),
    101000: Meaning(
        Kind.MISCONFIGURED,
        "the token is not this shop's",
        "Connect the shop again with the seller account that owns it.",
    ),
    105005: Meaning(
        Kind.MISCONFIGURED,
        "the app lacks a scope",
        "Add the scope to the app in Partner Center, then connect the shop again.",
    ),
    106001: Meaning(
        Kind.MISCONFIGURED,
        "the signature was refused",
        "Check the app secret in the sources' secret.",
    ),
    106013: Meaning(Kind.MISCONFIGURED, "no shop cipher was sent", "Connect the shop again."),
    RATE_LIMIT: Meaning(Kind.RATE_LIMITED, "rate limit"),
    **_each(
        f"{MALFORMED} 36009009 36009010 36009022 36009023",
        Meaning(
            Kind.MISCONFIGURED,
            "the request was refused as malformed",
            "Report the marketplace's message to us. Nothing was changed; it is tried again each "
            "hour.",
        ),
    ),
    36009014: Meaning(
        Kind.MISCONFIGURED,
        "the call's version is retired",
        "Update Shipclock, or report this message to us. It is tried again each hour.",
    ),
    36009033: Meaning(
        Kind.MISCONFIGURED,
        "this address is not on the app's allow-list",
        "Remove the allow-list in Partner Center or give the functions a fixed address.",
    ),
    **_each(
        "36009003 36009007 11001031 21001003 21001008 21001011 21042001 21022029 12001000 "
        "10002014 10002015 10006402 10037002 10037003 10037004",  # the last six: order detail
        Meaning(Kind.UNCLEAR, "the marketplace failed inside"),
    ),
    36009021: Meaning(Kind.REFUSED, "the file is too large", "Choose or make a smaller file."),
    36004004: Meaning(
        Kind.MISCONFIGURED,
        "the code of the connection is used up or too old",
        "Connect the shop again; a code lives 30 minutes.",
    ),
    # Third parties' word, so no end of the connection: another lane may have renewed meanwhile.
    **_each(
        "36004001 36004005",
        Meaning(Kind.MISCONFIGURED, "the refresh token is not taken", "Connect the shop again."),
    ),
    21011044: Meaning(Kind.LATER, "order on hold", "It is told again when the hold is over.", HOUR),
    **_each(
        "21011007 21008044 21021010",
        Meaning(
            Kind.LATER,
            "an after-sale request is open",
            "Answer the buyer's request in Seller Center; the push follows by itself.",
            HOUR,
        ),
    ),
    **_each(
        "21004006 21004019 21004020",
        Meaning(
            Kind.LATER,
            "the invoice is missing or not accepted",
            "Upload the invoice in Seller Center; the push follows by itself.",
            HOUR,
        ),
    ),
    **_each("11034023 11034037", Meaning(Kind.LATER, "the label is being made", "", 5 * MINUTE)),
    **_each(
        "21011020 21011040 21011006 21008099 11006021 21042056",
        Meaning(Kind.ALREADY, "already shipped"),
    ),
    21011027: Meaning(Kind.ALREADY, "already delivered"),
    10007002: Meaning(Kind.ALREADY, "the order's status no longer allows it"),
    21011043: Meaning(
        Kind.LATER, "not shipped yet", "It is told again when the order is shipped.", HOUR
    ),
    **_each(
        "21011053 21011054",
        Meaning(
            Kind.REFUSED,
            "the pickup time is not to be had",
            "Choose another pickup time, then ship it again.",
        ),
    ),
    **_each(
        f"{' '.join(str(code) for code in range(11021009, 11021026))} 21014009",
        Meaning(
            Kind.REFUSED,
            "the carrier refuses the address, the size or the weight",
            "Correct what the message names in Seller Center; where it offers to, the order may be "
            "cancelled there without a penalty.",
        ),
    ),
    **_each("21011041 21011042", Meaning(Kind.REFUSED, "the order is cancelled")),
    **_each(
        "21011022 11028006 21004012 21004015 21004016",
        Meaning(
            Kind.REFUSED,
            "tracking number or provider refused",
            "Check number and carrier, then enter them in Seller Center.",
        ),
    ),
    **_each(
        "21011025 21034012 21011026",
        Meaning(
            Kind.REFUSED,
            "tracking number used elsewhere",
            "Check which order the number belongs to, then enter the right one in Seller Center.",
        ),
    ),
    **_each(
        "21011049 21011050 21011051 21011052",
        Meaning(Kind.REFUSED, "the time to change it is over", "Open a ticket in Seller Center."),
    ),
    **_each(
        "21011004 21008025 21008017 11034002",
        Meaning(
            Kind.REFUSED,
            "wrong shipping mode for this call",
            "Ship the order in Seller Center and report this message to us.",
        ),
    ),
    21008106: Meaning(
        Kind.REFUSED,
        "the call is not available in this market",
        "Ship the order in Seller Center and check the shop's market in its settings.",
    ),
    **_each(
        "21011028 21008111",
        Meaning(
            Kind.REFUSED, "not this shop's order or package", "Check which shop it belongs to."
        ),
    ),
    21008117: Meaning(Kind.REFUSED, "the marketplace ships this order"),
    21008116: Meaning(Kind.REFUSED, "no delivery option is subscribed"),
    # Delivery and tracking of one's own (5.2)
    10007014: Meaning(
        Kind.REFUSED,
        "the seller's own fleet does not deliver this package",
        "Nothing to do: the marketplace takes the delivery from the carrier.",
    ),
    11007016: Meaning(
        Kind.REFUSED,
        "the seller is not on the allow-list for own deliveries",
        "Ask the account manager at the marketplace to be put on it.",
    ),
    11007018: Meaning(
        Kind.REFUSED,
        "no order has this tracking number",
        "Check the number and the order in Seller Center.",
    ),
    11007021: Meaning(
        Kind.REFUSED,
        "the provider may not tell own deliveries",
        "Check in Seller Center which provider the order was shipped with.",
    ),
    # Stock (5.4)
    12052037: Meaning(
        Kind.REFUSED,
        "the stock can't be set",
        "The message says why: where the marketplace allocates it by itself, or for a SKU that is "
        "in other warehouses too, set it in Seller Center.",
    ),
    12019028: Meaning(
        Kind.REFUSED,
        "the SKU is in more warehouses than were named",
        "Set the stock of all its warehouses together.",
    ),
    12052055: Meaning(
        Kind.REFUSED,
        "the quantity is outside of what a warehouse may have",
        "Choose another quantity, or set it in Seller Center.",
    ),
    12052921: Meaning(
        Kind.REFUSED,
        "the stock is another shop's",
        "Set it in the shop that this product shares its stock with.",
    ),
    # Cancelling and giving money back (5.5)
    25001021: Meaning(
        Kind.REFUSED,
        "the reason does not fit the order's status",
        "Choose one of the reasons that the order is offered now.",
    ),
    **_each(
        "25001014 25001015 25001020",
        Meaning(
            Kind.REFUSED,
            "the reason is not taken",
            "Choose one of the reasons that the order is offered now.",
        ),
    ),
    25001003: Meaning(
        Kind.REFUSED,
        "the order's status does not allow it",
        "Look at the order in Seller Center: by now it may be a refund that helps.",
    ),
    25001011: Meaning(Kind.ALREADY, "a request is already in process"),
    **_each("25001010 25001051", Meaning(Kind.ALREADY, "the request is already finished")),
    25001028: Meaning(Kind.LATER, "the order is locked by another change", "", MINUTE),
    25001045: Meaning(
        Kind.REFUSED,
        "already shipped, so it can't be cancelled",
        "Offer the buyer a refund instead.",
    ),
    **_each(
        "25020003 25020004",
        Meaning(
            Kind.REFUSED,
            "the decision does not fit the request",
            "Answer the request in Seller Center, which shows what it allows.",
        ),
    ),
    25020005: Meaning(
        Kind.REFUSED,
        "the account may not decide this request",
        "Answer it in Seller Center with an account that may.",
    ),
    25020009: Meaning(Kind.ALREADY, "already cancelled"),
    25020010: Meaning(Kind.ALREADY, "already approved"),
    25005005: Meaning(
        Kind.REFUSED,
        "the amount is higher than what can be given back",
        "Ask anew how much can be given back and choose a smaller amount.",
    ),
    # Writing to buyers (5.6)
    45101004: Meaning(
        Kind.LATER, "the day's limit of messages is reached", "It is sent later.", HOUR
    ),
    45101006: Meaning(
        Kind.REFUSED,
        "the message has words that are not allowed",
        "Write it in other words.",
    ),
    45109001: Meaning(
        Kind.REFUSED,
        "the conversation's rules do not allow the message",
        "Write to the buyer in Seller Center.",
    ),
    45109003: Meaning(
        Kind.REFUSED,
        "no conversation with this buyer may be opened",
        "Wait until the buyer writes; only who wrote or ordered lately may be written to.",
    ),
}
"""A code that is not here is refused with its number: a person must read it.

`ALREADY` asks for a re-read, which tells whether it was we; `UNCLEAR` for one before a repeat.
"""

PERSON = "Read the marketplace's message in Seller Center and act there."

CANCEL_REASONS = {
    "system_cancel_unpaid_time_out": "it was not paid in time",
    "system_cancel_order_reason_shipping_timeout": "it was not shipped or collected in time",
    "system_cancel_order_untracked": "it could not be tracked",
    "system_cancel_order_exceed_edt_not_arrive": "it was long past its estimated delivery",
    "threepl_breach": "the carrier delivered too late",
    "package_lost": "the parcel was lost",
    "package_damaged": "the parcel was damaged",
    "package_scrap": "the parcel was destroyed",
    "returned_to_shipper_refused": "the buyer refused the parcel",
    "returned_to_shipper_other": "the parcel came back to the sender",
    "package_cancel": "the shipment was cancelled",
    "platform_cancel": "the platform cancelled it",
    "system_cancel_anti_span_block": "it was blocked as spam",
    "operator_cancel_risk_control_block": "it was blocked as a risk",
    "system_cancel_order_reason_potential_fraud": "it was blocked as a risk",
    "system_cancel_order_reason_experience_related": "the platform cancelled it",
    "system_cancel_order_reason_nrr_related": "the platform cancelled it",
    "ecom_cb_sc_out_return": "the platform cancelled it",
    "system_cancel_add_address_overtime": "no delivery address was given in time",
    "ecom_order_unpaid_canceled_reason_not_want_pay": "it was not paid",
}
"""The marketplace's own reasons in words (5.5); the UK's bear `_uk` at their end."""


def cancel_words(reason: str) -> str:
    """A reason of the marketplace's own in words; empty for any other."""
    return CANCEL_REASONS.get(reason.removesuffix("_uk"), "")
