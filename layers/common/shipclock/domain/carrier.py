"""Whether two names mean the same carrier: everybody has their own for it."""


def plain(name: str) -> str:
    """A carrier's name with only its letters and digits, in lower case."""
    return "".join(character for character in name.lower() if character.isalnum())


ALIASES = (
    frozenset({"jtexpress", "jt", "jnt", "jntexpress"}),
    frozenset({"ninjavan", "ninja"}),
    frozenset({"flashexpress", "flash"}),
    frozenset({"poslaju", "posmalaysia"}),
    frozenset({"spx", "spxexpress", "shopeeexpress", "shopeexpress"}),
    frozenset({"dhlecommerce", "dhlecommerceasia"}),
    frozenset({"ups", "unitedparcelservice"}),
    frozenset({"usps", "unitedstatespostalservice"}),
    frozenset({"fedex", "federalexpress"}),
)
"""Names that mean the same carrier, as `plain` writes them. A new one is one word here."""


def names_of(name: str) -> frozenset[str]:
    """Every plain name known for the carrier of that name."""
    ours = plain(name)
    return next((group for group in ALIASES if ours in group), frozenset({ours}))


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
