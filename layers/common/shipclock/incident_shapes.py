"""The shapes of incidents in the hub's API; docs/api.md tells what each field is."""

from pydantic import BaseModel, ConfigDict

from shipclock.views import Instant


class IncidentView(BaseModel):
    """One incident. `ends_at` is null while nobody knows; `counts_until` is what counts then."""

    incident_id: str
    state: str
    begins_at: Instant
    ends_at: Instant | None
    counts_until: Instant
    reason: str
    carriers: list[str]
    regions: list[str]
    postcodes: list[str]
    shops: list[str]
    evidence: list[str]
    declared_at: Instant
    by: str | None
    lifted_at: Instant | None


class IncidentList(BaseModel):
    """A page of incidents, the one that began last first."""

    incidents: list[IncidentView]
    next: str | None


class IncidentOrder(BaseModel):
    """An order in an incident's list: `affected`, or `possible` where it can't be told."""

    order_id: str
    shop_id: str
    listed: str
    since: Instant


class IncidentOrders(BaseModel):
    """An incident and a page of its orders: those affected first. `affected` and `possible` count
    all of them."""

    incident: IncidentView
    affected: int
    possible: int
    orders: list[IncidentOrder]
    next: str | None


class TicketView(BaseModel):
    """A ticket to be filed by hand: where, for which orders, and the text to paste."""

    shop_id: str
    where: str
    orders: int
    text: str


class IncidentTexts(BaseModel):
    """The tickets of an incident. `possible` orders are in none: look at them first."""

    tickets: list[TicketView]
    possible: int


class Declaring(BaseModel):
    """What a person declares. Times name their offset."""

    model_config = ConfigDict(extra="forbid")

    begins_at: str
    ends_at: str | None = None
    reason: str
    carriers: list[str] = []
    regions: list[str] = []
    postcodes: list[str] = []
    shops: list[str] = []
    evidence: list[str] = []


class Changing(BaseModel):
    """What a person says anew; what is left out or null stays as it is."""

    model_config = ConfigDict(extra="forbid")

    begins_at: str | None = None
    ends_at: str | None = None
    open_end: bool = False
    reason: str | None = None
    carriers: list[str] | None = None
    regions: list[str] | None = None
    postcodes: list[str] | None = None
    shops: list[str] | None = None
    evidence: list[str] | None = None


class Lifting(BaseModel):
    """When it was over; left out: now."""

    model_config = ConfigDict(extra="forbid")

    over_at: str | None = None
