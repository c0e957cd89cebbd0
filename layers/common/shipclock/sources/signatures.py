"""Comparing signatures in constant time, whatever a hostile header holds."""

import hmac
from collections.abc import Iterable


def same(expected: str, given: str) -> bool:
    """Whether two signatures are equal. Bytes are compared: text raises on non-ASCII headers."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def any_same(expected: Iterable[str], given: Iterable[str]) -> bool:
    """Whether any pair is equal; every pair is compared, so time tells nothing of which."""
    candidates = list(given)
    return bool(sum(same(one, other) for one in expected for other in candidates))
