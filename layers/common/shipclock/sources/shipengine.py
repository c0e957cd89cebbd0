"""ShipEngine's and ShipStation's tracking webhooks (`carriers.md` section 4.5).

Three headers prove one: `x-shipengine-rsa-sha256-signature`, the base64 of an RSA signature
(PKCS #1 v1.5, SHA-256) over the text of `x-shipengine-timestamp`, a full stop and the raw body; and
`x-shipengine-rsa-sha256-key-id`, which names the key among those that ShipEngine publishes. Times
may differ by five minutes either way.

All customers of ShipEngine share its keys: the signature proves that ShipEngine sent it, and not
for whom. An account may therefore name a token, which ShipEngine is told to send with the webhook
in a header of its own (`x-shipclock-token`).

A webhook holds one parcel with its whole history, and names no order. `carrier_occurred_at` is the
carrier's local clock, with an offset or without: no time is read from it.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shipclock.domain.tracking import TimeBasis, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, part, words
from shipclock.sources import (
    Account,
    Delivery,
    Headers,
    KeysWanted,
    NotAuthentic,
    Translation,
)
from shipclock.sources.fields import any_words, expected, instant, kept, place, words_at
from shipclock.sources.history import (
    Told,
    dated,
    entries,
    list_of,
    summary,
    tracked,
    translation,
)
from shipclock.sources.jwks import Key, is_address, signed_by, signing_keys
from shipclock.sources.meaning import (
    APPOINTMENT,
    DAMAGED_TOO,
    FINAL,
    NOTHING_KNOWN,
    UNCLASSIFIED,
    Meaning,
)
from shipclock.sources.signatures import key_of, same, sent

LIMIT = 256 * 1024
FORM = False
NAME = "shipengine"
KEY_ID = "x-shipengine-rsa-sha256-key-id"
SIGNATURE = "x-shipengine-rsa-sha256-signature"
TIME = "x-shipengine-timestamp"
OURS = "x-shipclock-token"
EVIDENCE = (KEY_ID, SIGNATURE, TIME)
TOLERANCE = 5 * 60
KINDS = ("API_TRACK", "TRACK_EVENT_V2")
"""What a tracking webhook is called in ShipEngine's API and in version 2 of ShipStation's."""


# PROVING IT ---------------------------------------------------------------------------------------

WELL_FORMED_ID = re.compile(r"[ -+\--~]{1,200}")
"""No comma: that is a header sent twice."""


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that knows the key which signed the raw bytes no more than five minutes off.

    A secret of an account is a set of keys, as JSON, or the https address of one; for the latter
    `KeysWanted` is raised, unless a set that is known proves the sender.
    """
    key_id, given, told_at = (sent(headers, name) for name in (KEY_ID, SIGNATURE, TIME))
    if not WELL_FORMED_ID.fullmatch(key_id):
        raise NotAuthentic(f"the {KEY_ID} header is malformed")
    if abs(now - _time(told_at)) > timedelta(seconds=TOLERANCE):
        raise NotAuthentic(f"the time in {TIME} is more than five minutes off")
    signature, signed = _decoded(given), told_at.encode() + b"." + body
    addresses: dict[str, None] = {}
    for account in accounts:
        if not _has_its_token(account, headers):
            continue
        for secret in account.secrets:
            if is_address(secret):
                addresses[secret] = None
            elif any(signed_by(key, signature, signed) for key in _keys(secret, key_id)):
                return account
    if addresses:
        raise KeysWanted(tuple(addresses), key_id)
    raise NotAuthentic(f"the {SIGNATURE} header fits no key of that id")


def _time(text: str) -> datetime:
    try:
        if text.isascii():
            return instant(text, TIME)[0]
    except Unreadable:
        pass
    raise NotAuthentic(f"the {TIME} header is no ISO 8601 time")


def _decoded(given: str) -> bytes:
    """The signature. Base64 in its one spelling only: what is left over of its last letter is 0."""
    try:
        signature = base64.b64decode(given, validate=True)
    except ValueError:
        signature = b""
    if base64.b64encode(signature).decode() != given:
        raise NotAuthentic(f"the {SIGNATURE} header is no base64")
    return signature


def _has_its_token(account: Account, headers: Headers) -> bool:
    """Whether a request bears the token that an account names; any does for one that names none.

    Raises ValueError, without the token, where it can't be one: no account is opened by that.
    """
    if "token" not in account.options:
        return True
    token = account.option("token")
    if not token or not token.isascii():
        raise ValueError(f"the token of a {NAME} account must be plain characters")
    return same(token, headers.get(OURS, ""))


def _keys(secret: str, key_id: str) -> tuple[Key, ...]:
    try:
        return signing_keys(key_of(secret, NAME), key_id)
    except ValueError:
        raise ValueError(
            f"a {NAME} secret must be a JSON Web Key Set or the https address of one"
        ) from None


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_INFO = Meaning(TrackingStatus.INFO_RECEIVED)
_PICKED_UP = Meaning(TrackingStatus.PICKED_UP)
_MOVING = Meaning(TrackingStatus.IN_TRANSIT)
_WAITING = Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP)
_FAILED = Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other")
_DELIVERED = Meaning(TrackingStatus.DELIVERED)
_HELD = Meaning(TrackingStatus.ON_HOLD, "other")
_LATE = Meaning(TrackingStatus.DELAYED, "other")

STATUSES = {
    "UN": NOTHING_KNOWN,
    "AC": _PICKED_UP,
    "IT": _MOVING,
    "DE": _DELIVERED,
    "EX": UNCLASSIFIED,
    "AT": _FAILED,
    "NY": _INFO,
    "SP": _WAITING,
}

DETAILS: dict[str, Meaning | None] = {
    "CARRIER_STATUS_NOT_MAPPED": None,
    "SHIPMENT_CREATED": _INFO,
    "AWAITING_PICKUP_DROP_OFF": _INFO,
    "DROPPED_OFF": _PICKED_UP,
    "ELEC_ADVICE_RECD_BY_CARRIER": _INFO,
    "PICKED_UP": _PICKED_UP,
    "CUSTOMS_CLEARED": _MOVING,
    "CUSTOMS_PROCESSING": _MOVING,
    "DELIVERY_ARRANGED_WITH_RECIPIENT": _MOVING._replace(flags=(APPOINTMENT,)),
    "HUB_SCAN_OUT": _MOVING,
    "HUB_SCAN_IN": _MOVING,
    "IN_TRANSIT": _MOVING,
    "INFORMATION": None,
    "PARCEL_OVER_LABELLED": _MOVING,
    "PARCEL_UPDATE_NOTIFICATION": None,
    "RECEIVED_BY_CARRIER": _PICKED_UP,
    "RECEIVED_LOCAL_DELIVERY_DEPOT": _MOVING,
    "SUB_CONTRACTOR_EVENT": _MOVING,
    "SUB_CONTRACTOR_RECEIVED": _MOVING,
    "PARCEL_REDIRECTED": _MOVING,
    "DELIVERY_SCHEDULED": _MOVING._replace(flags=(APPOINTMENT,)),
    "HUB_PROCESSING": _MOVING,
    "DELIVERY_RESCHEDULED": _LATE._replace(reason="rescheduled"),
    "ATTEMPTED_DELIVERY": _FAILED,
    "ATTEMPTED_DELIVERY_FINAL": _FAILED._replace(flags=(FINAL,)),
    "COD_AMOUNT_PAID": None,
    "CUSTOMER_CARDED": _FAILED._replace(reason="recipient_absent"),
    "OUT_FOR_DELIVERY": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "AWAITING_COLLECTION_FROM_PICKUP_POINT": _WAITING,
    "COLLECT_AT_LOCAL_PO": _WAITING,
    "CUSTOMER_TO_COLLECT_FROM_CARRIER": _WAITING,
    "DELIVERED_TO_RECEPTION": _DELIVERED._replace(delivered_to="reception"),
    "DELIVERED": _DELIVERED,
    "DELIVERED_DAMAGED": _DELIVERED._replace(flags=(DAMAGED_TOO,)),
    "DELIVERED_IN_PART": _DELIVERED._replace(flags=("partial",)),
    "DELIVERED_SPECIFIED_SAFE_PLACE": _DELIVERED._replace(delivered_to="safe_place"),
    "DELIVERED_TO_ALTERNATIVE_DELIVERY_LOCATION": _DELIVERED._replace(delivered_to="other"),
    "DELIVERED_TO_NEIGHBOUR": _DELIVERED._replace(delivered_to="neighbour"),
    "DELIVERED_TO_PO_BOX": _DELIVERED._replace(delivered_to="mailbox"),
    "PARCEL_COLLECTED_FROM_PICKUP_POINT": _DELIVERED._replace(delivered_to="pickup_point"),
    "POST_TRANSIT_STATUS": None,
    "PROOF_OF_DELIVERY": _DELIVERED._replace(proof="unspecified"),
    "PICKUP_FAILED": Meaning(TrackingStatus.PICKUP_FAILED, "other"),
    "NOT_YET_RECEIVED_BY_CARRIER": _INFO,
    "PARCEL_DAMAGED": Meaning(TrackingStatus.DAMAGED),
    "ADDRESS_QUERY": _HELD._replace(reason="address_issue"),
    "CARRIER_DELAYS": _LATE._replace(reason="processing"),
    "DELAYED_NOT_CARRIER": _LATE,
    "HELD_BY_CARRIER": _HELD,
    "HELD_BY_CARRIER_FOR_CLEARANCE_PRE_PROCESSING": _HELD._replace(reason="customs"),
    "HELD_BY_CUSTOMS": _HELD._replace(reason="customs"),
    "INCORRECT_DECLARATION": _HELD._replace(reason="documents"),
    "MISROUTED": _LATE._replace(reason="missorted"),
    "PARCEL_REPACKED": _MOVING._replace(flags=("repacked",)),
    "RECD_BY_CARRIER_NO_ELEC_ADVICE": _PICKED_UP,
    "COD_AMOUNT_NOT_PAID": _FAILED._replace(reason="payment"),
    "CUSTOMER_IDENTIFICATION_FAILED": _FAILED._replace(reason="identification"),
    "NO_ACCESS_TO_RECIPIENTS_ADDRESS": _FAILED._replace(reason="access_restricted"),
    "CANCELLED": Meaning(TrackingStatus.CANCELLED),
    "CUSTOMER_MOVED": _FAILED._replace(reason="recipient_moved"),
    "HAZARDOUS_PROHIBITED": _HELD._replace(reason="prohibited"),
    "NOT_COLLECTED_FROM_PICKUP_POINT": Meaning(TrackingStatus.RETURNING, "not_collected"),
    "NOT_DELIVERED": _FAILED,
    "NOT_DELIVERED_ADDRESSEE_DECEASED": _FAILED._replace(reason="deceased"),
    "PARCEL_DISPOSED": Meaning(TrackingStatus.DISPOSED),
    "PARCEL_LOST": Meaning(TrackingStatus.LOST),
    "PARCEL_OUTSIDE_OF_SERVICE_CAPABILITY": _HELD._replace(reason="out_of_area"),
    "REFUSED_BY_CUSTOMER": _FAILED._replace(reason="refused"),
    "RETURN_TO_SENDER": Meaning(TrackingStatus.RETURNING),
    "UNSPECIFIED_EXCEPTION": UNCLASSIFIED,
    "TRACKING_EXPIRED": Meaning(TrackingStatus.EXPIRED),
    "DUTY_NOT_PAID": _HELD._replace(reason="payment"),
    "PARCEL_REDIRECTED_BY_CARRIER": _MOVING,
    "DELIVERED_TO_PICKUP_POINT": _WAITING,  # the carrier is done, the buyer has not got it
    "UNDELIVERABLE_RETURNED_TO_SENDER": Meaning(TrackingStatus.RETURNED),
}
"""None: the detail leaves it to the status."""

CARRIERS = {"endicia": "USPS", "stamps_com": "USPS"}
"""Codes that name who sells the label. From the field, not from the reference."""


def meaning(status: str, detail: str) -> Meaning:
    """What the two words of one event mean together: the detail wins.

    One that is not in the table may turn its status' sense about, so it counts as unknown.
    """
    told = DETAILS.get(detail)
    if told:
        return told
    said = STATUSES.get(status, NOTHING_KNOWN)
    left_open = not detail or detail in DETAILS
    return said if left_open or said.status is TrackingStatus.UNKNOWN else NOTHING_KNOWN


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The scans of one parcel.

    An event that can't be read is left out, and the note tells it. Raises `Unreadable` where the
    number, or every word of what happened, can't be read.
    """
    body = json_object(delivery.body)
    kind = words(body, "resource_type")
    if kind not in KINDS:
        return Translation(note=f"resource {kind!r} is no news of a parcel")
    data = part(body, "data")
    parcel = tracked(NAME, data, "tracking_number", "data", delivery, _carrier(data))
    odd: list[str] = []
    listed = list_of(data.get("events"), "data.events", odd)
    read = entries(listed, "data.events", _event, odd)
    told = dated(read, delivery.received_at, newest_first=True)
    told += _own(data, told, delivery.received_at, odd)
    return translation(
        map(parcel.scan, told),
        odd,
        estimated_at=expected(any_words(data, "estimated_delivery_date")),
        notes=["" if told else "nothing is known of the number yet"],
    )


def _event(entry: Object, field: str) -> Told:
    """One event. It has no id; the carrier's own code tells apart what ShipEngine says alike."""
    code, said = _said(entry, field)
    told_at = words_at(entry, "occurred_at", field)
    where = place(entry, ("city_locality", "state_province", "country_code"))
    own = any_words(entry, "event_code")
    told = Told(
        code=code,
        said=said,
        told_at=told_at,
        when=instant(told_at, f"{field}.occurred_at") if told_at else None,
        where=where,
        place=where,
        marks=(own,) if own else (),
    )
    # the name itself stays in the delivery; that somebody signed may become known later
    signed = said.status is TrackingStatus.DELIVERED and any_words(entry, "signer")
    if not signed:
        return told
    return replace(told, said=said._replace(proof="signature"), marks=(*told.marks, "signature"))


def _own(
    data: Object, listed: Sequence[Told], received_at: datetime, odd: list[str]
) -> tuple[Told, ...]:
    """The parcel's own status, where no event tells it. It has a time only where it is delivered;
    else that of the newest event, which it is not before."""
    try:
        code, said = _said(data, "data")
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    delivered_at = expected(any_words(data, "actual_delivery_date"))
    known = [each.when[0] for each in listed if each.when]
    at = delivered_at or max(known, default=None)
    told = Told(
        code=code,
        said=said,
        told_at=at.isoformat() if at else "",
        when=(at, TimeBasis.RECEIVED) if at else None,
        marks=("the parcel's",),
    )
    return summary(told, listed, received_at)


def _said(data: Object, field: str) -> tuple[str, Meaning]:
    """The two codes of an event or a parcel as one, and what they mean."""
    status, detail = (words_at(data, key, field) for key in ("status_code", "status_detail_code"))
    if not status and not detail:
        raise Unreadable(f"{field}.status_code: a tracking status was expected")
    return kept("/".join(filter(None, (status, detail)))), meaning(status, detail)


def _carrier(data: Object) -> str:
    """The carrier by ShipEngine's code, which is its name and often a country."""
    code = kept(any_words(data, "carrier_code"))
    return CARRIERS.get(code, code)
