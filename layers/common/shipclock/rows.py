"""What the one table holds: keys, due marks, and the delivery's row. Standard library only.

| partition | sort key | row |
|---|---|---|
| `DELIVERY#source#account#sha256` | `DELIVERY` | what arrived, as it arrived |
| `ORDER#id` | `HEAD` | the order as last settled; only settle writes it |
| | `EVENT#identity` | a marketplace event |
| | `LINK#number` | a tracking number linked to the order |
| | `VERDICT#…`, `NOTICE#…` | what a missed clock said; reminders and warnings |
| | `PUSH#…` | an intent: one thing to tell the marketplace |
| | `CHAIN#…` | links of the order's chain that the head has no more room for |
| | `REREAD` | how the last re-read went, where it brought no new snapshot |
| | `ACK` | the clocks whose nearing a person has acknowledged |
| | `HANDOVER#package` | how a package may be handed to the marketplace's carrier |
| | `BUYER` | personal data, with a TTL |
| `FILES#order` | `PROOF#package#piece`, `LABEL#…` | files, in pieces, with a TTL |
| `FILES#NUMBER#number` | `IMAGE#digest` | a picture that a carrier named, and its link |
| | `CARRIER#sha256#piece` | the pictures that were had, each once |
| `NUMBER#number` | `EVENT#identity`, `LINK#order` | scans, and whose they are |
| `PULL#number` | `source#account` | the number is asked about |
| `SHOP#id` | `LANE` | the connection: lease and pace |
| | `RECONCILE`, `PROVIDERS#option` | search cursors; who may ship |
| | `NOTICE#…` | the shop was disconnected or will be; a SKU runs out |
| | `STOCK#sku` | a SKU's stock, as the marketplace told it last |
| | `STOCKWISH#sku` | what a SKU's stock shall be, and what became of it |
| `SIGNALS#shop` | `day#order` | the signals that an order counts in, under the day it started |
| `INCIDENTS` | `id#0`, `id#time#…` | what people said of an incident |
| `INCIDENT#id` | `ORDER#id` | an order that it is, may be, or is no longer about |
| `AUTH#id` | `TOKENS` | the tokens of an authorisation, shared by its shops |
| `SHOPS` | shop id | a shop was connected once |
| `SOURCE#source#account` | `HEARD` | when a source was heard last, and how long its pauses are |
| | `NOTICE#…` | it is silent; it speaks again |
| `TELL#destination#shop` | `BOX#level` | what people are told next: its round, how much is in it |
| | `ITEM#level#round#event` | one event in it |
| | `MESSAGE#level#…#part` | a round that was closed, due until it has been told |
| `DESTINATION#name` | `HEALTH` | how telling it goes |
| | `NOTICE#…` | a message to it was given up; it is gone |

A row with a *due mark* (`due_pk`, `due_at`) stands in the sparse index `due`. `due_at` is an
instant of `now`, or `0#` and a real time: due whatever `now` is. With `1#` it is too, and comes
after all of those: after an outage there may be much to tell people, and no order waits for that.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from shipclock.domain.times import ceil, stamp
from shipclock.ports import Key, Row

SHARDS = 8
"""Partitions of the `due` index, by hash of the row's own key. Fixed: a change is a migration."""

DELIVERY = "DELIVERY"
HEAD = "HEAD"
REREAD = "REREAD"
ACK = "ACK"
BUYER = "BUYER"
LANE = "LANE"
TOKENS = "TOKENS"
RECONCILE = "RECONCILE"
HEARD = "HEARD"
EVENT = "EVENT#"
LINK = "LINK#"
VERDICT = "VERDICT#"
NOTICE = "NOTICE#"
PUSH = "PUSH#"
CHAIN = "CHAIN#"
PROVIDERS = "PROVIDERS#"
HANDOVER = "HANDOVER#"
FILES = "FILES#"
PROOF = "PROOF#"
LABEL = "LABEL#"
IMAGE = "IMAGE#"
CARRIER = "CARRIER#"
STOCK = "STOCK#"
STOCKWISH = "STOCKWISH#"
BOX = "BOX#"
ITEM = "ITEM#"
MESSAGE = "MESSAGE#"
HEALTH = "HEALTH"


def order_pk(order_id: str) -> str:
    """The partition of an order."""
    return f"ORDER#{order_id}"


def number_pk(number: str) -> str:
    """The partition of a normalised tracking number."""
    return f"NUMBER#{number}"


PULL = "PULL"
"""The kind of partition that has numbers asked about: apart from the number's, which settle reads
whole."""

INCIDENTS = "INCIDENTS"
"""The partition of all that people said of incidents: one read tells every one of them."""


def incident_pk(incident_id: str) -> str:
    """The partition of the orders that an incident is about."""
    return f"INCIDENT#{incident_id}"


SHOPS = "SHOPS"
"""The partition that lists the shops ever connected, one row each."""


TELL = "TELL"
"""The kind of partition that holds what a destination is told of a shop."""


def tell_pk(destination: str, shop_id: str) -> str:
    """The partition of what a destination is told of a shop; of no shop where the id is empty."""
    return f"{TELL}#{destination}#{shop_id}"


def destination_key(name: str) -> Key:
    """The key of how it goes with telling a destination."""
    return f"DESTINATION#{name}", HEALTH


def shop_pk(shop_id: str) -> str:
    """The partition of a shop."""
    return f"SHOP#{shop_id}"


def signals_pk(shop_id: str) -> str:
    """The partition of what a shop's orders count in."""
    return f"SIGNALS#{shop_id}"


def authorisation_key(authorisation: str) -> Key:
    """The key of an authorisation's tokens."""
    return f"AUTH#{authorisation}", TOKENS


def delivery_key(source: str, account: str, sha256: str) -> Key:
    """The key of a delivery: an exact repeat has the same."""
    return f"DELIVERY#{source}#{account}#{sha256}", DELIVERY


def delivery_name(pk: str) -> str:
    """A delivery as facts cite it: `source#account#sha256`, from its partition."""
    return pk.removeprefix(f"{DELIVERY}#")


def source_key(source: str, account: str) -> Key:
    """The key of what a source has been heard of."""
    return f"SOURCE#{source}#{account}", HEARD


def key_of(row: Row) -> Key:
    """A row's key."""
    return row["pk"], row["sk"]


def shard_of(key: Key) -> int:
    """The shard of the `due` index that a row stands in."""
    return zlib.crc32("\n".join(key).encode()) % SHARDS


def mark(key: Key, due_at: str) -> Row:
    """The attributes that put a row into the `due` index."""
    return {"due_pk": str(shard_of(key)), "due_at": due_at}


LATER = "9"
"""Sorts after every due time."""


def is_due(row: Row, now: datetime) -> bool:
    """Whether a row bears a mark whose time has come; the index lags behind it."""
    return str(row.get("due_at", LATER)) <= stamp(now)


MARK = ("due_pk", "due_at")
"""The attributes to remove to take a row out of the `due` index."""

ANNOUNCED, UNSAID = "announced", "unsaid"
"""Attributes of a verdict's or notice's row as long as it is to be said: its latest turn that the
bus has taken, and its earlier turns that people are still to be told of."""

UNMARK = (*MARK, "put_off", ANNOUNCED)
"""The same, forgetting how often its work had failed, and what the bus has taken."""


def at_once(real: datetime) -> str:
    """Due whatever `now` is, since this real time."""
    return f"0#{stamp(real)}"


def after_all(real: datetime) -> str:
    """The same, once nothing that is due `at_once` is left."""
    return f"1#{stamp(real)}"


def real_time(due_at: str) -> str:
    """The real time since which such a row is due; empty where it is due at an instant of `now`."""
    return due_at[2:] if due_at[:2] in ("0#", "1#") else ""


def at(instant: datetime) -> str:
    """Due at an instant of `now`, to the second; a fraction is rounded up."""
    return stamp(ceil(instant))


def delivery_row(
    key: Key,
    source: str,
    account: str,
    shops: tuple[str, ...],
    body: bytes,
    headers: Mapping[str, str],
    received_at: datetime,
    keep: timedelta,
) -> Row:
    """The row of a delivery, marked due. Its TTL is lifted while it waits for a person."""
    return {
        "pk": key[0],
        "sk": key[1],
        "source": source,
        "account": account,
        "shops": list(shops),
        "body": zlib.compress(body, 6),
        "headers": dict(headers),
        "received_at": received_at.isoformat(),
        "expires_at": int((received_at + keep).timestamp()),
        **mark(key, at_once(received_at)),
    }


def body_of(row: Row) -> bytes:
    """The raw body of a delivery."""
    return zlib.decompress(row["body"])


BOARD_SHARDS = 4
"""Partitions of the `board` index per shop and stage: one would bear 1,000 writes a second."""


def board_partition(shop_id: str, stage: str, shard: int) -> str:
    """A partition of the `board` index: one shard of a shop's orders at one stage."""
    return f"{shop_id}#{stage}#{shard}"


UNTOLD = "UNTOLD"
"""The partition of the `board` index that holds messages to people that were given up."""

QUARANTINE = "QUARANTINE"
"""The partition of the `board` index that holds deliveries waiting for a person."""


def quarantine(row: Row, reason: str, again_at: datetime) -> Row:
    """The attributes that put a delivery into quarantine: tried again later, kept for a person."""
    return {
        "board_pk": QUARANTINE,
        "board_at": f"{row.get('received_at', '')}#{row['pk'][-12:]}",
        "reason": reason,
        **mark(key_of(row), at(again_at)),
    }
