"""How far our clock is from the marketplace's, as the `Date` of its answers tells."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SKEWED = timedelta(seconds=60)
"""How far our clock may be from the marketplace's before it is told: its window for requests is
from five minutes old to thirty seconds ahead (`tiktok-shop.md` 2.1)."""


def skew(headers: Mapping[str, str], sent_at: datetime, back_at: datetime) -> timedelta:
    """How far our clock is ahead of an answer's `Date` (negative: behind); zero where it has none.

    The answer was made at some time between sending and its arrival, and `Date` has no fraction
    of a second: only what lies outside counts.
    """
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, OverflowError):
        return timedelta(0)
    if told.tzinfo is None:  # "-0000": UTC by the standard
        told = told.replace(tzinfo=UTC)
    if told > back_at:
        return back_at - told
    return max(sent_at - told - timedelta(seconds=1), timedelta(0))
