"""What can be wrong with a stack and its secrets. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from cli import shop_checks
from cli.facts import Check, Facts, Finding
from shipclock.domain.times import stamp
from shipclock.hub import ROLES
from shipclock.imagelinks import pattern_of
from shipclock.notify.destinations import LOOPBACK, Destination, destinations_of
from shipclock.notify.health import address_digest
from shipclock.silence import FLOOR, HOUR, span
from shipclock.sources import MARKETPLACES, SOURCES, accounts_of

OUTPUTS = (
    *("IngestUrl", "HubUrl", "TableName", "SourcesSecret", "HubSecret", "TopicArn"),
    *("SweeperFunction", "IngestFunction", "DestinationsSecret"),
)
LATE = timedelta(minutes=10)
"""When what is due is late: as the stack's own alarm has it."""

ALIVE = (400, 401)
"""What ingest answers a request that is empty or unsigned: it is there and knows its senders."""


def diagnose(facts: Facts) -> list[Finding]:
    """Everything that is wrong, faults first."""
    found = [finding for check in CHECKS for finding in check(facts)]
    return sorted(dict.fromkeys(found), key=lambda finding: not finding.fault)


# The stack


def stack(facts: Facts) -> Iterator[Finding]:
    """Outputs, table, schedule."""
    for name in OUTPUTS:
        if not facts.outputs.get(name):
            yield Finding(
                "output_missing",
                f"output {name}",
                "The stack does not name it.",
                "Deploy this version: `make build`, then `make deploy`.",
            )
    if facts.table_fault:
        yield Finding(
            "table_unreadable",
            "the table",
            f"It can't be read: {facts.table_fault}.",
            "Check the table and that your credentials may read it.",
        )
    if facts.parameters.get("ScheduleState") == "DISABLED":
        yield Finding(
            "schedule_off",
            "the schedule",
            "The minute sweep is off: no clock runs out by itself.",
            "Deploy with ScheduleState=ENABLED.",
        )
    if facts.parameters.get("TimeTravel") == "on" and "https" in facts.address:
        yield Finding(
            "time_travel",
            "the sweeper",
            "It takes any time for the present one.",
            "Deploy with TimeTravel=off, unless this stack is only for rehearsals.",
            fault=False,
        )


def sweeper(facts: Facts) -> Iterator[Finding]:
    """Whether sweeps are made, and come to an end of what is due."""
    if facts.oldest_due is not None and facts.oldest_due > LATE:
        minutes = int(facts.oldest_due.total_seconds() // 60)
        yield Finding(
            "sweeper_late",
            "the sweeper",
            f"Something has been due for {minutes} minutes.",
            "Check that the schedule is on; read the sweeper's log lines sweep.left and *.failing.",
        )
    if facts.sweeps == 0:
        yield Finding(
            "sweeper_silent",
            "the sweeper",
            "No minute sweep has ended within the last ten minutes.",
            "Check that the schedule is on, and read the sweeper's log.",
        )
    if facts.quarantined:
        yield Finding(
            "quarantine",
            "the quarantine",
            f"Deliveries wait for a person: {facts.quarantined}.",
            "`shipclock replay` lists them with their reasons; after a fix, replay them.",
        )


def alarms(facts: Facts) -> Iterator[Finding]:
    """Whether anybody hears the alarms."""
    if facts.listeners is None or facts.listeners[0]:
        return
    waiting = facts.listeners[1]
    yield Finding(
        "alarms_unheard",
        "the alarms' topic",
        "No subscription is confirmed: nobody hears alarms and notices.",
        "Confirm the mail that AWS sent."
        if waiting
        else "Deploy with AlertMail, or subscribe to the topic in the outputs.",
    )


def ingest(facts: Facts) -> Iterator[Finding]:
    """Whether webhooks find somebody at the door."""
    if facts.ingest_fault or (facts.ingest is not None and facts.ingest not in ALIVE):
        told = facts.ingest_fault or f"HTTP {facts.ingest}"
        meant = {
            404: "Put an app of tiktok_shop with its secret into the sources' secret.",
            503: "Mend the sources' secret, and check that ingest may read it.",
        }
        yield Finding(
            "ingest_silent",
            "the webhook address",
            f"{facts.address or 'It'} does not answer as it should: {told}.",
            meant.get(facts.ingest or 0, "Read the ingest function's log, and check the address."),
        )


def speakers(facts: Facts) -> Iterator[Finding]:
    """Whether the senders that normally speak still do, by the rule of the sweeper's own alarm."""
    floor = timedelta(hours=int(facts.parameters.get("SilenceHours", FLOOR / HOUR)))
    for one in facts.speakers:
        if facts.at < one.heard.silent_at(floor):
            continue
        mend = "Look there whether our webhook is still on, and have what was missed sent again."
        if one.source in MARKETPLACES:
            mend = "Register its webhooks anew: `shipclock shops webhooks`."
        yield Finding(
            "source_silent",
            f"source {one.source}, account {one.account}",
            f"Nothing has come from it for {span(facts.at - one.heard.at)}, since "
            f"{stamp(one.heard.at)}.",
            mend,
            fault=one.heard.habitual,
        )


# Secrets


def sources_secret(facts: Facts) -> Iterator[Finding]:
    """Who may send to us."""
    if facts.sources.fault:
        yield _unusable("sources_secret", "the sources' secret", facts.sources.fault)
    for name, listed in (facts.sources.value or {}).items():
        about = f"source {name} in the sources' secret"
        if name not in SOURCES:
            yield Finding(
                "source_unknown",
                about,
                "There is no such source.",
                f"Use one of {', '.join(SOURCES)}, or take it out.",
                fault=False,
            )
            continue
        try:
            accounts_of({name: listed}, name)
        except ValueError:
            yield Finding(
                "account_malformed",
                about,
                "It is no list of accounts.",
                'Write [{"account": "…", "secrets": ["…"]}].',
            )
            continue
        for entry in listed:
            if not any(isinstance(word, str) and word for word in entry["secrets"]):
                yield Finding(
                    "account_without_secret",
                    f"account {entry.get('account', 'default')!s} of {about}",
                    "It has no secret, so nothing from it is taken.",
                    "Put its secret there, or take the account out.",
                )
            yield from proof_hosts(f"account {entry.get('account', 'default')!s} of {about}", entry)


def proof_hosts(about: str, entry: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the hosts that pictures may be fetched from are ones."""
    listed = entry.get("proof_hosts", [])
    for pattern in listed if isinstance(listed, list) else [None]:
        try:
            pattern_of(pattern)
        except ValueError:
            yield Finding(
                "proof_hosts_malformed",
                about,
                f"Its proof_hosts hold {pattern!r}, which is no host."
                if isinstance(pattern, str)
                else "Its proof_hosts are no list of hosts.",
                'Write ["images.example.net", "*.example.org"]: names of hosts, without https.',
            )


def hub_secret(facts: Facts) -> Iterator[Finding]:
    """Who may read."""
    if facts.hub.fault:
        yield _unusable("hub_secret", "the hub's secret", facts.hub.fault)
    if facts.hub.value is None:
        return
    listed = facts.hub.value.get("tokens", [facts.hub.value])
    entries = listed if isinstance(listed, list) else []
    good = [entry for entry in entries if isinstance(entry, dict) and _may_read(entry)]
    if len(good) < len(entries) or not entries:
        yield Finding(
            "hub_secret",
            "the hub's secret",
            f"{len(entries) - len(good)} of {len(entries)} entries are of no use.",
            f'Each needs {{"token": "…", "role": "…"}} with a role of {", ".join(ROLES)}.',
        )


def destinations(facts: Facts) -> Iterator[Finding]:
    """Whether people can be told."""
    if facts.destinations.fault:
        yield _unusable("destinations_secret", "the destinations' secret", facts.destinations.fault)
    found = destinations_of(facts.destinations.value or {})
    for problem in found.problems:
        yield Finding(
            "destination_malformed",
            "the destinations' secret",
            f"{problem}.",
            "Mend it as docs/notifications.md shows. What waits for it is kept for seven days.",
        )
    for one in found.all:
        yield from _destination(facts, one)
    if facts.untold:
        yield Finding(
            "messages_given_up",
            "messages to people",
            f"Given up after many tries: {facts.untold}.",
            "`shipclock notify list` says why. Mend their destination, then `shipclock notify "
            "again`.",
        )


def _destination(facts: Facts, one: Destination) -> Iterator[Finding]:
    about, health = f"destination {one.name}", facts.health.get(one.name, {})
    if one.entry.url.startswith(LOOPBACK) and facts.address.startswith("https"):
        yield Finding(
            "destination_local",
            about,
            "It leads to 127.0.0.1, which only a local stack calls.",
            "Give it a public https address.",
        )
    if health.get("gone") == address_digest(one) and one.entry.url:
        yield Finding(
            "destination_gone",
            about,
            "It answered 410: it is gone for good, and nothing is sent to it.",
            "Put its new address into the destinations' secret, or take it out.",
        )
    elif health.get("failures"):
        yield Finding(
            "destination_failing",
            about,
            f"It has taken nothing since {health.get('since')}: {health.get('reason')}.",
            f"Mend it, and see with `shipclock notify test {one.name}` that it works.",
        )
    known = {each.shop.shop_id for each in facts.shops or ()}
    if facts.shops is not None and (strange := sorted(set(one.entry.shops or ()) - known)):
        yield Finding(
            "destination_shops",
            about,
            f"It is to be told of shops that are not connected: {', '.join(strange)}.",
            "Name shops as `shipclock shops list` shows them.",
            fault=False,
        )


def _may_read(entry: Mapping[str, Any]) -> bool:
    token = entry.get("token")
    return isinstance(token, str) and bool(token) and entry.get("role") in ROLES


def _unusable(code: str, about: str, fault: str) -> Finding:
    mend = "Put a JSON object there as docs/configuration.md shows, and check that you may read it."
    return Finding(code, about, f"It can't be used: {fault}.", mend)


CHECKS: tuple[Check, ...] = (
    stack,
    sources_secret,
    hub_secret,
    destinations,
    *shop_checks.CHECKS,
    ingest,
    speakers,
    sweeper,
    alarms,
)
