"""Intents about parcels: shipped, labelled, under another number, delivered (5.2). No I/O."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from shipclock.domain.carrier import names_of, plain
from shipclock.domain.order import Order
from shipclock.domain.push import Deed
from shipclock.domain.times import parse
from shipclock.domain.tracking import TrackingStatus
from shipclock.marketplaces.protocol import Blob, Call, Kind, Outcome, Shop, Slot, Telling
from shipclock.marketplaces.tiktok_shop import capability, delivery, fulfilment
from shipclock.marketplaces.tiktok_shop.versions import ENDPOINTS

CHANGE_WINDOW = timedelta(hours=72)
"""How long after shipping its number may be changed; published for the US (`tiktok-shop.md` 5.2).
Elsewhere the marketplace refuses by itself where it is shorter."""

LOOK_AGAIN = timedelta(minutes=2)
"""How long a delivery waits, in `now`, between two looks for its picture."""

FAILURES = {
    "address_issue": "address",
    "recipient_absent": "no_contact",
    "recipient_unreachable": "no_contact",
    "refused": "refused",
    "weather": "weather",
}
"""Why a delivery failed, in the carriers' vocabulary, to the few words that `delivery` knows."""

OURS_TO_SAY = "Read the marketplace's terms for it, or do it in Seller Center."


def needs_provider(order: Order, deed: Deed) -> bool:
    """Ship by Seller names the provider; Ship by TikTok brings its own."""
    names = deed in (Deed.SHIP, Deed.RENUMBER)
    return names and order.facts is not None and order.facts.shipping_type == "SELLER"


def choose_provider(carrier: str, providers: Mapping[str, str], shop: Shop) -> str:
    """The provider whose name is the carrier's or one of its aliases, else the shop's default."""
    names = {plain(name): provider_id for provider_id, name in providers.items()}
    ours = sorted(names_of(carrier))
    found = next((names[name] for name in ours if name and name in names), "")
    return found or shop.default_provider


def ship(telling: Telling, shop: Shop) -> Call:
    """Ship Package, of one package."""
    return fulfilment.ship_parcel(telling.intent.package_id, parcel(telling, shop))


def parcel(telling: Telling, shop: Shop) -> fulfilment.Parcel:
    """How a package is shipped: the seller's carrier and number, or how TikTok's comes by it."""
    intent, says = telling.intent, telling.intent.says
    if needs_provider(telling.order, Deed.SHIP):
        return fulfilment.Parcel(intent.tracking_number, telling.known.provider_id)
    facts = telling.order.facts
    if facts is not None and facts.shipping_type == capability.IN_STORE:
        return fulfilment.Parcel()
    slot = None
    if says.get("slot_from") and says.get("slot_until"):
        slot = Slot(parse(says["slot_from"]), parse(says["slot_until"]), available=True)
    method = says.get("handover_method") or shop.handover_method
    return fulfilment.Parcel(handover_method=method, slot=slot)


def mark(telling: Telling, shop: Shop) -> Call:
    """Mark Package As Shipped, of the units that are still to ship."""
    name = capability.MARK_AS_SHIPPED
    return fulfilment.mark_as_shipped(
        telling.order.order_id,
        _unshipped(telling),
        telling.intent.tracking_number,
        telling.known.provider_id,
        shop.versions.get(name, ENDPOINTS[name][0]),
    )


def _unshipped(telling: Telling) -> list[str]:
    """The units still to ship: of the intent's package, or all that are in none yet."""
    facts = telling.order.facts
    return [
        line.line_id
        for line in (facts.lines if facts else ())
        if line.package_id == telling.intent.package_id and line.display_status != "CANCELLED"
    ]


def renumber_step(telling: Telling, shop: Shop) -> Outcome | None:
    """A number is changed within its time alone; afterwards nobody is asked."""
    shipped_at = telling.order.facts.rts_time if telling.order.facts else None
    if shipped_at and telling.known.now >= shipped_at + CHANGE_WINDOW:
        return Outcome(
            Kind.REFUSED,
            reason="the time to change the number is over",
            advice="The marketplace takes a change for 72 hours after shipping. Open a ticket in "
            "Seller Center.",
        )
    return None


def renumber(telling: Telling, shop: Shop) -> Call:
    """Another number for the order, or for one package of several."""
    intent, provider = telling.intent, telling.known.provider_id
    number = intent.tracking_number
    if intent.call == capability.UPDATE_PACKAGE_SHIPPING:
        return fulfilment.update_package_shipping(intent.package_id, number, provider)
    return fulfilment.update_order_shipping(telling.order.order_id, number, provider)


def label_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    """A label is bought with the service that a person chose out of those on offer."""
    if telling.intent.says.get("service"):
        return None
    services = telling.known.learned.get("shipping_services")
    if services is None:
        return fulfilment.shipping_services(telling.order.order_id)
    listed = "; ".join(
        f"{each.service_id} {each.name} {each.price} {each.currency}".strip() for each in services
    )
    return Outcome(
        Kind.REFUSED,
        reason="no shipping service was chosen",
        advice=f"Ask again with one of the services that the marketplace offers: {listed or '-'}.",
    )


def label(telling: Telling, shop: Shop) -> Call:
    """Buy the label of an order, or of some of its units."""
    lines = telling.listed("lines")
    return fulfilment.create_package(telling.order.order_id, telling.intent.says["service"], lines)


# Delivering


def deliver_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    """A failure needs its reason, and a proof that is kept is uploaded first; one that is on its
    way is waited for."""
    proof, says = _proof(telling), telling.intent.says
    failed = says["delivery_type"] == delivery.FAILED
    if failed != (says.get("reason", "") in delivery.FAIL_REASONS):
        listed = ", ".join(delivery.FAIL_REASONS)
        return Outcome(
            Kind.REFUSED,
            reason="a delivery that failed has a reason of the marketplace's, and no other one has",
            advice=f"Ask again; of a failed one with one of: {listed}.",
        )
    awaited = telling.known.proof_until
    if proof is None and not failed and awaited and telling.known.now < awaited:
        wait = min(LOOK_AGAIN, awaited - telling.known.now)
        reason = "the carrier's picture of the delivery is being fetched"
        return Outcome(Kind.LATER, reason=reason, wait=wait)
    if proof is None or _uploaded(telling):
        return None
    if why := delivery.unfit(proof.data, proof.media_type):
        advice = "Keep another photo or PDF with the package, then ask again."
        return Outcome(Kind.REFUSED, reason=f"the proof can't be uploaded: {why}", advice=advice)
    if proof.media_type == "application/pdf":
        return delivery.upload_file(proof.data, f"{telling.intent.package_id}.pdf")
    return delivery.upload_image(proof.data, proof.media_type)


def _proof(telling: Telling) -> Blob | None:
    """The seller's own proof before the carrier's, which shows no failure."""
    failed = telling.intent.says["delivery_type"] == delivery.FAILED
    return telling.known.proof or (None if failed else telling.known.carrier_proof)


def _uploaded(telling: Telling) -> str:
    learned = telling.known.learned
    return str(learned.get("upload_image") or learned.get("upload_file") or "")


def deliver(telling: Telling, shop: Shop) -> Call:
    """How the delivery of a package ended, with its proof."""
    says, proof = telling.intent.says, _proof(telling)
    url = _uploaded(telling)
    pdf = proof is not None and proof.media_type == "application/pdf"
    return delivery.deliver(
        telling.intent.package_id,
        says["delivery_type"],
        says.get("reason", ""),
        ("PDF" if pdf else "IMG") if url else "",
        url,
        says.get("verification_code", ""),
    )


def track(tellings: Sequence[Telling], shop: Shop) -> Call:
    """The tracking events of one order in one call."""
    order, facts = tellings[0].order, tellings[0].order.facts
    lines = facts.lines if facts else ()
    by_line = next((line.provider_id for line in lines if line.provider_id), "")
    provider = (facts.shipping_provider_id if facts else "") or by_line
    return delivery.track(order.order_id, shop.market, provider, [event(t) for t in tellings])


def event(telling: Telling) -> delivery.Track:
    """One scan as the marketplace takes it."""
    says = telling.intent.says
    status = TrackingStatus(says["status"])
    failed = status is TrackingStatus.DELIVERY_ATTEMPT_FAILED
    why = FAILURES.get(says.get("reason", ""), "")
    return delivery.Track(
        delivery.ACTION_CODES[status],
        parse(says["at"]),
        status.value.replace("_", " "),
        fulfilment.acceptable(telling.intent.tracking_number),
        failed_reason=delivery.FAILED_REASONS.get(why, "") if failed else "",
    )


def track_step(telling: Telling, shop: Shop) -> Outcome | None:
    """A scan that the marketplace has no word for is not told."""
    status = TrackingStatus(telling.intent.says["status"])
    if status in delivery.ACTION_CODES:
        return None
    reason = f"the marketplace has no word for {status.value}"
    return Outcome(Kind.REFUSED, reason=reason, advice=OURS_TO_SAY)
