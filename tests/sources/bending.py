"""Bodies bent by a machine: samples with parts left out, repeated, or made something else."""

import copy
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.datetimes().map(datetime.isoformat)
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def places(found: object, path: Path = ()) -> list[Path]:
    """The paths to everything inside a JSON value."""
    inside: Iterable[tuple[str | int, object]] = ()
    if isinstance(found, dict):
        inside = found.items()
    elif isinstance(found, list):
        inside = enumerate(found)
    return [each for key, value in inside for each in ((*path, key), *places(value, (*path, key)))]


def leaves(found: object) -> list[object]:
    """Every text, number and nothing in a JSON value."""
    if isinstance(found, dict):
        return [leaf for value in found.values() for leaf in leaves(value)]
    if isinstance(found, list):
        return [leaf for value in found for leaf in leaves(value)]
    return [found]


@st.composite
def bent(draw: st.DrawFn, bodies: list[Any]) -> Any:
    """One of these bodies with one to five of its parts changed. Parts are swapped for others of
    the same bodies too, so that what is read next to each other is not always what belongs so."""
    body = copy.deepcopy(draw(st.sampled_from(bodies)))
    known = st.sampled_from([leaf for each in bodies for leaf in leaves(each)])
    for _ in range(draw(st.integers(1, 5))):
        spots = places(body)
        if not spots:
            break
        *way, last = draw(st.sampled_from(spots))
        inside: Any = body
        for key in way:
            inside = inside[key]
        change = draw(st.sampled_from(["replace", "swap", "drop", "wrap", "repeat"]))
        if change == "drop":
            del inside[last]
        elif change == "wrap":
            inside[last] = draw(st.sampled_from([[inside[last]], {"code": inside[last]}]))
        elif change == "repeat" and isinstance(inside[last], list):
            inside[last] = inside[last] * 3
        elif change == "swap":
            inside[last] = draw(known)
        else:
            inside[last] = draw(JSON)
    return body
