"""Flash Express' callbacks (`carriers.md` section 6.3): a form, one parcel's state or scan each.

`sign` is the upper-case hex of a plain SHA-256 over `mchId=…&nonceStr=…&key=` and the secret. It
covers no more than these two fields: whoever has seen one callback can send it again with other
data. So it tells who once called, and nothing of what is said now, which is unconfirmed until Flash
Express is asked. Flash sends again until it reads its own word for a yes.

Which data comes depends on the `webhookApiCode` that an address was registered for: states and
routes are read, weights, prices and couriers mean nothing. States and route actions are as good as
certain; how the webhooks name their fields, and that times are Unix seconds, is not.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from shipclock.domain.event import Link
from shipclock.domain.tracking import TimeBasis, TrackingStatus
from shipclock.ports import HttpRequest
from shipclock.reading import Object, Unreadable, digest, form, json_object, unix, words
from shipclock.sources import Account, Delivery, Headers, NotAuthentic, Translation, Unsigned
from shipclock.sources.fields import (
    When,
    any_words,
    code_at,
    kept,
    number_of,
    object_of,
    setting,
    words_at,
)
from shipclock.sources.history import (
    Told,
    Tracked,
    dated,
    entries,
    list_of,
    summary,
    translation,
)
from shipclock.sources.meaning import NOTHING_KNOWN, UNCLASSIFIED, Meaning
from shipclock.sources.signatures import key_of, same, signer

LIMIT = 256 * 1024
FORM = True
NAME = "flashexpress"
CARRIER = "Flash Express"
EVIDENCE = ()
"""The proof stands in the body."""
CONTENT = "data"
MERCHANT = "mchId"


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, merchant: str, nonce: str) -> str:
    """What Flash signs a callback with. Raises ValueError where the secret is no text."""
    key = key_of(secret, NAME)
    signed = f"mchId={merchant}&nonceStr={nonce}&key=".encode("utf-8", "surrogatepass") + key
    return hashlib.sha256(signed).hexdigest().upper()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account whose secret signed the merchant's id and the nonce, whenever that was.

    An account with the option `mchId` takes that merchant's callbacks only.
    """
    if not body:
        raise Unsigned("no sign in the body")
    try:
        fields = form(body)
    except ValueError:  # it may quote the body, which is not to be logged before it is proven
        raise NotAuthentic("the body is no form of single fields") from None
    given, merchant, nonce = (fields.get(name, "") for name in ("sign", MERCHANT, "nonceStr"))
    if not given:
        raise Unsigned("no sign in the body")
    if not merchant or not nonce:
        raise NotAuthentic("mchId or nonceStr is missing")
    theirs = [each for each in accounts if each.options.get(MERCHANT, merchant) == merchant]
    if accounts and not theirs:
        raise NotAuthentic("mchId is no account's")
    return signer(
        theirs, lambda secret: same(sign(secret, merchant, nonce), given), "the sign in the body"
    )


def acknowledge(body: bytes) -> bytes:
    """The answer that Flash takes for a yes: after any other it sends again."""
    return json.dumps({"errorCode": "1", "state": "success"}).encode()


# ASKING IT ----------------------------------------------------------------------------------------

API = "https://open-api.flashexpress.com"
"""Thailand's; other countries have hosts of their own."""
PULL_BATCH = 1
PULL_ANSWERS = frozenset({200})
FOUND, NOT_FOUND = "1", "1006"


def pull(account: Account, numbers: Sequence[str], now: datetime, token: str) -> HttpRequest:
    """The routes of a number, signed with the account's first secret for its `mchId`. A `url` in
    the account's `pull` replaces that of Thailand's API."""
    (number,) = numbers
    merchant = account.option(MERCHANT)
    if not merchant:
        raise ValueError(f"{MERCHANT} of account {account.name} is missing")
    nonce = digest(NAME, number, now.isoformat())[:32]
    fields = {
        MERCHANT: merchant,
        "nonceStr": nonce,
        "sign": sign(account.secrets[0], merchant, nonce),
    }
    base = setting(account, "url") or API
    url = f"{base}/open/v1/orders/{quote(number, safe='')}/routes"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return HttpRequest("POST", url, headers, urlencode(fields).encode())


# WHAT ITS CODES MEAN ------------------------------------------------------------------------------

_MOVING = Meaning(TrackingStatus.IN_TRANSIT)
_OUT = Meaning(TrackingStatus.OUT_FOR_DELIVERY)
_HELD = Meaning(TrackingStatus.ON_HOLD, "other")
_SOUGHT = Meaning(TrackingStatus.ON_HOLD, "investigation")
_FAILED = Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other")
_WAITING = Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP)
_DELIVERED = Meaning(TrackingStatus.DELIVERED)
_RETURNING = Meaning(TrackingStatus.RETURNING)
_RETURNED = Meaning(TrackingStatus.RETURNED)
_CANCELLED = Meaning(TrackingStatus.CANCELLED)
_CRASHED = Meaning(TrackingStatus.DELAYED, "transport")
_WET = Meaning(TrackingStatus.DAMAGED)
_READ = Meaning(TrackingStatus.UNKNOWN, flags=("needs_text",))
_CORRECTED = ("corrected",)

STATES = {
    "1": Meaning(TrackingStatus.PICKED_UP),
    "2": _MOVING,
    "3": _OUT,
    "4": _HELD,
    "5": _DELIVERED,
    "6": _FAILED,
    "7": _RETURNED,
    "8": UNCLASSIFIED,
    "9": _CANCELLED,
}

ACTIONS: dict[str, Meaning | None] = {
    "RECEIVED": Meaning(TrackingStatus.PICKED_UP),
    "RECEIVE_WAREHOUSE_SCAN": _MOVING,
    "SHIPMENT_WAREHOUSE_SCAN": _MOVING,
    "ARRIVAL_WAREHOUSE_SCAN": _MOVING,
    "DELIVERY_TICKET_CREATION_SCAN": _OUT,
    "DETAIN_WAREHOUSE": _HELD,
    "DELIVERY_CONFIRM": _DELIVERED,
    "DIFFICULTY_HANDOVER": _FAILED,
    "CONTINUE_TRANSPORT": _MOVING,
    "DIFFICULTY_RE_TRANSIT": _MOVING,
    "CANCEL_PARCEL": _CANCELLED,
    "HURRY_PARCEL": None,
    "CHANGE_PARCEL_INFO": None,
    "CHANGE_PARCEL_CLOSE": UNCLASSIFIED,
    "CHANGE_PARCEL_SIGNED": _DELIVERED._replace(flags=_CORRECTED),
    "CHANGE_PARCEL_CANCEL": _CANCELLED._replace(flags=_CORRECTED),
    "CHANGE_PARCEL_IN_TRANSIT": _MOVING._replace(flags=_CORRECTED),
    "REVISION_TIME": Meaning(TrackingStatus.DELAYED, "rescheduled"),
    "CUSTOMER_CHANGE_PARCEL_INFO": None,
    "DIFFICULTY_FINISH_INDEMNITY": Meaning(
        TrackingStatus.LOST, flags=("ambiguous_lost_or_damaged",)
    ),
    "SYSTEM_AUTO_RETURN": _RETURNING,
    # From here on out of tables that were written against Flash's own. Which of these the webhooks
    # pass on is not known.
    "DELIVERY_TRANSFER": _OUT,
    "DELIVERY_PICKUP_STORE_SCAN": _WAITING,
    "PICK_UP_STORE": _WAITING,
    "DIFFICULTY_HANDOVER_DETAIN_WAREHOUSE": _HELD,
    "THIRD_PARTY_REASON_DETAIN": _HELD,
    "DIFFICULTY_RETURN": _RETURNING,
    "CUSTOMER_OPERATING_RETURN": _RETURNING,
    "INTERRUPT_PARCEL_AND_RETURN": _RETURNING,
    "PENDING_RETURN": _RETURNING,
    "REFUND_CONFIRM": _RETURNED,
    "SORTING_SCAN": _MOVING,
    "SEAL": _MOVING,
    "UNSEAL": _MOVING,
    "INVENTORY": _MOVING,
    "DISTRIBUTION_INVENTORY": _MOVING,
    "FLASH_HOME_SCAN": _MOVING,
    "DEPARTURE_GOODS_VAN_CK_SCAN": _MOVING,
    "NOTICE_LOST_PARTS_TEAM": _SOUGHT,
    "TRANSFER_LOST_PARTS_TEAM": _SOUGHT,
    "LOSE_PARCEL_TEAM_OPERATION": _SOUGHT,
    "MISSING_PARCEL_SCAN": _SOUGHT,
    "VEHICLE_ACCIDENT_REG": _CRASHED,
    "VEHICLE_ACCIDENT_REGISTRATION": _CRASHED,
    "VEHICLE_WET_DAMAGE_REG": _WET,
    "VEHICLE_WET_DAMAGE_REGISTRATION": _WET,
    "UNSEAL_NOT_SCANNED": UNCLASSIFIED,
    "HAVE_HAIR_SCAN_NO_TO": UNCLASSIFIED,
    "PARCEL_HEADLESS_CLAIMED": UNCLASSIFIED,
    "PARCEL_HEADLESS_PRINTED": UNCLASSIFIED,
    "DISCARD_RETURN_BKK": UNCLASSIFIED,
    "CLOSE_ORDER": UNCLASSIFIED,
    # an attempt's remark: the handover of the parcel that follows is the attempt, counted once
    "DELIVERY_MARKER": _READ,
    "THIRD_EXPRESS_ROUTE": _READ,
    **dict.fromkeys(
        (
            *("PHONE", "INCOMING_CALL", "MANUAL_REMARK", "PRINTING", "TAKE_PHOTO", "REPLACE_PNO"),
            *("PICKUP_RETURN_RECEIPT", "CLAIMS_CLOSE", "CLAIMS_COMPLETE", "CLAIMS_CONTACT"),
            *("CLAIMS_TRANSFER_CS", "STAFF_INFO_UPDATE_WEIGHT", "STORE_KEEPER_UPDATE_WEIGHT"),
            *("STORE_SORTER_UPDATE_WEIGHT", "DWS_WEIGHT_IMAGE", "SORTER_WEIGHT_IMAGE"),
            "TICKET_WEIGHT_IMAGE",
        )
    ),
}
"""By `routedAction`. None: it says nothing of where the parcel is."""

TELLS_MORE = frozenset({TrackingStatus.LOST, TrackingStatus.DAMAGED})
"""What an action may make of a parcel that was closed abnormally (state 8)."""


def meaning(state: str, action: str) -> Meaning | None:
    """What a state and an action say together; None where nothing of where the parcel is.

    The state decides; an action that says the same says it better. A state that is not in the table
    is unknown whatever the action. Without a state the action counts.
    """
    if not state:
        return ACTIONS.get(action, NOTHING_KNOWN) if action else None
    said, told = STATES.get(state, NOTHING_KNOWN), ACTIONS.get(action)
    if told is None or said is NOTHING_KNOWN:
        return said
    better = told.status in TELLS_MORE if said is UNCLASSIFIED else told.status is said.status
    return told if better else said


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------

COURIER = "ticketPickupId"
"""A field of what is told of couriers, whose `state` is another."""


def translate(delivery: Delivery) -> Translation:
    """One state or scan, and the links to the order that we told Flash with it.

    Raises `Unreadable` where a number is lacking or can be none, and ValueError where the data is
    no JSON. Free text stays in the delivery.
    """
    if delivery.pulled:
        return _answered(json_object(delivery.body), delivery)
    data = json_object(words_of(delivery.body))
    state = code_at(data, "state", CONTENT)
    action = words(data, "routedAction") or words(data, "routeAction")
    if COURIER in data or not (state or action):
        return Translation(note="a weight, price or courier is told of")
    parcel = _parcel(data, "pno" if data.get("pno") else "recentPno", delivery)
    links, note = parcel.link(data, "outTradeNo", CONTENT)
    links += _renamed(data, parcel, links)
    said = meaning(state, action)
    if said is None:
        silent = f"{kept(action)} says nothing of where the parcel is"
        return translation((), links=links, notes=[silent, note])
    odd: list[str] = []
    told_at, when = _when(data, odd)
    told = Told(kept("/".join(filter(None, (state, action)))), said, told_at, when)
    notes = [note, *(f"taken without a time: {each}" for each in odd)]
    return translation([parcel.scan(told)], links=links, notes=notes)


def _answered(body: Object, delivery: Delivery) -> Translation:
    """What an answer about a number tells: all its routes, and its state where none says that.

    Raises `Unreadable` where Flash refused to answer, for that is for a person to mend.
    """
    code = code_at(body, "code", "")
    if code == NOT_FOUND:
        return Translation(note="Flash Express knows nothing of the number")
    if code != FOUND:
        raise Unreadable(f"code {code!r}: Flash Express refuses to be asked")
    data = object_of(body.get(CONTENT), CONTENT)
    parcel = _parcel(data, "pno", delivery)
    odd: list[str] = []
    routes = list_of(data.get("routes"), f"{CONTENT}.routes", odd)
    listed = dated(
        entries(routes, f"{CONTENT}.routes", _route, odd), delivery.received_at, newest_first=True
    )
    state = code_at(data, "state", CONTENT)
    said = meaning(state, "") if state else None
    if said is not None:
        own = Told(kept(state), said, marks=("the state",))
        listed += summary(own, listed, delivery.received_at)
    nothing = "" if listed or odd else "nothing is known of the number yet"
    return translation(map(parcel.scan, listed), odd, notes=[nothing])


def _route(entry: Object, field: str) -> Told | None:
    """One route; None where it says nothing of where the parcel is. Its text may name a person."""
    action = words_at(entry, "routedAction", field) or words_at(entry, "routeAction", field)
    if not action:
        raise Unreadable(f"{field}.routeAction: a route action was expected")
    said = meaning("", action)
    told_at = code_at(entry, "routedAt", field)
    at = unix({f"{field}.routedAt": told_at}, f"{field}.routedAt")
    return Told(kept(action), said, told_at, (at, TimeBasis.UTC) if at else None) if said else None


def words_of(body: bytes) -> bytes:
    """The data in a form. Raises ValueError where there is none."""
    found = form(body).get(CONTENT, "")
    if not found:
        raise ValueError(f"a field {CONTENT} was expected")
    return str(found).encode("utf-8", "surrogatepass")


def _parcel(data: Object, key: str, delivery: Delivery) -> Tracked:
    """The parcel of a number. Only an answer to a question of ours is certain."""
    written = code_at(data, key, CONTENT)
    number = number_of(written, f"{CONTENT}.{key}")
    return Tracked(NAME, number, written, delivery, CARRIER, confirmed=delivery.pulled)


def _renamed(data: Object, parcel: Tracked, links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The same links of the number that the parcel goes by now, where that is another."""
    recent = any_words(data, "recentPno")
    if not recent:
        return ()
    try:
        number = number_of(recent, "recentPno")
    except Unreadable:
        return ()
    return tuple(
        Link(number, each.order_id, NAME, shops=each.shops)
        for each in links
        if number != parcel.number
    )


def _when(data: Object, odd: list[str]) -> tuple[str, When | None]:
    """When it happened: Unix seconds, or milliseconds, which no year of ours can be mistaken for.

    An odd time costs itself: these fields are the least certain.
    """
    for key in ("stateChangeAt", "routedAt"):
        try:
            told_at = code_at(data, key, CONTENT)
            seconds = told_at[:-3] if len(told_at) == 13 and told_at.isdigit() else told_at
            at = unix({key: seconds}, key)
        except Unreadable as problem:
            odd.append(str(problem))
            continue
        if at:
            return told_at, (at, TimeBasis.UTC)
    return "", None
