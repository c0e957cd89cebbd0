"""What a sender's word means in ours (`carriers.md` 1.2): the value of every table of codes."""

from typing import NamedTuple

from shipclock.domain.tracking import TrackingStatus

FINAL = "final"
DAMAGED_TOO = "damaged"
APPOINTMENT = "appointment"
UNTRACKABLE = "untrackable"


class Meaning(NamedTuple):
    """What a code, or several together, say of a parcel."""

    status: TrackingStatus
    reason: str = ""
    flags: tuple[str, ...] = ()
    delivered_to: str = ""
    proof: str = ""


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
