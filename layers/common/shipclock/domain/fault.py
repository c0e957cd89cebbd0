"""Whose fault it is that an order was cancelled, in our words."""

from enum import StrEnum


class Fault(StrEnum):
    """Whose fault a cancellation is.

    `SELLER` cancelled for a reason of his own. `LATE`: the marketplace did, for the parcel was not
    shipped, not collected or not to be tracked in time. `OTHERS`: it did for what is neither the
    seller's nor the buyer's doing. `UNCLEAR`: by what was told nobody can say.
    """

    SELLER = "seller"
    LATE = "late"
    BUYER = "buyer"
    OTHERS = "others"
    UNCLEAR = "unclear"
