"""UPS Track Alert (`carriers.md` section 6.5): one activity of one parcel each.

UPS signs no body. It shows that it is UPS in one of three ways:

- version 2 with OAuth: `Authorization: Bearer` and a token that it has fetched from us before, at
  this source's address and `/token`; `x-api-key` names the client then, where it is sent;
- version 2 without OAuth: the secret itself as the bearer;
- version 1: the secret itself, as it was given with the subscription, in the header `credential`.

Whoever has a secret may fetch a token with it, so that the latter two let nobody else in. What is
told is unconfirmed until it is asked for, since nothing covers the body.

The schema is UPS' own; what the codes mean is less certain, and UPS publishes no whole list.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from shipclock.domain.tracking import Scan, TimeBasis, TrackingStatus
from shipclock.ports import HttpRequest
from shipclock.reading import (
    Object,
    Unreadable,
    digest,
    json_object,
    opaque,
    part,
    plausible,
)
from shipclock.sources import (
    Account,
    Delivery,
    Headers,
    NotAuthentic,
    Translation,
    Unsigned,
    tokens,
)
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    code_at,
    kept,
    needed,
    object_of,
    place,
    setting,
    words_at,
)
from shipclock.sources.history import Told, dated, entries, list_of, tracked, translation
from shipclock.sources.meaning import UNCLASSIFIED, Meaning
from shipclock.sources.signatures import any_same, key_of

LIMIT = 350 * 1024
"""All that a row holds: a delivery may carry a photo of the place, as text."""
FORM = False
NAME = "ups"
CARRIER = "UPS"
BEARER = "authorization"
CLIENT = "x-api-key"
CREDENTIAL = "credential"
EVIDENCE: tuple[str, ...] = ()
"""None: whatever proves the sender is a secret."""


# PROVING IT ---------------------------------------------------------------------------------------


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account whose secret, or whose token that has not ended at `now`, is shown.

    Of the two headers the bearer's counts: one that is wrong is not made good by the other. A token
    is good with the client's own id only, where one is sent.
    """
    bearer = _bearer(headers)
    shown = bearer or headers.get(CREDENTIAL, "")
    if not shown:
        raise Unsigned(f"neither an {BEARER} nor a {CREDENTIAL} header")
    end = tokens.end_of(bearer)
    fresh = end if end is not None and tokens.in_time(end, now) else None
    client = headers.get(CLIENT, "")
    for account in accounts:
        if any_same(_proofs(account, fresh if client in ("", account.name) else None), [shown]):
            return account
    ended = end is not None and fresh is None
    raise NotAuthentic("the token has ended" if ended else "what is shown fits no secret")


def _proofs(account: Account, end: int | None) -> list[str]:
    """What may be shown for an account: a secret, or a token of that end."""
    for secret in account.secrets:
        key_of(secret, NAME)
    made = [] if end is None else [tokens.made(NAME, account.name, s, end) for s in account.secrets]
    return [*account.secrets, *made]


def _bearer(headers: Headers) -> str:
    """What the bearer shows; empty where the header is not sent."""
    given = headers.get(BEARER, "")
    scheme, _, shown = given.partition(" ")
    if given and (scheme.casefold() != "bearer" or not shown):
        raise NotAuthentic(f"the {BEARER} header is no bearer's")
    return shown


def grant(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> bytes:
    """The token that UPS calls us with, for the client id that is an account's name."""
    return tokens.grant(NAME, headers, body, accounts, now)


def acknowledge(body: bytes) -> bytes:
    """A plain 200 will do."""
    return b""


# ASKING IT ----------------------------------------------------------------------------------------

API = "https://onlinetools.ups.com"
PULL_BATCH = 1
PULL_ANSWERS = frozenset({200, 404})


def pull(account: Account, numbers: Sequence[str], now: datetime, token: str) -> HttpRequest:
    """The details of a number, with a token that `pull_token` brought."""
    (number,) = numbers
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/json",
        "transid": digest(NAME, number, now.isoformat())[:32],
        "transactionsrc": "shipclock",
    }
    base = setting(account, "url") or API
    return HttpRequest("GET", f"{base}/api/track/v1/details/{quote(number, safe='')}", headers)


def pull_token(account: Account) -> HttpRequest:
    """The token of an app at UPS: `client_id` and `client_secret` of the account's `pull`, which
    are not those that UPS calls us with. A `url` in it replaces that of UPS' API."""
    named = f"{needed(account, 'client_id')}:{needed(account, 'client_secret')}"
    headers = {
        "authorization": "Basic " + b64encode(named.encode()).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    base = setting(account, "url") or API
    body = b"grant_type=client_credentials"
    return HttpRequest("POST", f"{base}/security/v1/oauth/token", headers, body)


def token_in(body: bytes) -> str:
    """The token of the answer."""
    token = opaque(json_object(body), "access_token")
    if not token:
        raise Unreadable("access_token: a token was expected")
    return token


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_INFO = Meaning(TrackingStatus.INFO_RECEIVED)
_PICKED_UP = Meaning(TrackingStatus.PICKED_UP)
_MOVING = Meaning(TrackingStatus.IN_TRANSIT)
_OUT = Meaning(TrackingStatus.OUT_FOR_DELIVERY)
_DELIVERED = Meaning(TrackingStatus.DELIVERED)
_RETURNING = Meaning(TrackingStatus.RETURNING)
_CANCELLED = Meaning(TrackingStatus.CANCELLED)

CODES = {
    "MP": _INFO,
    "M": _INFO,
    "MV": _CANCELLED,
    "OR": _PICKED_UP,
    "PU": _PICKED_UP,
    "DP": _MOVING,
    "AR": _MOVING,
    "AF": _MOVING,
    "IH": _MOVING,
    "OT": _OUT,
    "OF": _OUT,
    "FS": _DELIVERED,
    "KB": _DELIVERED,
    "F4": _DELIVERED,
    "RS": _RETURNING,
    "RT": _RETURNING,
    "UR": _RETURNING,
    "RF": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "refused"),
    "48": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "recipient_absent"),
    "DY": Meaning(TrackingStatus.DELAYED, "other"),
    "VD": _CANCELLED,
    "CA": _CANCELLED,
}
"""A code comes first, since UPS sends the same one under several types. 48 is from the field."""

TYPES = {
    "D": _MOVING,  # unless its description says that it was delivered
    "I": _MOVING,
    "M": _INFO,
    "MV": _CANCELLED,
    "U": Meaning(TrackingStatus.DELAYED, "rescheduled"),
    "X": UNCLASSIFIED,
}
"""What the type of a code that is not in the table says."""

NOT_YET = frozenset({"not", "cannot", "be", "being", "before", "if", "once", "unless", "when"})
"""With one of these words, a description that holds "delivered" speaks of another time."""


def meaning(kind: str, code: str, description: str) -> Meaning:
    """What an activity means: by its code, else by its type."""
    if code in CODES:
        return CODES[code]
    if kind == "D" and says_delivered(description):
        return _DELIVERED
    return TYPES.get(kind, Meaning(TrackingStatus.UNKNOWN))


def says_delivered(description: str) -> bool:
    """Whether a description, in English, says that the parcel was delivered."""
    words = set(re.findall(r"[a-z]+", description.casefold()))
    return "delivered" in words and not words & NOT_YET


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The one scan of an activity. UPS names no order.

    Raises `Unreadable` where the number, what happened, or a time that was sent can't be read. The
    name of who received it, and the photo, stay in the delivery.
    """
    body = json_object(delivery.body)
    if delivery.pulled:
        return _answered(body, delivery)
    parcel = tracked(NAME, body, "trackingNumber", "", delivery, CARRIER, confirmed=False)
    offset = any_words(body, "gmtOffset")
    told = activity(
        part(body, "activityStatus"),
        "activityStatus",
        times(
            (code_at(body, "gmtActivityDate", ""), code_at(body, "gmtActivityTime", "")),
            (code_at(body, "localActivityDate", ""), code_at(body, "localActivityTime", "")),
            offset,
        ),
        place(any_object(body, "activityLocation"), ("city", "stateProvince", "country")),
        _proof(body),
    )
    return translation([parcel.scan(told)], estimated_at=_estimate(body, offset))


def _answered(body: Object, delivery: Delivery) -> Translation:
    """What an answer about a number tells: its packages, each with all activities. UPS answers 404,
    or a shipment without a package, where it knows nothing."""
    field = "trackResponse.shipment"
    odd: list[str] = []
    scans: list[Scan] = []
    shipments = list_of(any_object(body, "trackResponse").get("shipment"), field, odd)
    for at, shipment in enumerate(shipments):
        inside = f"{field}[{at}].package"
        found = shipment.get("package") if isinstance(shipment, dict) else None
        for number_at, package in enumerate(list_of(found, inside, odd)):
            try:
                scans += _package(object_of(package, f"{inside}[{number_at}]"), delivery, odd)
            except Unreadable as problem:
                odd.append(f"{inside}[{number_at}]: {problem}")
    notes = [] if scans or odd else ["UPS knows nothing of the number"]
    return translation(scans, odd, notes=notes)


def _package(package: Object, delivery: Delivery, odd: list[str]) -> Iterator[Scan]:
    parcel = tracked(NAME, package, "trackingNumber", "", delivery, CARRIER)
    delivered = any_object(package, "deliveryInformation")
    signed = any_words(delivered, "receivedBy") or any_object(delivered, "signature")
    proof = "signature" if signed else "photo" if delivered.get("deliveryPhoto") else ""

    def read(entry: Object, field: str) -> Told:
        status = any_object(entry, "status")
        address = any_object(any_object(entry, "location"), "address")
        return activity(
            {**status, "descriptionCode": status.get("statusCode")},
            f"{field}.status",
            times(
                (
                    code_at(entry, "gmtDate", field),
                    code_at(entry, "gmtTime", field).replace(":", ""),
                ),
                (code_at(entry, "date", field), code_at(entry, "time", field)),
                any_words(entry, "gmtOffset"),
            ),
            place(address, ("city", "stateProvince", "countryCode")),
            proof,
        )

    listed = list_of(package.get("activity"), "activity", odd)
    told = entries(listed, "activity", read, odd)
    return map(parcel.scan, dated(told, delivery.received_at, newest_first=True))


def activity(
    status: Object, field: str, at: tuple[str, When | None], shown: str, proof: str = ""
) -> Told:
    """One activity of a parcel, by its status, its time and the proof of a delivery.

    Its identity is type, code and time: no place, which may be told later. The proof may be too, so
    that is a mark of its own. Raises `Unreadable` where it says nothing.
    """
    kind, code = words_at(status, "type", field), code_at(status, "code", field)
    described = any_words(status, "descriptionCode")  # a text: "021" is no number
    if not (kind or code or described):
        raise Unreadable(f"{field}.code: what happened was expected")
    said = meaning(kind, code, any_words(status, "description"))
    proof = proof if said.status is TrackingStatus.DELIVERED else ""
    told_at, when = at
    return Told(
        code=kept("/".join(filter(None, (kind, code, described)))),
        said=said._replace(proof=proof),
        told_at=told_at,
        when=when,
        place=shown,
        # the same code may be described as delivered or not
        marks=(said.status, proof),
        word=f"{kind}/{code or described}",
    )


_DATE = re.compile(r"[0-9]{8}")
_TIME = re.compile(r"[0-9]{5,6}")
_OFFSET = re.compile(r"([+-])([0-9]{2})[.:]?([0-9]{2})")
_FARTHEST = timedelta(hours=14)

Clock = tuple[str, str]
"""A date as YYYYMMDD and a time as HHMMSS."""


def times(gmt: Clock, local: Clock, offset: str) -> tuple[str, When | None]:
    """When it happened, in UPS' own words and read: the pair in UTC, else the one on the wall.

    A pair of which a part is missing or empty is none. A time on the wall without its offset is
    read as UTC and proves nothing missed. Raises `Unreadable` for one that is no time.
    """
    if all(gmt):
        at = _clock(gmt, "the GMT date and time")
        return f"{at:%Y%m%d%H%M%S}", (at, TimeBasis.UTC)
    if not all(local):
        return " ".join(filter(None, (*gmt, *local))), None
    at = _clock(local, "the local date and time")
    away = offset_of(offset)
    told_at = f"{at:%Y%m%d%H%M%S} {offset}"
    if away is None:
        return told_at, (at, TimeBasis.ZONE)
    return told_at, (plausible(at - away, "the local date and time"), TimeBasis.OFFSET)


def _clock(told: Clock, field: str) -> datetime:
    date, time = told
    if not _DATE.fullmatch(date) or not _TIME.fullmatch(time):
        raise Unreadable(f"{field}: YYYYMMDD and HHMMSS were expected")
    try:
        # an hour below ten may come with one digit
        at = datetime.strptime(date + time.zfill(6), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise Unreadable(f"{field}: {date} {time} is no time") from None
    return plausible(at, field)


def offset_of(text: str) -> timedelta | None:
    """What "-04.00" stands for, or "-04:00"; None where it is not written so."""
    found = _OFFSET.fullmatch(text)
    if not found:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    if int(found[3]) >= 60 or offset > _FARTHEST:
        return None
    return -offset if found[1] == "-" else offset


def _proof(body: Object) -> str:
    """What proves a delivery: a signature before a photo. Neither itself is kept."""
    if any_words(body, "receivedBy"):
        return "signature"
    return "photo" if any_words(body, "deliveryPhoto") else ""


def _estimate(body: Object, offset: str) -> datetime | None:
    """The end of the window in which the delivery is expected, or of its day; odd ones are none."""
    try:
        date = code_at(body, "scheduledDeliveryDate", "")
        window = code_at(body, "deliveryEndTime", "") or "235959"
        at = _clock((date, window), "scheduledDeliveryDate") if date else None
    except Unreadable:
        return None
    return at - (offset_of(offset) or timedelta(0)) if at else None
