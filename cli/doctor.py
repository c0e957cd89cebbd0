"""`shipclock doctor`: look at a set-up from all sides and name every fault, with its mending.

Reads only: it renews no token, registers nothing and settles nothing. What it says never holds a
secret, a token or a cipher.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli import checks, operate
from cli.facts import Facts, Finding, Secret, ShopFacts, SourceFacts
from cli.shops import ADDRESS, STACK, door_of
from shipclock import codec, connect, rows
from shipclock.domain.times import parse
from shipclock.due import DueRows
from shipclock.marketplaces.protocol import Call, Kind, Outcome, Shop, Tokens
from shipclock.marketplaces.tiktok_shop import onboarding
from shipclock.notify.destinations import destinations_of
from shipclock.onboard import Door
from shipclock.ports import HttpRequest, NoAnswer, NotSent, Store, StoreError, StoreRefused
from shipclock.reading import Unreadable
from shipclock.silence import read_heard
from shipclock.sources import SOURCES, Account, accounts_of

COUNTED = 1_000
"""More deliveries in quarantine than this are not counted."""

LOOKED_BACK = timedelta(minutes=10)


@dataclass(slots=True)
class Doctor:
    """Gathers the facts about one set-up. Whatever can't be had is left out, never guessed."""

    set_up: operate.SetUp
    door: Door
    address: str
    skew: timedelta = timedelta(0)
    lists: dict[str, tuple[Outcome, tuple[onboarding.Authorised, ...] | None]] = field(
        default_factory=dict
    )

    def gather(self) -> Facts:
        """All facts, as they stand now."""
        sources = self._secret("SourcesSecret")
        facts = Facts(
            at=self.door.real(),
            outputs=self.set_up.outputs,
            parameters=self.set_up.parameters,
            address=self.address,
            sources=sources,
            hub=self._secret("HubSecret"),
            destinations=self._secret("DestinationsSecret"),
            sweeps=self._sweeps(),
            listeners=self._listeners(),
        )
        facts = self._ring(facts)
        return self._look_into_table(facts, _accounts(sources))

    def _secret(self, output: str) -> Secret:
        name = self.set_up.outputs.get(output)
        if not name:
            return Secret()  # the missing output is what is told
        try:
            client = self.set_up.client("secretsmanager")
            found = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
        except (ClientError, BotoCoreError) as error:
            return Secret(fault=operate.fault_of(error))
        except (KeyError, ValueError, RecursionError):
            return Secret(fault="it is no JSON")
        if not isinstance(found, dict):
            return Secret(fault="it is no JSON object")
        return Secret(found)

    def _ring(self, facts: Facts) -> Facts:
        """Ask at the door as a stranger: ingest must be there and refuse us. A local stack has no
        address that the marketplace could take, so it is asked at its own."""
        address = self.set_up.webhook_address if self.set_up.local else self.address
        if not address:
            return facts
        try:
            reply = self.door.wire.send(HttpRequest("POST", address, {}))
        except (NoAnswer, NotSent) as silence:
            return replace(facts, ingest_fault=str(silence))
        return replace(facts, ingest=reply.status)

    def _listeners(self) -> tuple[int, int] | None:
        """Who hears the alarms; not asked of a local stack, where nobody does."""
        topic = self.set_up.outputs.get("TopicArn")
        if self.set_up.local or not topic:
            return None
        try:
            found = self.set_up.client("sns").list_subscriptions_by_topic(TopicArn=topic)
        except (ClientError, BotoCoreError):
            return None
        arns = [str(one.get("SubscriptionArn", "")) for one in found.get("Subscriptions", ())]
        confirmed = sum(arn.startswith("arn:") for arn in arns)
        return confirmed, len(arns) - confirmed

    def _sweeps(self) -> int | None:
        """How many minute sweeps ended lately, by the gauge that each of them reports."""
        if self.set_up.local:
            return None
        until = self.door.real()
        service = f"{self.set_up.stack}-sweeper"
        try:
            found = self.set_up.client("cloudwatch").get_metric_statistics(
                Namespace="Shipclock",
                MetricName="OldestDueSeconds",
                Dimensions=[{"Name": "service", "Value": service}],
                StartTime=until - LOOKED_BACK,
                EndTime=until,
                Period=int(LOOKED_BACK.total_seconds()),
                Statistics=["SampleCount"],
            )
        except (ClientError, BotoCoreError):
            return None
        return int(sum(point["SampleCount"] for point in found.get("Datapoints", ())))

    # The table, and the marketplace for each shop in it

    def _look_into_table(self, facts: Facts, accounts: Iterable[Account]) -> Facts:
        if not self.set_up.outputs.get("TableName"):
            return facts
        apps = {account.name: account for account in accounts}
        try:
            store = self.set_up.store()
            left = DueRows(store, facts.at).left(facts.at)
            shops = [shop for shop, _ in connect.known_shops(store)]
            facts = replace(
                facts,
                oldest_due=timedelta(seconds=left.oldest_seconds),
                quarantined=store.count(rows.QUARANTINE, COUNTED),
                shops=tuple(self._shop(store, shop, apps.get(shop.app_key)) for shop in shops),
                speakers=tuple(_speakers(store, facts.sources)),
                health={
                    one.name: store.get(rows.destination_key(one.name)) or {}
                    for one in destinations_of(facts.destinations.value or {}).all
                },
                untold=store.count(rows.UNTOLD, COUNTED),
            )
        except (StoreError, StoreRefused) as fault:
            return replace(facts, table_fault=str(fault))
        return replace(facts, skew=self.skew)

    def _shop(self, store: Store, shop: Shop, app: Account | None) -> ShopFacts:
        row = store.get(rows.authorisation_key(shop.authorisation))
        search = store.get(connect.reconcile_key(shop.shop_id)) or {}
        found = ShopFacts(
            shop,
            tokens=codec.read_tokens(row) if row else None,
            renewal_due=_instant(row) if row else None,
            renewal_broken=bool(row and ("broken" in row or "renewer" in row)),
            search_failures=int(search.get("failures", 0)),
        )
        if app is None or found.tokens is None or not shop.connected:
            return found
        listed, authorised = self._listed(shop, app, found.tokens)
        if listed.kind is not Kind.OK:
            return replace(found, answers=(listed,))
        hooks = self._ask(onboarding.list_webhooks(), app, found.tokens, shop.cipher)
        topics = None
        if hooks.kind is Kind.OK:
            try:
                topics = onboarding.read_webhooks(hooks)
            except Unreadable as error:
                hooks = _odd(error)
        return replace(found, answers=(listed, hooks), authorised=authorised, topics=topics)

    def _listed(
        self, shop: Shop, app: Account, tokens: Tokens
    ) -> tuple[Outcome, tuple[onboarding.Authorised, ...] | None]:
        """The shops of an authorisation, asked for once whichever shop comes first."""
        if shop.authorisation not in self.lists:
            outcome = self._ask(onboarding.authorised_shops(), app, tokens)
            found = None
            if outcome.kind is Kind.OK:
                try:
                    found = onboarding.read_shops(outcome)
                except Unreadable as error:
                    outcome = _odd(error)
            self.lists[shop.authorisation] = outcome, found
        return self.lists[shop.authorisation]

    def _ask(self, call: Call, app: Account, tokens: Tokens, cipher: str = "") -> Outcome:
        said = self.door.ask(call, app, tokens, cipher)
        if abs(said.skew) > abs(self.skew):
            self.skew = said.skew
        return said.outcome


def _odd(error: Unreadable) -> Outcome:
    return Outcome(Kind.REFUSED, reason=f"an answer that can't be read: {error}")


def _accounts(secret: Secret, source: str = onboarding.NAME) -> tuple[Account, ...]:
    try:
        return accounts_of(secret.value or {}, source)
    except ValueError:
        return ()


def _speakers(store: Store, secret: Secret) -> Iterator[SourceFacts]:
    """The accounts that have been heard of since anybody takes note of it."""
    for source in SOURCES:
        for account in _accounts(secret, source):
            row = store.get(rows.source_key(source, account.name))
            if row is not None:
                yield SourceFacts(source, account.name, read_heard(row))


def _instant(row: Mapping[str, Any]) -> datetime | None:
    """When a row is due."""
    told = str(row.get("due_at", "")).removeprefix("0#")
    return parse(told) if told else None


# The command


@click.command("doctor")
@STACK
@ADDRESS
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(stack: str | None, webhook_address: str, as_json: bool) -> None:
    """Name every fault of a set-up and how to mend it; exit status 1 where there is one."""
    try:
        set_up = operate.set_up(stack)
        address = webhook_address or set_up.webhook_address
        found = checks.diagnose(Doctor(set_up, door_of(set_up), address).gather())
    except operate.OperateError as error:
        found = [Finding("stack_unreadable", "the stack", str(error), "Then look again.")]
    click.echo(_json(found) if as_json else _text(found))
    if any(finding.fault for finding in found):
        raise SystemExit(1)


def _json(found: list[Finding]) -> str:
    faults = sum(finding.fault for finding in found)
    told = {"ok": not faults, "faults": faults, "findings": [asdict(one) for one in found]}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _text(found: list[Finding]) -> str:
    lines = [
        f"{'FAULT' if one.fault else 'note '}  {one.about}: {one.what}\n       {one.mend}"
        for one in found
    ]
    faults = sum(one.fault for one in found)
    end = f"{faults} fault{'s' * (faults > 1)}." if faults else "No fault was found."
    return "\n".join([*lines, end])
