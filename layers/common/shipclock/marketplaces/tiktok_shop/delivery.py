"""What a seller who delivers himself tells of the delivery, and its proof (`tiktok-shop.md` 5.2).

Two narrow ways: Update Package Delivery Status (South-East Asia, own fleet or store pickup) and
the tracking update (US and BR, sellers on an allow-list). Everywhere else TikTok knows by itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shipclock.domain.picture import JPEG, JPEG_MAGIC, PNG, PNG_MAGIC, jpeg_size, png_size
from shipclock.domain.tracking import TrackingStatus
from shipclock.marketplaces.protocol import Blob, Call, Kind, Outcome, Upload
from shipclock.marketplaces.tiktok_shop.outcomes import coded, link
from shipclock.marketplaces.tiktok_shop.versions import path
from shipclock.reading import Object, Unreadable, parts, whole, words

SUCCESS, FAILED, NEW_PROOF = "DELIVERY_SUCCESS", "DELIVERY_FAILED", "UPDATE_POD"
FAIL_REASONS = (
    "INVALID_ADDRESS",
    "UNABLE_RECEIVE",
    "UNABLE_CONTACT_BUYER",
    "BUYER_REFUSED",
    "DELAY_DELIVERY",
    "PACKAGE_LOST",
    "PACKAGE_DAMAGE",
    "FORCE_MAJEURE",
    "OTHER",
)
FILE_TYPES = ("IMG", "PDF")


def deliver(
    package_id: str,
    delivery_type: str,
    reason: str = "",
    file_type: str = "",
    file_url: str = "",
    verification_code: str = "",
) -> Call:
    """Tell how the delivery of one package ended. Takes no idempotency key (6.4). The buyer who
    fetches it in a store names a `verification_code`.

    Raises ValueError for words that the call does not know, a failure without a reason, and a
    file without its type.
    """
    if delivery_type not in (SUCCESS, FAILED, NEW_PROOF):
        raise ValueError(f"{delivery_type} is no delivery type")
    if (delivery_type == FAILED) != (reason in FAIL_REASONS) or (
        reason and delivery_type != FAILED
    ):
        raise ValueError(f"{delivery_type} does not go with the reason {reason or 'none'}")
    if bool(file_url) != (file_type in FILE_TYPES) or (file_type and not file_url):
        raise ValueError("a proof has a type, IMG or PDF, and an address, or neither")
    told = {
        "id": package_id,
        "delivery_type": delivery_type,
        "fail_delivery_reason": reason,
        "file_type": file_type,
        "file_url": file_url,
        "verification_code": verification_code,
    }
    body = {"packages": [{key: text for key, text in told.items() if text}]}
    return Call("deliver", "POST", path("deliver"), body=body, writes=True)


# Proofs

MIB = 1024 * 1024
IMAGE_BYTES, FILE_BYTES = 5 * MIB, 10 * MIB
"""At most so much. The page says MB; a file between the two readings is the marketplace's to
refuse."""
PIXELS = (100, 20_000)
PDF = "application/pdf"
MAGIC = {JPEG: JPEG_MAGIC, PNG: PNG_MAGIC, PDF: b"%PDF-"}
ENDINGS = {JPEG: "jpg", PNG: "png"}


def unfit(data: bytes, media_type: str) -> str:
    """Why a proof can't be uploaded, in words for a person; empty when it can."""
    magic = MAGIC.get(media_type)
    if magic is None:
        return "A proof must be a JPG or PNG picture or a PDF file. Choose another file."
    most = FILE_BYTES if media_type == PDF else IMAGE_BYTES
    if len(data) > most:
        return f"The file is larger than {most // MIB} MB. Choose or make a smaller one."
    if not data.startswith(magic):
        return "The file is not what its name says. Save it anew as JPG, PNG or PDF."
    if media_type == PDF:
        return ""
    size = png_size(data) if media_type == PNG else jpeg_size(data)
    if size is None:
        return "The picture is damaged. Take or save it anew."
    if not all(PIXELS[0] <= side <= PIXELS[1] for side in size):
        return f"The picture's sides must have {PIXELS[0]} to {PIXELS[1]} pixels. Resize it."
    return ""


def takes_proof(blob: Blob) -> bool:
    """Whether a file can be uploaded as the proof of a delivery."""
    return not unfit(blob.data, blob.media_type)


def upload_image(data: bytes, media_type: str) -> Call:
    """Send a picture as proof. Raises ValueError where `unfit` says so."""
    _fit(data, media_type)
    if media_type == PDF:
        raise ValueError("a PDF is uploaded as a file")
    upload = Upload(f"proof.{ENDINGS[media_type]}", media_type, data)
    return Call("upload_image", "POST", path("upload_image"), upload=upload)


def upload_file(data: bytes, name: str) -> Call:
    """Send a PDF as proof; of the name only plain characters are kept. Raises ValueError."""
    _fit(data, PDF)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", re.sub(r"\.pdf$", "", name, flags=re.IGNORECASE))[:80]
    plain = f"{stem.strip('_') or 'proof'}.pdf"
    upload = Upload(plain, PDF, data, {"name": plain})
    return Call("upload_file", "POST", path("upload_file"), upload=upload)


def _fit(data: bytes, media_type: str) -> None:
    why = unfit(data, media_type)
    if why:
        raise ValueError(why)


def read_upload(outcome: Outcome) -> str:
    """The address that a delivery names its proof by; raises `Unreadable`."""
    url = link(outcome.data, "url")
    if not url:
        raise Unreadable("url is missing")
    return url


# Tracking of own deliveries

MOST_TRACKS = 50
ACTION_CODES: Mapping[TrackingStatus, str] = {
    TrackingStatus.PICKED_UP: "30901",
    TrackingStatus.OUT_FOR_DELIVERY: "40501",
    TrackingStatus.DELIVERED: "50101",
    TrackingStatus.DELIVERY_ATTEMPT_FAILED: "60101",
    TrackingStatus.RETURNED: "80101",
}
"""What is known of the table that was not to be had. 50101 is in an official sample (B), the others
are third parties' word (C); 80101 stands for a parcel sent back because nobody was reached. A
status that is not here is not told."""

FAILED_REASONS: Mapping[str, str] = {
    "address": "R103",
    "no_contact": "R104",
    "refused": "R106",
    "weather": "R110",
}
"""Our word for why an attempt failed to theirs (C)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tracking event was; what is not known is empty."""

    country: str = ""
    state: str = ""
    city: str = ""
    zip_code: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """One tracking event to tell. `action_code` as in `ACTION_CODES`."""

    action_code: str
    occurred_at: datetime
    description: str
    tracking_number: str
    failed_reason: str = ""
    proof_url: str = ""
    location: Place | None = None

    @property
    def millis(self) -> int:
        """When it was, in Unix milliseconds, the unit of this call alone."""
        return (self.occurred_at - _EPOCH) // timedelta(milliseconds=1)


def track(order_id: str, country: str, provider_id: str, tracks: Sequence[Track]) -> Call:
    """Tell the tracking of an order that the seller delivers himself.

    `provider_id` is the one it was shipped with. Raises ValueError for none or more than 50
    events, and for an action code that is no number.
    """
    if not 1 <= len(tracks) <= MOST_TRACKS:
        raise ValueError(f"1 to {MOST_TRACKS} tracking events go with a call, not {len(tracks)}")
    body = {
        "country": country,
        "order_id": order_id,
        "provider_id": provider_id,
        "tracks": [_track(event) for event in tracks],
    }
    return Call("track", "POST", path("track"), body=body, writes=True)


def _track(event: Track) -> dict[str, Any]:
    if not (event.action_code.isascii() and event.action_code.isdigit()):
        raise ValueError(f"{event.action_code!r} is no action code")
    told: dict[str, Any] = {
        "action_code": int(event.action_code),
        "occur_time": event.millis,
        "description": event.description,
        "tracking_no": event.tracking_number,
    }
    more = {"failed_reason": event.failed_reason, "proof_url": event.proof_url}
    told |= {key: text for key, text in more.items() if text}
    place = event.location
    if place is not None:
        known = {name: getattr(place, name) for name in ("country", "state", "city", "zip_code")}
        told["location"] = {name: text for name, text in known.items() if text}
    return told


def read_tracks(outcome: Outcome, tracks: Sequence[Track] = ()) -> tuple[Outcome, ...]:
    """What became of each event: in the order of `tracks` if they are given, else as answered.

    An event that the answer does not mention is unclear. Raises `Unreadable`.
    """
    if "track_results" not in outcome.data:
        raise Unreadable("track_results: a list was expected")
    rows = list(_results(outcome))
    if not tracks:
        return tuple(found for _, found in rows)
    answered = dict(rows)
    silent = Outcome(Kind.UNCLEAR, reason="the answer does not mention this event")
    return tuple(answered.get(_same(event), silent) for event in tracks)


def _same(event: Track) -> tuple[int, int, str]:
    return int(event.action_code), event.millis, event.tracking_number


def _results(outcome: Outcome) -> Iterator[tuple[tuple[int, int, str], Outcome]]:
    for row in parts(outcome.data, "track_results"):
        yield _key(row), coded(row, outcome.request_id)


def _key(row: Object) -> tuple[int, int, str]:
    code, at = whole(row, "action_code"), whole(row, "occur_time")
    return code or 0, at or 0, words(row, "tracking_no")
