"""The shapes of one order as the hub shows it (DESIGN 6); docs/api.md tells what each field is."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, PlainSerializer, WithJsonSchema

from shipclock.domain.times import stamp
from shipclock.drift import What

Instant = Annotated[
    datetime,
    PlainSerializer(stamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-10T18:04:00Z"]}),
]


class SlotView(BaseModel):
    """One span of time in which the marketplace's carrier comes."""

    begins: Instant
    ends: Instant
    available: bool


class HandoverView(BaseModel):
    """How a package may be handed to the marketplace's carrier, as it was last told."""

    can_pick_up: bool
    can_drop_off: bool
    drop_off_url: str | None
    slots: list[SlotView]


class PackageView(BaseModel):
    """One package; `package_id` is null for a linked number that belongs to none yet.

    `carrier_candidates` are those that the number's form allows, the surest first, where nobody has
    named the carrier: a hint, never a fact.
    """

    package_id: str | None
    tracking_number: str | None
    carrier: str | None
    tracking_status: str | None
    failed_attempts: int
    marketplace_status: str | None = None
    exception: str | None = None
    pickup_from: Instant | None = None
    pickup_until: Instant | None = None
    handover: HandoverView | None = None
    carrier_candidates: list[str] = []


class ClockView(BaseModel):
    """One clock, running or finished, as of the order's `settled_at`."""

    name: str
    package_id: str | None
    due_at: Instant
    set_by: str
    state: str
    tracking_number: str | None = None
    cause: str | None = None


class VerdictView(BaseModel):
    """What a missed clock said."""

    rule: str
    package_id: str | None
    state: str
    due_at: Instant
    noticed_at: Instant
    clause: str
    explanation: str
    tracking_number: str | None = None
    cause: str | None = None


class ReminderView(BaseModel):
    """One reminder of a local day."""

    clock: str
    local_day: str
    at: Instant


class NoticeView(BaseModel):
    """Something the seller was told besides verdicts and reminders, in words."""

    kind: str
    about: str
    at: Instant
    text: str


class PreparedView(BaseModel):
    """A refund, cancellation or message that waits for a person; a verdict that falls calls it
    off, and it is gone."""

    kind: str
    state: str
    rule: str
    cause: str
    package_id: str | None
    tracking_number: str | None
    text: str
    verdict: str


class TaskView(BaseModel):
    """Something to do by hand in Seller Center, for which there is no call: where, by when if that
    is known, and the text to paste. Of kind `pack` it is for whoever runs the stack, and `rule` is
    empty: the shop's pack is not there, so that no clock is shown."""

    kind: str
    rule: str
    where: str
    by: Instant | None
    package_id: str | None
    tracking_number: str | None
    text: str


class CancellationView(BaseModel):
    """Who cancelled the order, when and why: the marketplace's word, and what it means where that
    is a reason of its own."""

    at: Instant
    by: str | None
    reason: str | None
    meaning: str | None


class CancelRequestView(BaseModel):
    """A buyer's wish to cancel that waits for an answer: the marketplace's id of it, by which it is
    answered, and by when."""

    case_id: str | None
    asked_at: Instant | None
    answer_by: Instant | None


class EstimateView(BaseModel):
    """When delivery is expected, and whose word that is."""

    at: Instant
    basis: str


class PushView(BaseModel):
    """One thing the marketplace was, will be or can't be told."""

    call: str
    state: str
    attempts: int
    reason: str | None
    advice: str | None
    package_id: str | None
    tracking_number: str | None


class EventView(BaseModel):
    """One fact, in the order in which the facts happened.

    `flags` are those of a scan (`carriers.md` 1.2), `unconfirmed` among them: its sender signs no
    bodies, and nobody has confirmed it yet.
    """

    kind: str
    at: Instant
    source: str
    status: str | None = None
    tracking_number: str | None = None
    raw_code: str | None = None
    reason: str | None = None
    location: str | None = None
    delivered_to: str | None = None
    proof: str | None = None
    suspect: bool = False
    flags: list[str] = []


class DriftView(BaseModel):
    """What we know and what the marketplace shows do not agree: since when, and what to do."""

    what: What
    ours: str
    theirs: str
    since: Instant
    advice: str


class EvidenceView(BaseModel):
    """How far the order's chain of facts has come: the newest link's digest, how many links there
    are, how many facts they bind, and since when (real time)."""

    head: str
    links: int
    facts: int
    since: Instant


class MovedClock(BaseModel):
    """A clock that ran during an incident: when it runs out, and when it would without any."""

    name: str
    package_id: str | None
    tracking_number: str | None
    due_at: Instant
    due_at_without: Instant


class OrderIncidentView(BaseModel):
    """An incident that is about the order (`affected`), or may be (`possible`). `since` is when it
    was declared, `by_hand` whether a person says so; `buyer_message` is a draft, sent by nobody."""

    incident_id: str
    listed: str
    by_hand: bool
    reason: str
    begins_at: Instant
    ends_at: Instant | None
    counts_until: Instant
    since: Instant
    evidence: list[str]
    clocks: list[MovedClock]
    buyer_message: str | None


class OrderView(BaseModel):
    """One order, whole (DESIGN 6)."""

    order_id: str
    shop_id: str
    status: str
    stage: str
    shipping_type: str | None
    settled_at: Instant
    packages: list[PackageView]
    clocks: list[ClockView]
    verdicts: list[VerdictView]
    reminders: list[ReminderView]
    prepared: list[PreparedView]
    tasks: list[TaskView]
    pushes: list[PushView]
    events: list[EventView]
    notices: list[NoticeView]
    cancellation: CancellationView | None
    cancel_request: CancelRequestView | None
    estimate: EstimateView | None
    drift: list[DriftView]
    evidence: EvidenceView | None = None
    incidents: list[OrderIncidentView] = []
