"""The client that others wrote, PyPI `tiktok-shop-api` 0.1.0, asked for its models and requests.

Its models were generated from the marketplace's own pages. Its first model takes seconds to load,
so it is imported when it is first needed.
"""

from functools import cache
from importlib import import_module
from typing import Any

from shipclock.marketplaces.protocol import Call

THEIRS = "tiktok_shop_api"


def theirs(name: str) -> Any:
    """A module of their client."""
    return import_module(f"{THEIRS}.{name}")


@cache
def model(name: str) -> Any:
    """One of their generated models."""
    return getattr(theirs("generated.models"), name)


def unknown_fields(value: Any, where: str = "") -> list[str]:
    """Every field at any depth that their model does not know."""
    if isinstance(value, list):
        return [f for n, item in enumerate(value) for f in unknown_fields(item, f"{where}[{n}]")]
    attributes = getattr(type(value), "__attrs_attrs__", None)
    if attributes is None:
        return []
    found = [f"{where}.{name}" for name in getattr(value, "additional_properties", {})]
    for attribute in attributes:
        if attribute.name != "additional_properties":
            inner = getattr(value, attribute.name)
            found += unknown_fields(inner, f"{where}.{attribute.name}")
    return found


def parsed(name: str, body: object) -> Any:
    """A body in their model, which must know every field of it and give it back unchanged."""
    found = model(name).from_dict(body)
    assert unknown_fields(found) == []
    assert found.to_dict() == body
    return found


def built(area: str, operation: str, *path: str, **arguments: Any) -> dict[str, Any]:
    """The request that their client would send."""
    api = theirs(f"generated.api.{area}.{operation}")
    request: dict[str, Any] = api._get_kwargs(*path, **arguments)
    return request


def in_query(value: Any) -> str:
    """A query value as one text. A list of theirs becomes our comma-joined one (see the test of
    the one deliberate difference)."""
    return ",".join(value) if isinstance(value, list) else str(value)


def agree(call: Call, request: dict[str, Any]) -> None:
    """Our call is the request that their client would send."""
    assert call.method.lower() == request["method"]
    assert call.path == request["url"]
    assert dict(call.query) == {k: in_query(v) for k, v in request.get("params", {}).items()}
    assert call.body == request.get("json")


def takes_cipher(call: Call) -> bool:
    """Whether their client sends the shop's cipher along with it."""
    needed: bool = theirs("signing").requires_shop_cipher(call.method, call.path)
    return needed
