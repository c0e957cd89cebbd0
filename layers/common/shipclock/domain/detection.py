"""Which carriers a tracking number may be of, by its form alone: a hint, never a fact.

The forms and check digits are those of the public collection `tracking_number_data` (MIT), as far
as TikTok Shop's markets meet them, held against the PyPI package of the same data. About one in
eleven random numbers fits a check digit, so all candidates are told. J&T Express numbers are plain
digits that nothing tells apart: they are never guessed. Prefixes of South-East Asia's carriers are
common knowledge at best, and count least.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from shipclock.domain.number import normal

Fits = Callable[[re.Match[str]], bool]


class Candidate(NamedTuple):
    """A carrier that a number may be of, and how that is seen: `check digit`, `form`, `prefix`."""

    carrier: str
    by: str


class Form(NamedTuple):
    """How a carrier writes numbers. Group 1 is what is checked, group 2 the check digit."""

    carrier: str
    pattern: re.Pattern[str]
    fits: Fits | None = None
    by: str = "check digit"


def _value(character: str) -> int:
    return int(character) if character.isdigit() else (ord(character) - 3) % 10


def _mod10(even: int, odd: int, before: str = "") -> Fits:
    """Places counted from 0 are multiplied by turns; the check digit fills up to a ten."""

    def fits(found: re.Match[str]) -> bool:
        body, check = found[1], found[2]
        if before and not body.startswith(before):
            body = before + body
        total = sum(
            _value(character) * (odd if place % 2 else even) for place, character in enumerate(body)
        )
        return -total % 10 == int(check)

    return fits


def _weighted(*weights: int) -> Fits:
    """FedEx: the weighted sum, modulo 11 and then 10."""

    def fits(found: re.Match[str]) -> bool:
        total = sum(int(digit) * weight for digit, weight in zip(found[1], weights, strict=True))
        return total % 11 % 10 == int(found[2])

    return fits


def _mod7(found: re.Match[str]) -> bool:
    return int(found[1]) % 7 == int(found[2])


def _s10(found: re.Match[str]) -> bool:
    """The Universal Postal Union's S10: the weighted sum, taken from 11; 10 is 0 and 11 is 5."""
    weights = (8, 6, 4, 2, 3, 5, 9, 7)
    rest = sum(int(digit) * weight for digit, weight in zip(found[1], weights, strict=True)) % 11
    return {0: 5, 1: 0}.get(rest, 11 - rest) == int(found[2])


EXPRESS_12 = _weighted(3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)
EXPRESS_34 = _weighted(1, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)
IMPB = r"((?:9[1-5])?[0-9]{12}(?:[0-9]{11}|[0-9]{7}))([0-9])"

FORMS = (
    Form("UPS", re.compile(r"1Z([A-Z0-9]{15})([0-9])"), _mod10(1, 2)),
    Form("USPS", re.compile(r"([0-9]{19})([0-9])"), _mod10(3, 1)),
    Form("USPS", re.compile(rf"(?:420[0-9]{{5}})?(?=9[1-5]){IMPB}"), _mod10(3, 1)),
    Form("USPS", re.compile(rf"(?:420[0-9]{{5}})?(?!9[1-5]){IMPB}"), _mod10(3, 1, "91")),
    Form("USPS", re.compile(r"420[0-9]{9}((?:9[2-5])?[0-9]{19})([0-9])"), _mod10(3, 1)),
    Form("FedEx", re.compile(r"([0-9]{11})([0-9])"), EXPRESS_12),
    Form("FedEx", re.compile(r"100[0-9]{2}[0-9]{10}[0-9]{5}([0-9]{13})([0-9])"), EXPRESS_34),
    Form("FedEx", re.compile(r"(92[0-9]{19})([0-9])"), _mod10(3, 1)),
    Form("FedEx", re.compile(r"([0-9]{19})([0-9])"), _mod10(3, 1, "92")),
    Form("FedEx", re.compile(r"([0-9]{14})([0-9])"), _mod10(1, 3)),
    Form("FedEx", re.compile(r"0[0124]([0-9]{15})([0-9])"), _mod10(3, 1)),
    Form("FedEx", re.compile(r"96[0-9]{5}([0-9]{14})([0-9])"), _mod10(1, 3)),
    Form("FedEx", re.compile(r"96[0-9]{18}([0-9]{13})([0-9])"), EXPRESS_34),
    Form("DHL", re.compile(r"([0-9]{9,10})([0-9])"), _mod7),
    Form("DHL", re.compile(r"J[A-Z]{2,3}[0-9]{9,10}"), by="form"),
    Form("DHL", re.compile(r"(?:GM|LX|RX|UV|CN|SG|TH|IN|HK|MY)[0-9]{10,39}"), by="form"),
    Form("OnTrac", re.compile(r"C([0-9]{13})([0-9])"), _mod10(1, 2, "4")),
    Form("OnTrac", re.compile(r"D([0-9]{13})([0-9])"), _mod10(1, 2, "5")),
    Form("Amazon", re.compile(r"TBA[0-9]{12}"), by="form"),
    Form("Ninja Van", re.compile(r"(?:NV|NJV)[A-Z]{2}[A-Z0-9]{6,}"), by="prefix"),
    Form("SPX Express", re.compile(r"SPX[A-Z]{2}[A-Z0-9]{8,}"), by="prefix"),
)

S10 = re.compile(r"(?:[BCDEHLMNPRUVZ][A-Z]|A[V-Z]|G[AD]|Q[A-M])([0-9]{8})([0-9])([A-Z]{2})")

POSTS = {
    "CN": "China Post",
    "DE": "Deutsche Post",
    "ES": "Correos",
    "FR": "La Poste",
    "GB": "Royal Mail",
    "HK": "Hongkong Post",
    "ID": "Pos Indonesia",
    "IE": "An Post",
    "IT": "Poste Italiane",
    "JP": "Japan Post",
    "MY": "Pos Malaysia",
    "PH": "PHLPost",
    "SG": "Singapore Post",
    "TH": "Thailand Post",
    "US": "USPS",
    "VN": "Vietnam Post",
}
"""The posts of TikTok Shop's markets and of where their goods come from, by country."""

ORDER = ("check digit", "form", "prefix")


def candidates(number: str) -> tuple[Candidate, ...]:
    """The carriers that a number may be of, the surest first; none where its form says nothing."""
    plain = normal(number)
    found = [
        Candidate(form.carrier, form.by)
        for form in FORMS
        if (match := form.pattern.fullmatch(plain)) and (form.fits is None or form.fits(match))
    ]
    post = S10.fullmatch(plain)
    if post and _s10(post) and post[3] in POSTS:
        found.insert(0, Candidate(POSTS[post[3]], "check digit"))
    seen: dict[str, Candidate] = {}
    for one in sorted(found, key=lambda each: ORDER.index(each.by)):
        seen.setdefault(one.carrier, one)
    return tuple(seen.values())
