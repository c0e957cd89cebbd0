"""The one number that TikTok Shop gives many faults, told apart by the message beside it."""

import re

from shipclock.marketplaces.protocol import Kind
from shipclock.marketplaces.tiktok_shop.codes import CODES, MALFORMED, Meaning

FAULTS: tuple[tuple[re.Pattern[str], Meaning], ...] = (
    (
        # not every message that names one: a filter's time may be none, too
        re.compile(
            r"^\W*(invalid|bad|expired) timestamp|`timestamp`"
            r"|\btimestamp\b.*\b(expired|minutes|seconds)",
            re.I | re.S,
        ),
        Meaning(
            Kind.MISCONFIGURED,
            "the clock is off",
            "Set the clock of the machine that sends: at most 5 minutes behind and 30 seconds "
            "ahead. Nothing was changed; it is tried again each hour.",
        ),
    ),
    (
        re.compile(r"app[_ ]?key", re.I),
        Meaning(
            Kind.MISCONFIGURED,
            "the app key is not taken",
            "Check the app key in the shop's settings against Partner Center.",
        ),
    ),
    (
        re.compile(r"unexpected identifier|cipher.*not (required|expected)", re.I | re.S),
        Meaning(
            Kind.MISCONFIGURED,
            "an identifier was sent that the call does not take",
            "Report this message to us. Nothing was changed.",
        ),
    ),
    (
        re.compile(r"shop[_ ]?(cipher|id)", re.I),
        Meaning(Kind.MISCONFIGURED, "the shop cipher is not taken", "Connect the shop again."),
    ),
    (re.compile(r"access[_ -]?token|(?<!page )\btoken\b", re.I), CODES[105002]),
    (re.compile(r"signature|\bsign\b", re.I), CODES[106001]),
    (re.compile(r"\bversion\b", re.I), CODES[36009014]),
    (
        re.compile(r"missing|required|not include", re.I),
        Meaning(
            Kind.MISCONFIGURED,
            "a parameter is missing",
            "Report this message to us. Nothing was changed.",
        ),
    ),
)
"""What `MALFORMED` means, by its message: one number for many faults (6.2 and the marketplace's
own index of its keywords). The first that fits counts; a message that nothing fits has the code's
meaning. Only a token that is not taken is worth a renewal: none is repeated by its number."""


def meaning_of(code: int, message: str) -> Meaning | None:
    """What a code means, by its message where it has many meanings; None for an unknown one."""
    if code == MALFORMED:
        for telling, meaning in FAULTS:
            if telling.search(message):
                return meaning
    return CODES.get(code)
