"""Whose fault a cancellation is, by TikTok Shop's words."""

import pytest

from shipclock.domain.fault import Fault
from shipclock.marketplaces.tiktok_shop import fault_of
from shipclock.marketplaces.tiktok_shop.aftersales import REASONS
from shipclock.marketplaces.tiktok_shop.blame import FAULTS
from shipclock.marketplaces.tiktok_shop.codes import CANCEL_REASONS


@pytest.mark.parametrize(
    ("by", "reason", "fault"),
    [
        ("SELLER", "seller_cancel_reason_out_of_stock", Fault.SELLER),
        ("SELLER", "seller_cancel_reason_out_of_stock_uk", Fault.SELLER),
        ("SELLER", "seller_cancel_reason_wrong_price", Fault.SELLER),
        ("SELLER", "seller_cancel_paid_reason_buyer_requested_cancellation", Fault.BUYER),
        ("SELLER", "a_reason_of_tomorrow", Fault.SELLER),
        ("SELLER", "", Fault.SELLER),
        ("BUYER", "no_longer_needed", Fault.BUYER),
        ("buyer", "", Fault.BUYER),
        ("SYSTEM", "system_cancel_order_reason_shipping_timeout", Fault.LATE),
        ("SYSTEM", "system_cancel_order_untracked_uk", Fault.LATE),
        ("", "system_cancel_order_untracked", Fault.LATE),
        ("SYSTEM", "package_lost", Fault.OTHERS),
        ("SYSTEM", "a_reason_of_tomorrow", Fault.UNCLEAR),
        ("SYSTEM", "system_cancel_order_exceed_edt_not_arrive", Fault.UNCLEAR),
        ("OPERATOR", "operator_cancel_risk_control_block", Fault.OTHERS),
        ("OPERATOR", "", Fault.UNCLEAR),
        ("", "", Fault.UNCLEAR),
    ],
)
def test_the_reason_tells_whose_fault_it_is_and_else_who_cancelled(
    by: str, reason: str, fault: Fault
) -> None:
    assert fault_of(by, reason) is fault


def test_every_reason_that_we_have_words_for_or_may_send_is_some_ones_fault_or_unclear() -> None:
    ours = {reason for words in REASONS.values() for reason in words if "cancel" in reason}
    assert CANCEL_REASONS.keys() | ours <= FAULTS.keys()
