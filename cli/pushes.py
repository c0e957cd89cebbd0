"""`shipclock ask` and `shipclock push`: what a person wants told to the marketplace, and what of it
has come about."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from cli import operate
from cli.options import TABLE, real
from shipclock import asking, rows
from shipclock.blobs import TooLarge, put_blob, read_blob
from shipclock.marketplaces.protocol import Blob
from shipclock.order_view import order_view
from shipclock.proof_images import State, name_again, picture_of, pictures_of_order
from shipclock.wishes import APPROVE

DEEDS = [deed for deed in map(str, asking.WORDS) if deed != APPROVE]  # it has a command of its own
JPEG = "image/jpeg"
MEDIA = {".pdf": "application/pdf", ".png": "image/png", ".jpg": JPEG, ".jpeg": JPEG}
ENDINGS = {"image/png": ".png", JPEG: ".jpg"}


class AskError(Exception):
    """It can't be done as asked; the message says what to do."""


@click.command("ask")
@click.argument("order_id")
@click.argument("deed", type=click.Choice(DEEDS))
@click.option("--package", "package_id", default="", help="The package it is about.")
@click.option("--say", "said", multiple=True, metavar="NAME=VALUE", help="A word; repeatable.")
@click.option("--revoke", is_flag=True, help="Ask for it no longer.")
@TABLE
def ask_command(
    order_id: str,
    deed: str,
    package_id: str,
    said: tuple[str, ...],
    revoke: bool,
    table: str | None,
) -> None:
    """Ask that the marketplace be told something of ORDER_ID: DEED.

    \b
    ship     --package P --say handover_method=PICKUP --say slot_from=… --say slot_until=…
    ship     --package P --say tracking_number=… --say carrier=…
    label    --say service=…                 (Ship by TikTok in the US, UK, EU, JP)
    renumber --say tracking_number=… --say carrier=… [--package P]
    deliver  --package P --say delivery_type=DELIVERY_SUCCESS
    cancel   --say reason=out_of_stock       refund --say reason=damaged
    answer   --say case=… --say answer=approve
    message  --say text=…
    """
    says = dict(_pair(word) for word in said)
    store = operate.open_store(table)
    asking.ask(store, order_id, deed, says, real(), getpass.getuser(), package_id, revoke)
    click.echo(
        "taken back" if revoke else "asked for; the next sweep sees to it: `shipclock push list`"
    )


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise AskError(f"--say takes NAME=VALUE, not {word!r}.")
    return name, value


@click.command("approve")
@click.argument("order_id")
@click.argument("kind", required=False)
@TABLE
def approve_command(order_id: str, kind: str | None, table: str | None) -> None:
    """Let out what is prepared for ORDER_ID: all of one KIND, such as refund; or list it."""
    store = operate.open_store(table)
    view = order_view(store, order_id, real())
    if view is None:
        raise AskError(f"There is no order {order_id}. Look its id up in the hub.")
    waiting = [item for item in view.prepared if item.state == "waiting"]
    if kind is None:
        for item in view.prepared:
            click.echo(f"{item.kind} ({item.state}): {item.text}")
        return
    chosen = [item for item in waiting if item.kind == kind]
    if not chosen:
        kinds = ", ".join(dict.fromkeys(item.kind for item in waiting)) or "nothing"
        raise AskError(f"No {kind} waits for you here; what does: {kinds}.")
    for item in chosen:
        says = {"kind": item.kind, "verdict": item.verdict}
        asking.ask(store, order_id, APPROVE, says, real(), getpass.getuser())
    click.echo(f"{len(chosen)} approved; the next sweep sees to it: `shipclock push list`")


@click.group("push")
def group() -> None:
    """What was, will be or can't be told to the marketplace."""


@group.command("list")
@click.argument("order_id")
@TABLE
def list_command(order_id: str, table: str | None) -> None:
    """Show every push of ORDER_ID, by its key."""
    for intent in asking.intents(operate.open_store(table), order_id):
        click.echo(f"{intent.state.value:<11} {intent.key}")
        if intent.reason or intent.advice:
            click.echo(f"            {intent.reason} {intent.advice}".rstrip())


@group.command("again")
@click.argument("order_id")
@click.argument("key")
@TABLE
def again_command(order_id: str, key: str, table: str | None) -> None:
    """Try a refused or dead push again, as it stands."""
    asking.again(operate.open_store(table), order_id, key, real())
    click.echo("it is tried again by the next sweep")


@group.command("done")
@click.argument("order_id")
@click.argument("key")
@TABLE
def done_command(order_id: str, key: str, table: str | None) -> None:
    """Say that a dead push took effect: you have seen it in Seller Center."""
    asking.done(operate.open_store(table), order_id, key, real())
    click.echo("noted; the order is read again")


@click.group("files")
def files() -> None:
    """Proofs of delivery, and the marketplace's labels."""


@files.command("proof")
@click.argument("order_id")
@click.argument("package_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@TABLE
def proof_command(order_id: str, package_id: str, file: Path, table: str | None) -> None:
    """Keep a photo or PDF of the delivery of PACKAGE_ID; it goes with the next `deliver`."""
    media_type = MEDIA.get(file.suffix.lower())
    if media_type is None:
        raise AskError("A proof is a JPG, PNG or PDF file.")
    store = operate.open_store(table)
    try:
        blob = Blob(media_type, file.read_bytes())
        put_blob(store, order_id, rows.PROOF + package_id, blob, real())
    except TooLarge as error:
        raise AskError(f"{error}.") from None
    click.echo("kept")


@files.command("pictures")
@click.argument("order_id")
@click.option("--again", is_flag=True, help="Try what could not be had once more.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write them there.")
@TABLE
def pictures_command(order_id: str, again: bool, out: Path | None, table: str | None) -> None:
    """List the pictures that carriers have named of the deliveries of ORDER_ID."""
    store = operate.open_store(table)
    found = pictures_of_order(store, order_id, real())
    if not found:
        raise AskError(
            "No carrier has named a picture of that order's deliveries, or none of the accounts "
            "that did has proof_hosts in the sources' secret."
        )
    for place, row in enumerate(found):
        about = f"{row['kind']} of {row['number']}, by {row['source']} {row['account']}"
        click.echo(f"{row['state']:<8} {about}{': ' * ('reason' in row)}{row.get('reason', '')}")
        blob = picture_of(store, row, real())
        if out is not None and blob is not None:
            out.mkdir(parents=True, exist_ok=True)
            path = out / f"{row['number']}-{place}{ENDINGS[blob.media_type]}"
            path.write_bytes(blob.data)
            click.echo(f"         {path}")
    if again:
        missing = [row for row in found if row["state"] in (State.REFUSED, State.GONE)]
        named = {row["named_by"]: row for row in missing}
        tried = sum(name_again(store, row, real()) for row in named.values())
        click.echo(
            f"{tried} of {len(named)} deliveries that named what is missing are read again by the "
            "next sweep"
        )


@files.command("label")
@click.argument("order_id")
@click.argument("package_id")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@TABLE
def label_command(order_id: str, package_id: str, out: Path, table: str | None) -> None:
    """Write the label of PACKAGE_ID, as the marketplace made it, to a file."""
    blob = read_blob(operate.open_store(table), order_id, rows.LABEL + package_id, real())
    if blob is None:
        raise AskError(
            "No label is kept of that package. It is fetched within minutes after Ship by TikTok "
            "has arranged the shipment; until then print it in Seller Center."
        )
    out.write_bytes(blob.data)
    click.echo(f"{out}: {blob.media_type}, {len(blob.data)} bytes")
