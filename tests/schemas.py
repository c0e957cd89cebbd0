"""The published schemas of events, as a library that others wrote reads them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

FOLDER = Path(__file__).parent.parent / "docs" / "events"


@cache
def published(type_: str) -> Draft202012Validator:
    """The schema of a type; of one that is not published there is no file."""
    schema = json.loads((FOLDER / f"{type_}.json").read_text("utf-8"))
    # Consumers let unknown fields pass; a test must not, for each is to be documented.
    return Draft202012Validator(
        {**schema, "additionalProperties": False}, format_checker=FormatChecker()
    )


def hold(event: Mapping[str, Any]) -> None:
    """Hold an event to the schema of its type, as it would travel."""
    published(str(event["type"])).validate(json.loads(json.dumps(dict(event))))
