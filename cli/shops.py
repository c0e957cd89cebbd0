"""`shipclock shops`: connect sellers' shops, list them, change their settings, let them go."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import click

from cli import consent, operate
from cli.options import real
from shipclock import codec, connect, onboard, rows, subscribe
from shipclock.adapters.http import HttpWire
from shipclock.domain.times import stamp
from shipclock.marketplaces.protocol import Shop, Tokens
from shipclock.marketplaces.tiktok_shop import onboarding
from shipclock.onboard import Door, OnboardError
from shipclock.ports import Store
from shipclock.sources import Account, accounts_of

STACK = click.option("--stack", help="The stack in AWS; left out: the local one.")
TABLE = click.option("--table", help="The stack's table in AWS, instead of --stack.")
ADDRESS = click.option(
    "--webhook-address", default="", help="Register this instead of the stack's own address."
)
TAKE_OVER = click.option(
    "--take-over", is_flag=True, help="Also topics that are sent somewhere else by now."
)


def door_of(set_up: operate.SetUp) -> Door:
    """The marketplace that a stack calls."""
    return Door(HttpWire(), set_up.hosts, real, time.sleep)


def apps_of(set_up: operate.SetUp) -> tuple[Account, ...]:
    """The apps in a stack's secret; raises `OnboardError` where it is malformed."""
    try:
        return accounts_of(set_up.sources_secret(), onboarding.NAME)
    except ValueError as error:
        raise OnboardError(f"{error}.") from None


@click.group("shops")
def group() -> None:
    """Connect shops, list them, change their settings, let them go."""


# Connect


@group.command("connect")
@STACK
@click.option("--app", help="The app's key; left out: the only one in the sources' secret.")
@click.option("--service-id", prompt=True, help="The app's service id, from its page.")
@click.option("--region", type=click.Choice(sorted(onboarding.CONSENT_HOSTS)), default="row")
@click.option("--consent-host", default="", help="Where sellers consent, if it is elsewhere.")
@click.option("--shop", "wanted", multiple=True, help="Only this shop of the seller's; repeatable.")
@click.option("--market", default="", help="Instead of the market of the shop's region.")
@click.option("--zone", default="", help="Instead of the market's most likely time zone.")
@ADDRESS
@TAKE_OVER
@click.option("--no-webhooks", is_flag=True, help="Register none.")
def connect_command(
    stack: str | None,
    app: str | None,
    service_id: str,
    region: str,
    consent_host: str,
    wanted: tuple[str, ...],
    market: str,
    zone: str,
    webhook_address: str,
    take_over: bool,
    no_webhooks: bool,
) -> None:
    """Let a seller authorise the app, and connect the shops that this covers.

    A shop that is connected again keeps its settings.
    """
    set_up = operate.set_up(stack)
    chosen = onboard.app_of(apps_of(set_up), app)
    door, store = door_of(set_up), set_up.store()
    address = webhook_address or set_up.webhook_address
    onboard.check_place(market, zone)
    if not no_webhooks:
        subscribe.check_address(address)
    list(connect.known_shops(store))  # the table answers: a code is used up by what follows
    code = consent.ask(service_id, region, consent_host, chosen)
    grant = onboard.exchange(door, chosen, code)
    found = onboard.authorised(door, chosen, grant.tokens)
    shops, problems = onboard.planned(store, found, grant, chosen, wanted, market, zone)
    busy = onboard.connect_all(store, door, shops, grant.tokens)
    problems += [f"Shop {shop_id} is in use by a sweep: connect again." for shop_id in busy]
    connected = [shop for shop in shops if shop.shop_id not in busy]
    names = {shop.shop_id: shop.name for shop in found}
    for shop in connected:
        click.echo(f"connected {shop.shop_id} {names[shop.shop_id]}: {shop.market}, {shop.zone}")
        if chosen.shops and shop.shop_id not in chosen.shops:
            problems.append(
                f"The sources' secret does not let the app speak for shop {shop.shop_id}: add it "
                'to the account\'s "shops", or its webhooks stay in quarantine.'
            )
    problems += lacking(grant.tokens)
    if not no_webhooks:
        problems += webhooks(door, chosen, grant.tokens, connected, address, take_over)
        tell_console_topics(address)
    finish(problems)
    click.echo("The next sweep reads what changed within the last thirty days.")


def lacking(tokens: Tokens) -> Iterator[str]:
    """What can't be done for want of scopes; of those we can do without, only a word."""
    for scope in onboarding.missing_scopes(tokens.scopes) if tokens.scopes else ():
        if scope.needed:
            yield (
                f"The scope {scope.name} was not granted ({scope.use}): add it to the app in "
                "Partner Center, then connect again."
            )
        else:
            click.echo(f"not granted: {scope.name} ({scope.use})")


def webhooks(
    door: Door,
    app: Account,
    tokens: Tokens,
    shops: Iterable[Shop],
    address: str,
    take_over: bool,
) -> list[str]:
    """Register the topics of shops; what is wrong with them."""
    problems: list[str] = []
    for shop in shops:
        try:
            done = subscribe.subscribe(door, app, tokens, shop, address, take_over)
        except OnboardError as error:
            problems.append(f"No webhooks for shop {shop.shop_id}. {error}")
            continue
        told = f"{len(done.registered)} of {len(onboarding.TOPICS)} topics come to {address}"
        click.echo(f"webhooks of {shop.shop_id}: {told}")
        problems += [
            f"Topic {topic} of shop {shop.shop_id} is sent to {at}: take it over with "
            f"`shipclock shops webhooks {shop.shop_id} --take-over` if nothing needs it there."
            for topic, at in done.foreign.items()
        ]
        problems += [
            f"Topic {topic} of shop {shop.shop_id} is not registered: {why}"
            for topic, why in done.failed.items()
        ]
    return problems


def tell_console_topics(address: str) -> None:
    """Which topics only a person can switch on."""
    topics = ", ".join(f"{name} ({number})" for number, name in onboarding.CONSOLE_TOPICS.items())
    click.echo(
        f"Switch these on in Partner Center, with the address {address}, for no call registers "
        f"them: {topics}."
    )


def finish(problems: list[str]) -> None:
    """Tell what went wrong; raises `OnboardError` where anything did."""
    if problems:
        raise OnboardError("Not all is well:\n" + "\n".join(f"- {text}" for text in problems))


@group.command("webhooks")
@click.argument("shop_ids", nargs=-1)
@STACK
@ADDRESS
@TAKE_OVER
def webhooks_command(
    shop_ids: tuple[str, ...], stack: str | None, webhook_address: str, take_over: bool
) -> None:
    """Register the webhooks of connected shops (all, or SHOP_IDS) anew."""
    set_up = operate.set_up(stack)
    door, store, apps = door_of(set_up), set_up.store(), apps_of(set_up)
    address = webhook_address or set_up.webhook_address
    problems: list[str] = []
    for shop in chosen_shops(store, shop_ids):
        app, tokens = access(store, apps, shop)
        problems += webhooks(door, app, tokens, [shop], address, take_over)
    tell_console_topics(address)
    finish(problems)


def chosen_shops(store: Store, shop_ids: Iterable[str]) -> list[Shop]:
    """The connected shops, or those of these ids; raises `OnboardError` where one is not known."""
    every = {shop.shop_id: shop for shop, _ in connect.known_shops(store)}
    wanted = list(shop_ids) or [name for name, shop in every.items() if shop.connected]
    for shop_id in wanted:
        if shop_id not in every:
            raise unknown(shop_id)
    return [every[shop_id] for shop_id in wanted]


def unknown(shop_id: str) -> OnboardError:
    """What is told of a shop that there is not."""
    return OnboardError(
        f"There is no shop {shop_id}; `shipclock shops list` tells which there are."
    )


def access(store: Store, apps: Iterable[Account], shop: Shop) -> tuple[Account, Tokens]:
    """What calls for a shop are signed and admitted with; raises `OnboardError`."""
    row = store.get(rows.authorisation_key(shop.authorisation))
    if row is None:
        raise OnboardError(f"Shop {shop.shop_id} has no tokens: connect it again.")
    return onboard.app_of(apps, shop.app_key), codec.read_tokens(row)


# List, set, disconnect


@group.command("list")
@STACK
@TABLE
def list_command(stack: str | None, table: str | None) -> None:
    """List the shops ever connected."""
    store = operate.open_store(table, stack)
    for shop, _ in connect.known_shops(store):
        row = store.get(rows.authorisation_key(shop.authorisation))
        tokens = codec.read_tokens(row) if row else None
        click.echo(f"{shop.shop_id}  {'connected' if shop.connected else 'DISCONNECTED'}")
        for name, value in described(shop, tokens):
            click.echo(f"    {name:<18}{value}")


def described(shop: Shop, tokens: Tokens | None) -> Iterator[tuple[str, str]]:
    """What a person wants to know of a shop; no token, cipher or secret among it."""
    yield "market, zone", f"{shop.market}, {shop.zone}"
    yield "app", shop.app_key
    yield "default provider", shop.default_provider or "(none)"
    yield "handover method", shop.handover_method
    yield "hand-marked", "yes" if shop.hand_marked else "no"
    yield "self-delivered", "yes" if shop.self_delivered else "no"
    yield "policy pack", shop.pack or "(its market's)"
    yield "automatic", ", ".join(shop.automatic) or "(nothing)"
    if shop.escalation:
        yield "escalation", shop.escalation
    if shop.closed:
        yield "closed", ", ".join(shop.closed)
    if shop.versions:
        yield "versions", ", ".join(f"{name}={pin}" for name, pin in shop.versions.items())
    access_ends = tokens.access_expires_at if tokens else None
    ends_at = tokens.refresh_expires_at if tokens else None
    yield "access until", stamp(access_ends) if access_ends else "(not known)"
    yield "authorised until", stamp(ends_at) if ends_at else "(not known)"


@group.command("set")
@click.argument("shop_id")
@STACK
@TABLE
@click.option("--market", help="Which calls and packs there are for it.")
@click.option("--zone", help="IANA name of its time zone.")
@click.option("--default-provider", help='Id of who ships what no carrier name fits; "" for none.')
@click.option("--handover-method", type=click.Choice(["PICKUP", "DROP_OFF"]))
@click.option("--hand-marked/--no-hand-marked", default=None, help="Marked as shipped by hand.")
@click.option(
    "--self-delivered/--no-self-delivered", default=None, help="Its own tracking events are taken."
)
@click.option(
    "--automatic",
    help="What goes out without a person, comma-joined: cancellation, refund, buyer_message, "
    'approve_cancellation; "" for nothing.',
)
@click.option("--pack", help='The policy pack of its orders; "" for its market\'s.')
@click.option(
    "--closed",
    help="Days on which nobody works, comma-joined: 2026-12-25 or 2026-12-24/2026-12-26; "
    '"" for none.',
)
@click.option(
    "--escalation",
    help='How it is told that a cancellation nears: hours=level,…; off; "" for as usual.',
)
@click.option("--versions", help='Calls pinned to a version, as name=yyyymm,…; "" for none.')
def set_command(shop_id: str, stack: str | None, table: str | None, **given: Any) -> None:
    """Change settings of a shop; its open orders are looked at again."""
    changes = {name: value for name, value in given.items() if value is not None}
    if "automatic" in changes:
        changes["automatic"] = tuple(filter(None, changes["automatic"].split(",")))
    if "closed" in changes:
        changes["closed"] = tuple(filter(None, changes["closed"].split(",")))
    if "versions" in changes:
        pairs = [word.partition("=") for word in changes["versions"].split(",") if word]
        changes["versions"] = {name: version for name, _, version in pairs}
    if not changes:
        raise OnboardError("Nothing was given to change; `shipclock shops set --help` lists it.")
    store = operate.open_store(table, stack)

    def change(shop: Shop) -> Shop:
        return onboard.settings_changed(shop, changes)

    shop = connect.change_shop(store, shop_id, change, real())
    if shop is None:
        raise unknown(shop_id)
    told = ", ".join(f"{name.replace('_', '-')} {value!s}" for name, value in changes.items())
    click.echo(f"{shop_id}: {told}")
    if changes.get("automatic"):
        click.echo("What stands prepared of open orders goes out with the next sweeps, too.")


@group.command("disconnect")
@click.argument("shop_id")
@STACK
@ADDRESS
@click.option("--keep-webhooks", is_flag=True, help="Leave its webhooks registered.")
@click.confirmation_option(prompt="Nothing is read or pushed for the shop from then on. Go on?")
def disconnect_command(
    shop_id: str, stack: str | None, webhook_address: str, keep_webhooks: bool
) -> None:
    """Call a shop no more, and have its webhooks sent no more; its clocks go on."""
    set_up = operate.set_up(stack)
    store = set_up.store()
    (shop,) = chosen_shops(store, [shop_id])
    problems: list[str] = []
    if shop.connected and not keep_webhooks:
        address = webhook_address or set_up.webhook_address
        problems = remove_webhooks(set_up, store, shop, address)
    row = store.get((rows.shop_pk(shop_id), rows.LANE))
    text = (
        f"Shop {shop_id} was disconnected by hand. Clocks and alerts go on from what is known. "
        f"{connect.CONNECT_AGAIN}"
    )
    if not shop.connected or row is None:
        click.echo(f"{shop_id} was not connected")
    elif connect.disconnect(store, codec.read_shop(row), row, real(), real(), text):
        click.echo(f"{shop_id} is disconnected; the seller ends the authorisation in Seller Center")
    else:
        problems.append("The shop changed in the same moment: do it again.")
    finish(problems)


def remove_webhooks(set_up: operate.SetUp, store: Store, shop: Shop, address: str) -> list[str]:
    """Have a shop's topics sent to us no more; what could not be removed."""
    try:
        app, tokens = access(store, apps_of(set_up), shop)
        failed = subscribe.unsubscribe(door_of(set_up), app, tokens, shop, address)
    except OnboardError as error:
        return [f"The webhooks of shop {shop.shop_id} are still registered. {error}"]
    return [f"Topic {topic} is still registered: {why}" for topic, why in failed.items()]
