"""Whether two names mean the same carrier: everybody has their own for it."""

import re
from functools import lru_cache
from itertools import accumulate


def plain(name: str) -> str:
    """A carrier's name with only its letters and digits, in lower case."""
    return "".join(character for character in name.lower() if character.isalnum())


ALIASES = {
    "J&T Express": frozenset({"jtexpress", "jt", "jnt", "jntexpress"}),
    "Ninja Van": frozenset({"ninjavan", "ninja"}),
    "Flash Express": frozenset({"flashexpress", "flash"}),
    "Pos Malaysia": frozenset({"poslaju", "posmalaysia"}),
    "SPX Express": frozenset({"spx", "spxexpress", "shopeeexpress", "shopeexpress"}),
    "DHL eCommerce": frozenset({"dhlecommerce", "dhlecommerceasia"}),
    "UPS": frozenset({"ups", "unitedparcelservice"}),
    "USPS": frozenset({"usps", "unitedstatespostalservice"}),
    "FedEx": frozenset({"fedex", "federalexpress"}),
}
"""Names that mean the same carrier, as `plain` writes them, by the one that we call it. A new one
is one word here."""

MARKETS = frozenset(
    {
        *("br", "de", "es", "fr", "gb", "id", "ie", "it", "jp"),
        *("mx", "my", "ph", "sg", "th", "uk", "us", "vn"),
    }
)
"""The last word of a carrier's name where it only says in which country."""


@lru_cache(maxsize=1024)
def names_of(name: str) -> frozenset[str]:
    """Every plain name known for the carrier of that name."""
    ours = plain(name)
    return next((group for group in ALIASES.values() if ours in group), frozenset({ours}))


def differ(one: str, other: str) -> bool:
    """Whether two names certainly mean two carriers.

    A name that begins with the other's is its longer form ("J&T Express" and "J&T Express MY"), and
    every name is that of a blank one: a false alarm about each of a shop's parcels would be worse
    than a missed one.
    """
    return not any(
        mine.startswith(theirs) or theirs.startswith(mine)
        for mine in names_of(one)
        for theirs in names_of(other)
    )


def known_as(name: str) -> str:
    """The one name under which a carrier's parcels are counted; empty for a blank name.

    Ours where the name, or the words that it begins with, are in `ALIASES` ("J&T Express (MY)",
    "UPS Ground"): the longest such beginning counts. Of other names the plain letters and digits,
    without a market at their end. Unlike `differ`, which spares a seller false alarms, it takes no
    name that is not in the table for the longer form of another: parcels that stand in two rows are
    seen, those of two carriers in one are not.
    """
    words = re.findall(r"[^\W_]+", name.lower())
    beginnings = list(accumulate(words))
    for beginning in reversed(beginnings):
        for ours, group in ALIASES.items():
            if beginning in group:
                return ours
    if len(words) > 1 and words[-1] in MARKETS:
        beginnings.pop()
    return beginnings[-1] if beginnings else ""
