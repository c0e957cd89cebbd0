"""What each performance signal is made of: told with every figure, and counted by."""

from collections.abc import Mapping
from dataclasses import dataclass

from shipclock.fulfillment.signals import (
    LATE_DISPATCH,
    ON_TIME_DELIVERY,
    SELLER_CANCELLATION,
    VALID_TRACKING,
    State,
)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure is made of, for people and for the count.

    `shows` is the state whose share it is. `counts_open`: open units are in what the share as it
    stands is over. `runs_out`: an open unit that is due counts as bad; else only the marketplace's
    own word makes it so.
    """

    title: str
    shows: State
    counts_open: bool
    runs_out: bool
    numerator: str
    denominator: str
    counted_on: str
    left_out: str
    unsure: str


DEFINITIONS: Mapping[str, Definition] = {
    LATE_DISPATCH: Definition(
        title="late dispatch rate",
        shows=State.BAD,
        counts_open=False,
        runs_out=True,
        numerator="orders that missed a line for their dispatch: `rts_sla_time`, `tts_sla_time` or "
        "`pick_up_cut_off_time`; where an order bears none of them, the pack's",
        denominator="orders whose dispatch is decided: kept or missed",
        counted_on="the local day of the order's last line for its dispatch",
        left_out="orders cancelled before that line, orders without a line, orders that the "
        "marketplace fulfils",
        unsure="Of an order with several lines every one counts; a marketplace that judges by one "
        "of them alone shows less. US guides count orders that it fulfils itself into the "
        "denominator, which lowers its figure.",
    ),
    VALID_TRACKING: Definition(
        title="valid tracking rate",
        shows=State.GOOD,
        counts_open=False,
        runs_out=True,
        numerator="packages that a carrier has scanned, by his word or the marketplace's",
        denominator="packages shipped by the seller that were scanned, or whose line is over: "
        "`collection_due_time`, else `cancel_order_sla_time`, else the pack's",
        counted_on="the local day on which the package was shipped",
        left_out="packages that the marketplace ships, of the seller's own fleet, or cancelled "
        "before the line",
        unsure="When the marketplace takes a number for invalid is not published: here it is one "
        "without a scan when it gives up waiting, and a first scan after that makes it valid. Some "
        "say that two scans are needed. A package that several orders share counts for each of "
        "them.",
    ),
    ON_TIME_DELIVERY: Definition(
        title="on-time delivery rate",
        shows=State.GOOD,
        counts_open=False,
        runs_out=True,
        numerator="orders that the marketplace shows as delivered by their line: "
        "`delivery_sla_time`, else `delivery_option_required_delivery_time`",
        denominator="orders whose delivery is decided: by the line, or not",
        counted_on="the local day of the line",
        left_out="orders cancelled before the line, orders without a line, orders that the "
        "marketplace fulfils",
        unsure="US guides count by the week of the line, and show a week some time after it.",
    ),
    SELLER_CANCELLATION: Definition(
        title="seller-fault cancellation rate",
        shows=State.BAD,
        counts_open=True,
        runs_out=False,
        numerator="orders cancelled by the seller for a reason of his own, or by the marketplace "
        "because they were not shipped, collected or to be tracked in time",
        denominator="all orders that were paid",
        counted_on="the local day on which the order was placed; a pre-order's release",
        left_out="cancellations of which nobody can tell whose fault they are, orders that were "
        "never paid, orders that the marketplace fulfils",
        unsure="Whose fault each reason is, the marketplace publishes in outline only. Units "
        "cancelled out of an order that goes on are not counted. Sample orders, which a US guide "
        "leaves out, are not told apart.",
    ),
}
