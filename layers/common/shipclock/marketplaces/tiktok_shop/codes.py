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
    105002: Meaning(Kind.EXPIRED, "access token expired"),
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
        f"{MALFORMED} 36009009 36009010 36009014 36009022 36009023",
        Meaning(
            Kind.MISCONFIGURED,
            "the request was refused as malformed",
            "Read the marketplace's message: a wrong token, a clock that is off and a call that "
            "is retired all look like this. Nothing was changed; it is tried again each hour.",
        ),
    ),
    36009033: Meaning(
        Kind.MISCONFIGURED,
        "this address is not on the app's allow-list",
        "Remove the allow-list in Partner Center or give the functions a fixed address.",
    ),
    **_each("36009003 36009007", Meaning(Kind.UNCLEAR, "the marketplace failed inside")),
    **_each(
        "11001031 21001003 21001008 21001011 21042001 21022029",
        Meaning(Kind.UNCLEAR, "the marketplace failed inside"),
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
        "21011020 21011040 21011006 21008099 11006021 21042056 21011027",
        Meaning(Kind.ALREADY, "already shipped"),
    ),
    **_each("21011041 21011042 25020009", Meaning(Kind.REFUSED, "the order is cancelled")),
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
}
"""A code that is not here is refused with its number: a person must read it."""

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
}
"""The marketplace's own reasons in words (5.5); the UK's bear `_uk` at their end."""


def cancel_words(reason: str) -> str:
    """A reason of the marketplace's own in words; empty for any other."""
    return CANCEL_REASONS.get(reason.removesuffix("_uk"), "")
