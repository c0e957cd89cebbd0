"""What a sender's word means in ours (`carriers.md` 1.2): the value of every table of codes."""

from typing import NamedTuple

from shipclock.domain.tracking import TrackingStatus

FINAL = "final"
DAMAGED_TOO = "damaged"
APPOINTMENT = "appointment"
UNTRACKABLE = "untrackable"
FLAGS = (
    *(FINAL, DAMAGED_TOO, "partial", "corrected", "exception_unclassified"),
    *("ambiguous_lost_or_damaged", UNTRACKABLE, APPOINTMENT, "bad_number", "needs_text"),
)
"""The flags of `carriers.md` 1.2."""


class Meaning(NamedTuple):
    """What a code, or several together, say of a parcel."""

    status: TrackingStatus
    reason: str = ""
    flags: tuple[str, ...] = ()
    delivered_to: str = ""
    proof: str = ""


WITH_A_REASON = frozenset(
    {
        TrackingStatus.PICKUP_FAILED,
        TrackingStatus.ON_HOLD,
        TrackingStatus.DELIVERY_ATTEMPT_FAILED,
        TrackingStatus.DELAYED,
    }
)
"""Statuses that always have a reason (`carriers.md` 1.2): `other` where none is told."""

NOTHING_KNOWN = Meaning(TrackingStatus.UNKNOWN)
UNCLASSIFIED = Meaning(TrackingStatus.UNKNOWN, flags=("exception_unclassified",))
"""Something went wrong, and the sender's word does not say what."""

ON_THE_WAY_BACK = {
    TrackingStatus.IN_TRANSIT: TrackingStatus.RETURNING,
    TrackingStatus.DELIVERED: TrackingStatus.RETURNED,
}
"""What a status means where the parcel goes back to the sender (`carriers.md` 1.3, rule 3)."""


def going_back(said: Meaning) -> Meaning:
    """What was said, on the leg back to the sender."""
    return said._replace(status=ON_THE_WAY_BACK.get(said.status, said.status))


LEG_BACK = {
    TrackingStatus.PICKED_UP: TrackingStatus.RETURNING,
    TrackingStatus.IN_TRANSIT: TrackingStatus.RETURNING,
    TrackingStatus.OUT_FOR_DELIVERY: TrackingStatus.RETURNING,
    TrackingStatus.DELIVERY_ATTEMPT_FAILED: TrackingStatus.RETURNING,
    TrackingStatus.AVAILABLE_FOR_PICKUP: TrackingStatus.RETURNING,
    TrackingStatus.DELIVERED: TrackingStatus.RETURNED,
}
"""The same for senders that tell the whole way back in the words of the way there. There a van, a
counter or a failed attempt is the sender's: it must not count as an attempt to reach the buyer."""


def told_alike_there_and_back(said: Meaning) -> Meaning:
    """What was said, on the leg back of a sender that tells both legs in the same words."""
    if said.status not in LEG_BACK:
        return said
    # why the sender was not reached is no reason of the buyer's
    return Meaning(LEG_BACK[said.status], flags=said.flags)
