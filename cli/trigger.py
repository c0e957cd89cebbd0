"""`shipclock trigger`: has the local stack's own marketplace play a scenario."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import click

from cli import local, processes
from cli.demo import SHOP_ID as DEMO_SHOP
from cli.play import DIRECT, stamped
from cli.player import Ground, Player, TriggerError, filled
from cli.scenarios import BY_NAME, SCENARIOS, Reconnect, Scenario
from cli.shows import in_words
from sandbox.shops import SHOP_FLAGS
from shipclock import connect
from shipclock.adapters.dynamodb import DynamoStore
from shipclock.adapters.http import HttpWire
from shipclock.marketplaces.protocol import Hosts, Shop, Tokens
from shipclock.marketplaces.tiktok_shop import onboarding
from shipclock.onboard import Door
from shipclock.ports import Store
from shipclock.shops import shop_of
from shipclock.sources import Account

__all__ = ["TriggerError", "command"]

ANSWERS_IN_S = 90


@dataclass(slots=True)
class LocalGround:
    """The running local stack, from what its `stack.json` tells."""

    told: Mapping[str, Any]
    store: Store = field(init=False)
    functions: Any = field(init=False)

    def __post_init__(self) -> None:
        endpoint = self.told["aws_endpoint"]
        self.store = DynamoStore(local.local_client("dynamodb", endpoint), self.told["table_name"])
        self.functions = local.local_client("lambda", endpoint)

    @property
    def door(self) -> Door:
        """See `Ground`."""
        hosts = Hosts(self.told["marketplace_url"], self.told["marketplace_url"])
        return Door(HttpWire(), hosts, self.now, self.rest)

    @property
    def app(self) -> Account:
        """See `Ground`."""
        return Account(self.told["tiktok"]["app_key"], (self.told["tiktok"]["app_secret"],))

    @property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """See `Ground`."""
        found: Mapping[str, Mapping[str, Any]] = self.told["sources"]
        return found

    def now(self) -> datetime:
        """See `Ground`."""
        return datetime.now(UTC)

    def rest(self, seconds: float) -> None:
        """See `Ground`."""
        time.sleep(seconds)

    def market(self, call: str, words: Mapping[str, Any]) -> dict[str, Any]:
        """See `Ground`."""
        url = f"{self.told['marketplace_url']}/_sandbox/{call}"
        status, body = _sent(url, {"content-type": "application/json"}, json.dumps(words).encode())
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise TriggerError(f"The sandbox does not play {call}: {answer.get('error')}.")
        return answer

    def ring(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """See `Ground`."""
        return _sent(f"{self.told['ingest_url']}/webhooks/{path}", headers, body)[0]

    def sweep(self, now: datetime) -> None:
        """See `Ground`."""
        event = {"time": stamped(now), "source": "aws.scheduler"}
        reply = self.functions.invoke(
            FunctionName=self.told["sweeper_function"], Payload=json.dumps(event)
        )
        told = reply["Payload"].read().decode()
        if reply.get("FunctionError"):
            raise TriggerError(f"The sweeper failed: {told}. See .local/cloud.log.")

    def page(self, order_id: str) -> dict[str, Any] | None:
        """See `Ground`."""
        headers = {"authorization": f"Bearer {self.told['hub_token']}"}
        status, body = _sent(f"{self.told['hub_url']}/api/orders/{order_id}", headers)
        if status == 404:
            return None
        if status != 200:
            raise TriggerError(f"The hub answered {status}; .local/cloud.log tells why.")
        found: dict[str, Any] = json.loads(body)
        return found


def _sent(url: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, bytes]:
    """One request on this machine; raises `TriggerError` where nobody answers."""
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310  our own 127.0.0.1
    try:
        with DIRECT.open(request, timeout=ANSWERS_IN_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        raise TriggerError(
            f"{url} does not answer ({error}): start the stack anew with `make up`."
        ) from None


def ground_here() -> LocalGround:
    """The local stack, if scenarios may be played on it; raises `TriggerError`, saying why not."""
    described = local.STATE_DIR / "stack.json"
    if not described.exists() or not local.is_running(local.STATE_DIR):
        raise TriggerError(
            "No local stack runs here: start one with `make up`. Scenarios are played on a local "
            "stack with its own sandbox and nowhere else: they make orders, revoke tokens and have "
            "the marketplace fail."
        )
    told: dict[str, Any] = json.loads(described.read_text())
    running = processes.load(local.STATE_DIR / "processes.json")
    if all(one.name != "sandbox" for one in running):
        raise TriggerError(
            f"This stack calls {told['marketplace_url']}, which is not ours to play with. Start "
            "one with its own sandbox: `make up` without MARKETPLACE_URL."
        )
    if told["tiktok"]["shop_id"] == DEMO_SHOP:
        raise TriggerError(
            "The stack that runs here has played the sixteen days of `make run`, whose clock is "
            "not the real one. End it, then start an empty one with `make up`."
        )
    return LocalGround(told)


# Which shop


def choose_shop(ground: Ground, scenario: Scenario, shop_id: str, market: str) -> str:
    """The shop to play in: the one named, else one that fits, else one made for it."""
    shops = {str(row["id"]): row for row in ground.market("shops", {})["shops"]}
    if shop_id:
        return _named(ground, scenario, shops, shop_id, market)
    first = next(iter(shops.values()), {"market": local.MARKET})
    fits = (market,) if market else (first["market"], *scenario.markets)
    wanted = next((m for m in fits if not scenario.markets or m in scenario.markets), "")
    _check_market(scenario, wanted or market)
    for found, row in shops.items():
        if not scenario.fresh and row["market"] == wanted and _ready(ground, scenario, found, row):
            return found
    return _made(ground, scenario, wanted)


def _check_market(scenario: Scenario, market: str) -> None:
    if market not in onboarding.MARKETS:
        markets = ", ".join(sorted(onboarding.MARKETS))
        raise TriggerError(f"There is no market {market!r}; there are {markets}.")
    if scenario.markets and market not in scenario.markets:
        raise TriggerError(
            f"{scenario.name} is not played in {market}: only in {', '.join(scenario.markets)}. "
            "Leave --market and --shop out, and a shop that fits is found or made."
        )


def _named(
    ground: Ground, scenario: Scenario, shops: Mapping[str, Any], shop_id: str, market: str
) -> str:
    row = shops.get(shop_id)
    if row is None:
        raise TriggerError(f"The sandbox has no shop {shop_id}; it has {', '.join(shops)}.")
    if market not in ("", row["market"]):
        raise TriggerError(f"Shop {shop_id} is in {row['market']}, not in {market}.")
    _check_market(scenario, row["market"])
    shop = shop_of(ground.store, shop_id)
    again = any(isinstance(step, Reconnect) for step in scenario.steps)
    if shop is None or not (shop.connected or again):
        raise TriggerError(
            f"Shop {shop_id} is not connected: "
            f"`shipclock trigger authorised-again --shop {shop_id} --watch` connects it."
        )
    _set_up(ground, scenario, shop_id)
    return shop_id


def _ready(ground: Ground, scenario: Scenario, shop_id: str, row: Mapping[str, Any]) -> bool:
    """Whether a shop can be played in as it stands."""
    shop = shop_of(ground.store, shop_id)
    plain = all(row[flag] == scenario.flags.get(flag, False) for flag in SHOP_FLAGS)
    return plain and not row["revoked"] and shop is not None and shop.connected


def _set_up(ground: Ground, scenario: Scenario, shop_id: str) -> None:
    if scenario.flags:
        ground.market("set_shop", {"shop_id": shop_id, **scenario.flags})
    if scenario.settings:

        def change(shop: Shop) -> Shop:
            return replace(shop, **scenario.settings)

        connect.change_shop(ground.store, shop_id, change, ground.now())


def _made(ground: Ground, scenario: Scenario, market: str) -> str:
    """A new shop of the stack's app, at the sandbox and connected here."""
    made = local.made_up_shop()
    access, refresh = (f"ROW_{secrets.token_urlsafe(24)}" for _ in range(2))
    shop = Shop(
        shop_id=made["shop_id"],
        marketplace=onboarding.NAME,
        market=market,
        zone=onboarding.zone_of(market),
        app_key=ground.app.name,
        cipher=made["shop_cipher"],
        authorisation=made["shop_id"],
        **scenario.settings,
    )
    told = {
        "shop_id": shop.shop_id,
        "cipher": shop.cipher,
        "market": market,
        "app_key": shop.app_key,
        "app_secret": ground.app.secrets[0],
        "access_token": access,
        "refresh_token": refresh,
        # Whoever takes the webhooks posts them to the stack's own address.
        "webhook_url": "http://127.0.0.1/webhooks/tiktok",
        "name": f"Made for {scenario.name}",
        **scenario.flags,
    }
    ground.market("add_shop", told)
    connect.connect_shop(ground.store, shop, Tokens(access, refresh), ground.now(), heal=False)
    return shop.shop_id


# The command


def scenario_of(name: str) -> Scenario:
    """The scenario of a name; raises `TriggerError` naming the nearest where there is none."""
    if name not in BY_NAME:
        near = get_close_matches(name, BY_NAME, n=3, cutoff=0.5)
        near += [known for known in BY_NAME if name and name in known and known not in near]
        hint = f"Near it: {', '.join(near)}. " if near else ""
        raise TriggerError(
            f"There is no scenario {name!r}. {hint}`shipclock trigger` lists them all."
        )
    return BY_NAME[name]


def listed() -> Iterator[str]:
    """A line per scenario."""
    width = max(map(len, BY_NAME))
    for scenario in SCENARIOS:
        only = f" [{', '.join(scenario.markets)}]" if len(scenario.markets) == 1 else ""
        yield f"{scenario.name:<{width}}  {scenario.line}{only}"


@click.command("trigger")
@click.argument("name", metavar="[SCENARIO]", required=False)
@click.option("--shop", "shop_id", default="", help="Play it in this shop of the sandbox.")
@click.option("--market", default="", help="Play it in a shop of this market, such as BR.")
@click.option("--watch", is_flag=True, help="Sweep and wait until what it is about shows.")
def command(name: str | None, shop_id: str, market: str, watch: bool) -> None:
    """Have the local stack's sandbox play SCENARIO, or list the scenarios.

    Webhooks and carriers' callbacks are signed and really sent to the stack of `make up`.
    """
    if name is None:
        for line in listed():
            click.echo(line)
        return
    scenario = scenario_of(name)
    ground = ground_here()
    chosen = choose_shop(ground, scenario, shop_id, market.upper())
    shop = shop_of(ground.store, chosen)
    click.echo(f"{scenario.name}: {scenario.line}")
    click.echo(f"  shop      {chosen} ({shop.market if shop else '?'})")
    player = Player(ground, lambda text: click.echo(f"  {text}"), chosen)
    player.play(scenario)
    missing = player.watch(scenario.shows) if watch else []
    for line in _where(ground.told, player.names, scenario):
        click.echo(line)
    if missing:
        raise TriggerError(
            f"After {scenario.seconds} s there is still lacking: {'; '.join(missing)}. "
            ".local/cloud.log tells what the functions did."
        )
    expected = "; ".join(in_words(filled(scenario.shows, player.names)))
    when = "As expected" if watch else "To expect within a minute or so, or at once with --watch"
    click.echo(f"{when}: {expected}.")


def _where(told: Mapping[str, Any], names: Mapping[str, str], scenario: Scenario) -> Iterator[str]:
    """Where to look now, and what one may do next."""
    order_id = names.get("order")
    if order_id:
        yield f"Look at order {order_id}:"
        yield f"  curl -H 'Authorization: Bearer {told['hub_token']}' \\"
        yield f"    {told['hub_url']}/api/orders/{order_id}"
        yield f"  shipclock push list {order_id}"
    if scenario.then:
        yield "Then perhaps:"
        yield from (f"  {line.format_map(names)}" for line in scenario.then)
