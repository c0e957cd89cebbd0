"""docs/events/: a JSON Schema of each domain event, and the page that lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cli import build
from shipclock.events import EVENTS, VERSION, Event, MessageBody, MessageData, VerdictEvent

FOLDER = build.ROOT / "docs" / "events"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MESSAGE = "message"

HEAD = """# Events

What Shipclock puts on its event bus (output `BusName`, source `shipclock`), and a JSON Schema of
each. This folder is written by `python -m cli docs` from `layers/common/shipclock/events.py`, of
which the events are made; a test holds the two together, and every event of the tests is held to
its schema. How people are told is another page: [notifications](../notifications.md).

## What a consumer may rely on

- **At least once, in no order.** An event is put on the bus within a sweep of what it tells. After
  a crash or a failure it is put there again.
- **`id` is the same whenever the same announcement is repeated**, so drop an `id` that you have
  seen. A verdict that turns (withdrawn, overtaken) is another announcement with another `id`.
- **Order by what the events say**, not by arrival: `noticed_at` and `at` are the sweep's time,
  `due_at` is the instant that it is about.
- **Fields are only added.** Within `version` 1 no field is removed or renamed, or gets another
  meaning, and what is required stays so. Every schema lets fields pass that it does not know: so
  should you. Another version would come beside this one, under the same detail types, with notice
  in the changelog.
- **Types are only added** too. Match those that you want, never all but some.
- `text` is for people; its words may change at any time. So may the `clause` of a verdict with its
  pack.
- `alerts` is false on a verdict where another event tells people of the same thing: what is deemed
  lost or delayed is alerted by `abnormal_delivery`. `shop_id` is there wherever it is known.
- No event holds a buyer's data, a secret or a token.

## Types
"""

RULES = """
## Rules that match them

EventBridge matches on `source`, `detail-type` and any field of `detail`. Every verdict that stands
and that people are alerted of, of one shop:

```json
{
  "source": ["shipclock"],
  "detail-type": ["order.verdict.standing"],
  "detail": {"shop_id": ["7490000000000000001"], "alerts": [true]}
}
```

All that presses, whatever it is:

```json
{"source": ["shipclock"], "detail": {"level": ["urgent", "critical"]}}
```

Parcels that are lost or damaged, as they become so and as that is taken back:

```json
{
  "source": ["shipclock"],
  "detail-type": [{"prefix": "order.verdict."}],
  "detail": {"cause": ["lost", "damaged", "disposed", "deemed_lost"]}
}
```

## The body of a signed webhook

A destination of kind `webhook` is posted messages that hold events, not the events one by one:
[message.json](message.json). It is signed as the Standard Webhooks specification says; check it
with any library for that, over the raw bytes, and drop a `webhook-id` that you have seen.
"""


def schema_of(type_: str) -> dict[str, Any]:
    """The published schema of a type of event."""
    model, title = EVENTS[type_]
    schema = _schema(model, f"urn:shipclock:event:{type_}:{VERSION}", title, model.NULLS)
    schema["properties"]["type"]["const"] = type_
    schema["examples"] = [example(type_)]
    return schema


def message_schema() -> dict[str, Any]:
    """The published schema of a webhook's body."""
    title = "The body of a signed webhook"
    schema = _schema(MessageBody, f"urn:shipclock:{MESSAGE}:{VERSION}", title, ())
    data = _schema(MessageData, "", "The message", ("shop_id",))
    schema["properties"]["data"] = {k: v for k, v in data.items() if k not in ("$schema", "$id")}
    event = example("order.verdict.standing")
    schema["examples"] = [
        {
            "type": "shipclock.message",
            "timestamp": event["noticed_at"],
            "data": {
                "id": f"msg_{'7d' * 20}",
                "level": event["level"],
                "shop_id": event["shop_id"],
                "day": "2026-11-05",
                "part": 1,
                "parts": 1,
                "subject": f"Shipclock {event['shop_id']}: Order {event['order_id']}: parcel lost",
                "events": [event],
            },
        }
    ]
    return schema


def _schema(
    model: type[BaseModel], name: str, title: str, nulls: tuple[str, ...]
) -> dict[str, Any]:
    """A model's schema as it is published: open for fields to come, without what is never null."""
    made = model.model_json_schema()
    fields = {name: _field(told, name in nulls) for name, told in made["properties"].items()}
    optional = {n for n, f in model.model_fields.items() if f.default is None}
    return {
        "$schema": DIALECT,
        "$id": name,
        "title": title,
        "description": f"{model.__doc__} Fields may be added; none is removed, renamed or given "
        "another meaning within this version.",
        "type": "object",
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": True,
    }


def _field(told: Mapping[str, Any], null: bool) -> dict[str, Any]:
    """One field: its type and its description."""
    kinds = [kind for kind in told.get("anyOf", ()) if kind.get("type") != "null"]
    found = {**(kinds[0] if kinds else {}), **told}
    found = {k: v for k, v in found.items() if k not in ("title", "default", "anyOf", "$ref")}
    if null:
        found["type"] = [found["type"], "null"]
    return found


# Examples


SHOP, ORDER = "7490000000000000001", "576000000000000101"
AT, DUE = "2026-11-05T02:00:23Z", "2026-11-05T08:00:00Z"

TEXTS = {
    "order.verdict.standing": "SYN-1 is lost, as the carrier tells. Claim from the carrier.",
    "order.verdict.withdrawn": "Taken back: by what is known now this did not happen.",
    "order.verdict.overtaken": "Over: later news ended this.",
    "order.reminder": "Without a tracking update the marketplace cancels the order.",
    "order.warning": "Last warning. Hand the parcel over and see that it is scanned.",
    "order.nearing": "shipping_due_time runs out soon: then the marketplace cancels the order.",
    "order.outcome": "The marketplace cancelled the order: it was not shipped in time.",
    "order.cancel_request": "The buyer asks to cancel. Keep the parcel back.",
    "order.pickup": "The carrier fetches the package between 10:00 and 12:00.",
    "order.collected": "The marketplace shows the order as collected. Nothing to do.",
    "order.proof": "No picture of the delivery could be had. Keep one of your own.",
    "order.push": "SYN-1 is not told to the marketplace: carrier unknown.",
    "source.silent": "Nothing has come from easypost for 26 hours. Look whether it is switched on.",
    "source.speaks_again": "easypost speaks again. Have what was missed sent again.",
    "shop.disconnected": "The marketplace no longer lets us act for the shop. Connect it again.",
    "shop.authorisation_ends": "The authorisation of the shop ends in 7 days. Connect it again.",
    "shop.renewal_refused": "The marketplace refuses to renew our access. Connect the shop again.",
    "shop.stock_not_set": "The stock of SKU 1729 is not set as wished: the SKU is unknown.",
    "shop.stock": "SKU 1729 is running low; 3 left to sell. Restock it.",
    "shop.signal": "Shop 7490000000000000001: its late dispatch rate will cross 4 % within a day.",
    "destination.failing": "A message to destination ops was given up. Mend it.",
    "destination.gone": "Destination ops is gone for good. Put its new address there.",
    "destination.test": "This is a test. Messages to ops arrive. Nothing to do.",
}
CLOCKS = {
    "order.reminder": "untracked",
    "order.warning": "untracked",
    "order.nearing": "shipping_due_time",
    "order.outcome": "CANCELLED",
    "order.cancel_request": "CANCELLED",
    "order.pickup": "1150000000000000001",
    "order.collected": "IN_TRANSIT",
    "order.proof": "SYN1",
    "order.push": "ship_package",
    "source.silent": "easypost",
    "source.speaks_again": "easypost",
    "shop.stock_not_set": "1729",
    "shop.stock": "1729",
    "shop.signal": "late_dispatch",
    "destination.failing": "ops",
    "destination.gone": "ops",
    "destination.test": "ops",
}
PRESSING = {
    "order.verdict.standing": "urgent",
    "order.nearing": "critical",
    **dict.fromkeys(("order.cancel_request", "order.warning", "order.outcome"), "urgent"),
    **dict.fromkeys(("source.silent", "shop.disconnected", "shop.renewal_refused"), "urgent"),
    **dict.fromkeys(("destination.failing", "destination.gone"), "urgent"),
}
AHEAD = ("order.reminder", "order.warning", "order.nearing", "order.pickup", "shop.signal")
WHOSE: dict[str, dict[str, str]] = {
    "order": {"order_id": ORDER, "shop_id": SHOP},
    "shop": {"shop_id": SHOP},
    "source": {"source": "easypost", "account": "default"},
    "destination": {"destination": "ops"},
}


def example(type_: str) -> dict[str, Any]:
    """A made-up event of a type."""
    model, _ = EVENTS[type_]
    said: dict[str, Any] = {"at": AT, "clock": CLOCKS.get(type_, "tiktok_shop")}
    if type_ in AHEAD:
        said["due_at"] = DUE
    if model is VerdictEvent:
        said = {
            "rule": "abnormal_delivery",
            "cause": "lost",
            "package_id": "1150000000000000001",
            "tracking_number": "SYN1",
            "due_at": "2026-11-05T01:58:00Z",
            "noticed_at": AT,
            "clause": "guide-2023:abnormal_delivery: Check delivery status",
            "alerts": True,
        }
    said |= {"type": type_, "id": f"evt_{'3c' * 20}", "text": TEXTS[type_]}
    said |= {"level": PRESSING.get(type_, "ordinary"), **WHOSE[type_.partition(".")[0]]}
    return model.model_validate(said).document()


# The folder


def pages() -> dict[str, str]:
    """Every file of the folder as it should be, by its name."""
    rows = "\n".join(
        f"| [`{type_}`]({type_}.json) | {title} | {_own(type_)} |"
        for type_, (_, title) in EVENTS.items()
    )
    table = f"\n| detail type | when | its own fields |\n|---|---|---|\n{rows}\n"
    found = {f"{type_}.json": _text(schema_of(type_)) for type_ in EVENTS}
    found[f"{MESSAGE}.json"] = _text(message_schema())
    found["README.md"] = f"{HEAD}{table}{COMMON}{RULES}"
    return found


COMMON = """
All have `type`, `id`, `version`, `level` (`ordinary`, `urgent` or `critical`) and `text`. A field
that is marked with ? may be missing.
"""


def _own(type_: str) -> str:
    model, _ = EVENTS[type_]
    own = [(n, f) for n, f in model.model_fields.items() if n not in Event.model_fields]
    return ", ".join(f"`{name}`{'?' * (field.default is None)}" for name, field in own)


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> bool:
    """Write the folder; whether anything has changed. A type that is no more is taken away."""
    wanted = pages()
    folder.mkdir(exist_ok=True)
    there = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    for name in there.keys() - wanted.keys():
        (folder / name).unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")
    return there != wanted
