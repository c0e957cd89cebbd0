"""What is written of an incident in Seller Center and to buyers: drafts for a person. Pure.

Nothing of this is sent by itself. The reason is the seller's own words, and goes into all of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from shipclock.domain.incident import Incident
from shipclock.domain.times import local

WHERE = "Seller Center, Help Center: force majeure ticket"
ORDERS_PER_TICKET = 100
"""More orders than that go into several tickets: somebody reads them."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket for some orders of a shop: where it is filed, and the text to paste."""

    shop_id: str
    order_ids: tuple[str, ...]
    text: str
    where: str = WHERE


def tickets(
    incident: Incident,
    orders: Mapping[str, Sequence[str]],
    zones: Mapping[str, ZoneInfo],
    most: int = ORDERS_PER_TICKET,
) -> Iterator[Ticket]:
    """The tickets about an incident, per shop, for a ticket is filed by one; times are the shop's.
    `orders` are the ids of those affected, by shop."""
    for shop_id, listed in sorted(orders.items()):
        zone = zones.get(shop_id, ZoneInfo("UTC"))
        for first in range(0, len(listed), most):
            some = tuple(sorted(listed)[first : first + most])
            yield Ticket(shop_id, some, ticket(incident, some, zone))


def ticket(incident: Incident, order_ids: Sequence[str], zone: ZoneInfo) -> str:
    """The text of one ticket."""
    one = len(order_ids) == 1
    told = "\n".join(order_ids)
    return (
        f"Delay beyond our control (force majeure): {sentence(incident.reason)}\n"
        f"{lines(incident, zone)}"
        f"{'Order' if one else f'Orders ({len(order_ids)})'}:\n{told}\n"
        f"The shipment of {'this order is' if one else 'these orders is'} or will be late because "
        "of this. We ask that the delay not count against the shop and that the "
        f"{'buyer' if one else 'buyers'} be told. Official notices are attached."
    )


def lines(incident: Incident, zone: ZoneInfo) -> str:
    """Period, place and evidence of an incident, a line each."""
    until = f"until {local(incident.ends_at, zone)}" if incident.ends_at else "not over yet"
    found = [f"Period: from {local(incident.begins_at, zone)}, {until}"]
    for name, given in (
        ("Carrier", incident.carriers),
        ("Region", incident.regions),
        ("Postcodes", incident.postcodes),
        ("Evidence", incident.evidence),
    ):
        if given:
            found.append(f"{name}: {', '.join(given)}")
    return "".join(f"{line}\n" for line in found)


def sentence(reason: str) -> str:
    """A reason as the end of a sentence."""
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."


def buyer_message(incident: Incident, order_id: str) -> str:
    """A message to the buyer of an order that is held up, without any personal data."""
    return (
        f"Hello, your order {order_id} may reach you later than planned: "
        f"{sentence(incident.reason)} We are sorry for the wait. We keep an eye on your parcel "
        "and tell you as soon as we know more."
    )


def told_once(incidents: Iterable[Incident]) -> str:
    """The reasons of several incidents, each once."""
    return "; ".join(dict.fromkeys(each.reason.rstrip(".") for each in incidents))
