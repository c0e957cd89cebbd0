"""The doctor: each fault by itself from facts alone, then a set-up with all of them planted."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from click.testing import CliRunner

from cli import __main__ as entry
from cli import checks, doctor, operate
from cli.checks import OUTPUTS, diagnose
from cli.doctor import Doctor
from cli.facts import Facts, Finding, Secret, ShopFacts, SourceFacts
from sandbox.shops import Shop as SandboxShop
from shipclock import rows
from shipclock.connect import attach_shop, connect_shop, reconcile_key, store_tokens
from shipclock.marketplaces.protocol import Hosts, Kind, Outcome, Shop, Tokens
from shipclock.marketplaces.tiktok_shop.onboarding import SCOPES, TOPICS, Authorised
from shipclock.onboard import Door
from shipclock.ports import (
    Change,
    HttpReply,
    HttpRequest,
    NoAnswer,
    NotSent,
    Put,
    Store,
    StoreError,
)
from shipclock.reading import digest
from shipclock.silence import HOUR, Heard
from tests.stage import APP_KEY, APP_SECRET, HOSTS, REAL, SHOP_ID, TOKENS, Stage

OURS = "https://hooks.example/webhooks/tiktok"
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
GOOD_SECRET = Secret({"tiktok_shop": [{"account": APP_KEY, "secrets": [APP_SECRET]}]})
SHOP = Shop(
    SHOP_ID, "tiktok_shop", "MY", "Asia/Kuala_Lumpur", APP_KEY, "GCP_cipher", "sandbox-open-id"
)
HELD = Tokens(
    "TTP_access_1", "TTP_refresh_1", REAL + DAY, REAL + 90 * DAY, tuple(s.name for s in SCOPES)
)
OK = Outcome(Kind.OK)
GOOD_SHOP = ShopFacts(
    SHOP,
    HELD,
    REAL + DAY / 2,
    answers=(OK, OK),
    authorised=(Authorised(SHOP_ID, "", "MY", "GCP_cipher"),),
    topics=dict.fromkeys(TOPICS, OURS),
)
GOOD = Facts(
    at=REAL,
    outputs=dict.fromkeys(OUTPUTS, "x"),
    parameters={"ScheduleState": "ENABLED", "TimeTravel": "off"},
    address=OURS,
    sources=GOOD_SECRET,
    hub=Secret({"role": "owner", "token": "t"}),
    shops=(GOOD_SHOP,),
    ingest=400,
    oldest_due=timedelta(0),
    sweeps=10,
    quarantined=0,
    listeners=(1, 0),
)


def codes(found: list[Finding]) -> list[str]:
    return [finding.code for finding in found]


def with_shop(**changes: Any) -> Facts:
    return replace(GOOD, shops=(replace(GOOD_SHOP, **changes),))


def refused(code: int, kind: Kind = Kind.MISCONFIGURED, reason: str = "refused") -> Facts:
    return with_shop(answers=(Outcome(kind, code=code, reason=reason),))


def renamed(**changes: Any) -> Facts:
    return with_shop(shop=replace(SHOP, **changes))


def accounts(listed: Any) -> Facts:
    return replace(GOOD, sources=Secret({"tiktok_shop": listed}))


def topics(**changes: str) -> Facts:
    return with_shop(topics={**GOOD_SHOP.topics, **changes})  # type: ignore[dict-item]


def heard(ago: timedelta, source: str = "easypost", days: int = 7, **parameters: str) -> Facts:
    """A source that paused for twenty hours at most was heard that long ago."""
    pauses = {f"2026-11-{day:02}": 20 * 3600 for day in range(1, 1 + days)}
    said = SourceFacts(source, "default", Heard(REAL - ago, pauses))
    return replace(GOOD, speakers=(said,), parameters={**GOOD.parameters, **parameters})


SILENT = timedelta(hours=41)
"""Twice its longest pause, and the hour to which it is known when it was heard."""

ERP: dict[str, Any] = {
    "kind": "webhook",
    "url": "https://erp.example.com/x",
    "secrets": ["whsec_MDEyMzQ1Njc4"],
}
GONE = digest(ERP["url"])[:20]


def telling(listed: Any, **health: Any) -> Facts:
    """People are told at these destinations, and that is how it goes with them."""
    return replace(GOOD, destinations=Secret({"destinations": listed}), health=health)


NO_SCOPE = replace(HELD, scopes=HELD.scopes[1:])

FAULTS: list[tuple[str, Facts, str, str]] = [
    (
        "an output is missing",
        replace(GOOD, outputs={n: "x" for n in OUTPUTS[1:]}),
        "output_missing",
        "deploy",
    ),
    ("the table fails", replace(GOOD, table_fault="Denied", shops=None), "table_unreadable", ""),
    (
        "the schedule is off",
        replace(GOOD, parameters={"ScheduleState": "DISABLED"}),
        "schedule_off",
        "ENABLED",
    ),
    ("late", replace(GOOD, oldest_due=timedelta(minutes=10, seconds=1)), "sweeper_late", "log"),
    ("no sweep", replace(GOOD, sweeps=0), "sweeper_silent", "schedule"),
    ("quarantine", replace(GOOD, quarantined=1), "quarantine", "replay"),
    ("nobody hears", replace(GOOD, listeners=(0, 0)), "alarms_unheard", "AlertMail"),
    ("not confirmed", replace(GOOD, listeners=(0, 1)), "alarms_unheard", "Confirm the mail"),
    ("ingest 404", replace(GOOD, ingest=404), "ingest_silent", "app of tiktok_shop"),
    ("ingest 503", replace(GOOD, ingest=503), "ingest_silent", "sources' secret"),
    ("ingest 200", replace(GOOD, ingest=200), "ingest_silent", "log"),
    (
        "ingest away",
        replace(GOOD, ingest=None, ingest_fault="no connection"),
        "ingest_silent",
        "log",
    ),
    (
        "no secret",
        replace(GOOD, sources=Secret(fault="ResourceNotFoundException")),
        "sources_secret",
        "JSON object",
    ),
    ("silent source", heard(SILENT), "source_silent", "Look there"),
    (
        "silent marketplace",
        heard(SILENT, "tiktok_shop"),
        "source_silent",
        "`shipclock shops webhooks`",
    ),
    ("malformed", accounts("x"), "account_malformed", '"secrets"'),
    ("an entry is none", accounts([7]), "account_malformed", '"secrets"'),
    (
        "no secret of it",
        accounts([{"account": APP_KEY, "secrets": []}]),
        "account_without_secret",
        "",
    ),
    (
        "a host is none",
        accounts([{"account": APP_KEY, "secrets": [APP_SECRET], "proof_hosts": ["https://x"]}]),
        "proof_hosts_malformed",
        "without https",
    ),
    (
        "all hosts",
        accounts([{"account": APP_KEY, "secrets": [APP_SECRET], "proof_hosts": ["*"]}]),
        "proof_hosts_malformed",
        "images.example.net",
    ),
    (
        "hosts are no list",
        accounts([{"account": APP_KEY, "secrets": [APP_SECRET], "proof_hosts": "a.example"}]),
        "proof_hosts_malformed",
        "",
    ),
    (
        "an empty secret",
        accounts([{"account": APP_KEY, "secrets": ["", None]}]),
        "account_without_secret",
        "",
    ),
    ("app gone", accounts([{"account": "z", "secrets": ["s"]}]), "app_without_secret", "secret"),
    (
        "limited",
        accounts([{"account": APP_KEY, "secrets": ["s"], "shops": ["1"]}]),
        "app_may_not_speak",
        "shops",
    ),
    ("hub", replace(GOOD, hub=Secret(fault="it is no JSON")), "hub_secret", "JSON object"),
    ("hub empty", replace(GOOD, hub=Secret({})), "hub_secret", "role"),
    ("hub list", replace(GOOD, hub=Secret({"tokens": "x"})), "hub_secret", "role"),
    (
        "hub role",
        replace(GOOD, hub=Secret({"tokens": [{"token": "t", "role": "boss"}]})),
        "hub_secret",
        "owner",
    ),
    (
        "hub token",
        replace(GOOD, hub=Secret({"tokens": [{"token": "", "role": "owner"}]})),
        "hub_secret",
        "token",
    ),
    ("no shop", replace(GOOD, shops=()), "no_shop", "shops connect"),
    ("disconnected", renamed(connected=False), "shop_disconnected", "shops connect"),
    ("market", renamed(market="ZZ"), "market_unknown", "--market"),
    ("zone", renamed(zone="Asia/Nowhere"), "zone_unknown", "--zone"),
    ("search", with_shop(search_failures=3), "reconcile_failing", "reconcile.failed"),
    ("no tokens", with_shop(tokens=None), "tokens_missing", "shops connect"),
    (
        "expired",
        with_shop(tokens=replace(HELD, access_expires_at=REAL)),
        "token_expired",
        "shops connect",
    ),
    (
        "overdue",
        with_shop(renewal_due=REAL - timedelta(minutes=30, seconds=1)),
        "renewal_overdue",
        "token.refused",
    ),
    (
        "ends",
        with_shop(tokens=replace(HELD, refresh_expires_at=REAL + 30 * DAY)),
        "authorisation_ends",
        "shops connect",
    ),
    (
        "ended",
        with_shop(tokens=replace(HELD, refresh_expires_at=REAL - DAY)),
        "authorisation_ends",
        "shops connect",
    ),
    ("scope", with_shop(tokens=NO_SCOPE), "scope_missing", "Partner Center"),
    ("scope refused", refused(105005), "scope_missing", "Partner Center"),
    ("token refused", refused(36009004, Kind.EXPIRED, "bad token"), "token_refused", "sweep"),
    ("deauthorised", refused(105001, Kind.DEAUTHORISED), "token_refused", "shops connect"),
    ("secret", refused(106001), "app_secret_wrong", "first into"),
    ("address", refused(36009033), "address_not_allowed", "allow-list"),
    ("other shop", refused(101000), "cipher_wrong", "shops connect"),
    ("timestamp", refused(36009004, reason="x: invalid timestamp"), "clock_skew", "time server"),
    ("silent", refused(0, Kind.UNCLEAR), "marketplace_silent", "MarketplaceUrl"),
    ("refused", refused(999, Kind.REFUSED), "call_refused", "Read"),
    ("not covered", with_shop(authorised=()), "shop_not_authorised", "shops connect"),
    ("cipher", renamed(cipher="GCP_other"), "cipher_wrong", "shops connect"),
    ("ahead", replace(GOOD, skew=timedelta(seconds=60)), "clock_skew", "time server"),
    ("behind", replace(GOOD, skew=timedelta(seconds=-61)), "clock_skew", "time server"),
    ("topic", topics(PACKAGE_UPDATE=""), "topic_missing", "shops webhooks"),
    (
        "elsewhere",
        topics(PACKAGE_UPDATE="https://other.example/webhooks/tiktok"),
        "topic_elsewhere",
        "--take-over",
    ),
    (
        "not https",
        topics(PACKAGE_UPDATE="http://hooks.example/webhooks/tiktok"),
        "topic_not_https",
        "--take-over",
    ),
    ("path", topics(PACKAGE_UPDATE="https://hooks.example/tiktok"), "topic_wrong_path", ""),
    ("odd", topics(PACKAGE_UPDATE="https://[x"), "topic_elsewhere", "--take-over"),
    (
        "the destinations' secret can't be read",
        replace(GOOD, destinations=Secret(fault="AccessDenied")),
        "destinations_secret",
        "may read it",
    ),
    ("a destination is malformed", telling({"bad": 1}), "destination_malformed", "seven days"),
    (
        "a destination leads to the function's own machine",
        telling({"erp": {**ERP, "url": "http://127.0.0.1:9001/x"}}),
        "destination_local",
        "public https",
    ),
    (
        "a destination does not answer",
        telling({"erp": ERP}, erp={"failures": 2, "since": "x", "reason": "it answered 500"}),
        "destination_failing",
        "notify test erp",
    ),
    (
        "a destination is gone",
        telling({"erp": ERP}, erp={"failures": 1, "gone": GONE}),
        "destination_gone",
        "new address",
    ),
    ("a message was given up", replace(GOOD, untold=3), "messages_given_up", "notify again"),
]


def test_a_good_set_up_has_no_finding() -> None:
    assert diagnose(GOOD) == []
    hosts = ["images.example.net", "*.example.org"]
    listed = [{"account": APP_KEY, "secrets": [APP_SECRET], "proof_hosts": hosts}]
    assert diagnose(accounts(listed)) == []


@pytest.mark.parametrize(("facts", "code", "mend"), [row[1:] for row in FAULTS])
def test_each_fault_is_named_with_its_mending_and_no_other_is(
    facts: Facts, code: str, mend: str
) -> None:
    faults = [finding for finding in diagnose(facts) if finding.fault]
    secret_gone = {"account_without_secret"} if code == "account_without_secret" else set()
    extra = {"app_without_secret"} if secret_gone else set()
    assert set(codes(faults)) - extra == {code}
    found = next(finding for finding in faults if finding.code == code)
    assert mend in found.mend
    assert found.what.endswith((".", ".\n"))


@pytest.mark.parametrize(
    "facts",
    [
        replace(GOOD, oldest_due=timedelta(minutes=10)),
        replace(GOOD, oldest_due=None, sweeps=None, quarantined=None, listeners=None, ingest=None),
        replace(GOOD, ingest=401),
        heard(SILENT - timedelta(seconds=1)),
        heard(SILENT, SilenceHours="48"),
        heard(14 * DAY, days=6),
        replace(GOOD, listeners=(1, 3)),
        replace(GOOD, skew=timedelta(seconds=59)),
        replace(GOOD, skew=timedelta(seconds=-59)),
        with_shop(search_failures=2),
        with_shop(renewal_due=REAL - timedelta(minutes=30)),
        with_shop(renewal_due=None),
        with_shop(tokens=replace(HELD, access_expires_at=REAL + timedelta(seconds=1))),
        with_shop(tokens=replace(HELD, refresh_expires_at=REAL + 30 * DAY + timedelta(seconds=1))),
        with_shop(tokens=replace(HELD, access_expires_at=None, refresh_expires_at=None, scopes=())),
        with_shop(topics=None, authorised=None, answers=()),
        replace(GOOD, sources=Secret()),
        replace(GOOD, shops=None),
        telling({"erp": ERP, "topic": {"kind": "topic", "off": True}}, erp={"failures": 0}),
        telling({"erp": ERP}, erp={"failures": 0, "gone": "of another address"}),
        telling({"erp": {**ERP, "shops": [SHOP.shop_id]}}),
        replace(GOOD, untold=0),
    ],
)
def test_what_is_right_or_not_known_is_no_fault(facts: Facts) -> None:
    assert diagnose(facts) == []


def test_what_is_only_worth_a_look_is_no_fault() -> None:
    lacks = with_shop(tokens=replace(HELD, scopes=HELD.scopes[:-1]))
    odd = replace(GOOD, sources=Secret({**GOOD_SECRET.value, "tiktok": []}))  # type: ignore[dict-item]
    travel = replace(GOOD, parameters={"TimeTravel": "on"})
    strange = telling({"erp": {**ERP, "shops": ["7499"]}})
    for facts in (lacks, odd, travel, strange):
        assert [finding.fault for finding in diagnose(facts)] == [False]


def test_of_a_disconnected_shop_only_that_is_told() -> None:
    gone = replace(
        GOOD_SHOP,
        shop=replace(SHOP, connected=False),
        tokens=None,
        authorised=(),
        topics={},
        answers=(Outcome(Kind.REFUSED),),
        search_failures=9,
    )
    assert codes(diagnose(replace(GOOD, shops=(gone,)))) == ["shop_disconnected"]


# A set-up with everything planted


class Cloud:
    """What the doctor asks AWS."""

    def __init__(self) -> None:
        self.secrets: dict[str, str | ClientError] = {}
        self.subscriptions: list[str] = []
        self.sweeps: list[float] = []
        self.down = False

    def __call__(self, service: str) -> "Cloud":
        return self

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        found = self.secrets[SecretId]
        if isinstance(found, ClientError):
            raise found
        return {"SecretString": found}

    def list_subscriptions_by_topic(self, TopicArn: str) -> dict[str, Any]:
        if self.down:
            raise EndpointConnectionError(endpoint_url="https://sns.example")
        return {"Subscriptions": [{"SubscriptionArn": arn} for arn in self.subscriptions]}

    def get_metric_statistics(self, **terms: Any) -> dict[str, Any]:
        assert terms["Dimensions"] == [{"Name": "service", "Value": "s-sweeper"}]
        if self.down:
            raise EndpointConnectionError(endpoint_url="https://cloudwatch.example")
        return {"Datapoints": [{"SampleCount": count} for count in self.sweeps]}


class Outside:
    """The way out: the sandbox for calls, an answer of our own for our own address."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ingest: HttpReply | Exception = HttpReply(400, {}, b"")
        self.late = timedelta(0)
        self.codes: dict[str, tuple[int, str]] = {}

    def send(self, request: HttpRequest) -> HttpReply:
        if request.url.startswith("https://hooks.example"):
            if isinstance(self.ingest, Exception):
                raise self.ingest
            return self.ingest
        date = {"date": format_datetime(self.stage.real.now - self.late, usegmt=True)}
        for token, (code, message) in self.codes.items():
            if request.headers.get("x-tts-access-token") == token:
                told = {"code": code, "message": message, "data": None}
                return HttpReply(200, date, json.dumps(told).encode())
        reply = self.stage.wire.send(request)
        return replace(reply, headers={**reply.headers, **date})


class Examined:
    """A stage, its cloud, and a doctor."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.cloud = Cloud()
        self.outside = Outside(self.stage)
        self.outputs = {name: name for name in OUTPUTS} | {"IngestUrl": "https://hooks.example"}
        self.parameters = {"ScheduleState": "ENABLED"}
        self.cloud.secrets = {
            "SourcesSecret": json.dumps(dict(GOOD_SECRET.value or {})),
            "HubSecret": json.dumps({"role": "owner", "token": "t"}),
            "DestinationsSecret": "{}",
        }
        self.cloud.subscriptions = ["arn:aws:sns:x"]
        self.cloud.sweeps = [10.0]
        self.store: Store = self.stage.memory
        told = replace(HELD, access_token=TOKENS.access_token)
        assert connect_shop(self.store, self.stage.shop(), told, REAL)
        for topic in TOPICS:
            self.stage.sandbox.shops[0].topics[topic] = {"event_type": topic, "address": OURS}

    def set_up(self) -> operate.SetUp:
        examined = self

        class Set(operate.SetUp):
            def store(self) -> Store:
                return examined.store

        return Set("s", False, self.outputs, self.parameters, self.cloud)

    def door(self) -> Door:
        return Door(self.outside, HOSTS, self.stage.real, self.stage.real.sleep)

    def found(self) -> list[Finding]:
        return diagnose(Doctor(self.set_up(), self.door(), OURS).gather())


def another(examined: Examined, number: int, **changes: Any) -> SandboxShop:
    """One more shop, with tokens of its own in the sandbox and here."""
    shop_id = f"749{number:016d}"
    shop = SandboxShop(
        shop_id,
        f"GCP_{number}",
        "MY",
        APP_KEY,
        APP_SECRET,
        f"TTP_access_x{number}",
        f"TTP_refresh_x{number}",
        (REAL + 7 * DAY).timestamp(),
        (REAL + 365 * DAY).timestamp(),
    )
    examined.stage.sandbox.add_shop(shop)
    for topic in TOPICS:
        shop.topics[topic] = {"event_type": topic, "address": OURS}
    words = {"shop_id": shop_id, "cipher": shop.cipher, "authorisation": f"auth-{number}"}
    tokens = changes.pop("tokens", HELD)
    kept = replace(tokens, access_token=shop.access_token, refresh_token=shop.refresh_token)
    store_tokens(examined.store, examined.stage.shop(**words | changes), kept, REAL)
    assert attach_shop(examined.store, examined.stage.shop(**words | changes), REAL)
    return shop


def test_a_good_set_up_is_found_good() -> None:
    examined = Examined()
    examined.stage.sweep()
    assert examined.found() == []


def test_everything_that_is_planted_is_named() -> None:
    examined = Examined()
    stage, outside = examined.stage, examined.outside
    del examined.outputs["HubUrl"]
    examined.parameters |= {"ScheduleState": "DISABLED"}
    examined.cloud.secrets = {
        "SourcesSecret": json.dumps(
            {
                "tiktok_shop": [
                    {"account": APP_KEY, "secrets": [APP_SECRET]},
                    {"account": "unfinished", "secrets": []},
                ],
                "easypost": "x",
            }
        ),
        "HubSecret": "not json",
        "DestinationsSecret": "{}",
    }
    examined.cloud.subscriptions = ["PendingConfirmation"]
    examined.cloud.sweeps = []
    outside.ingest = HttpReply(503, {}, b"")
    outside.late = timedelta(seconds=90)

    another(examined, 11, connected=False)
    another(examined, 12, market="ZZ", zone="Asia/Nowhere")
    another(examined, 13, app_key="nobody")
    another(examined, 14, tokens=replace(HELD, access_expires_at=REAL + MINUTE))
    another(examined, 15, tokens=replace(HELD, refresh_expires_at=REAL + 9 * DAY))
    another(examined, 16, tokens=replace(HELD, scopes=("seller.order.info",)))
    another(examined, 17, cipher="GCP_changed")
    gone = another(examined, 18)
    gone.shop_id = "7490000000000000099"  # the list names another shop under this token
    for number, code, message in (
        (19, 106001, "sign is invalid"),
        (20, 36009033, "caller IP not on the allow list"),
        (21, 36009004, "invalid timestamp"),
        (22, 36009004, "access token is not known"),
        (23, 36009003, "internal"),
        (24, 999, "odd"),
    ):
        another(examined, number)
        outside.codes[f"TTP_access_x{number}"] = (code, message)
    hooks = another(examined, 25)
    del hooks.topics["PACKAGE_UPDATE"]
    hooks.topics["ORDER_STATUS_CHANGE"]["address"] = "https://other.example/hook"
    hooks.topics["RETURN_STATUS_CHANGE"]["address"] = "http://hooks.example/webhooks/tiktok"
    hooks.topics["INVOICE_STATUS_CHANGE"]["address"] = "https://hooks.example/elsewhere"
    failing = another(examined, 26)
    key = reconcile_key(failing.shop_id)
    stage.memory.write(Change(key, set={"failures": 5}))
    missing = stage.shop(shop_id="7490000000000000027", authorisation="auth-27")
    attach_shop(stage.memory, missing, REAL)
    stage.memory.write(
        Put(
            {
                "pk": "DELIVERY#tiktok_shop#x#y",
                "sk": rows.DELIVERY,
                "board_pk": rows.QUARANTINE,
                "board_at": "2026",
                "received_at": "2026",
                "reason": "odd",
            }
        )
    )
    stage.real.pass_time(3600)
    found = examined.found()
    assert set(codes(found)) >= {
        *("output_missing", "schedule_off", "sweeper_late", "sweeper_silent", "quarantine"),
        *("alarms_unheard", "ingest_silent", "account_without_secret", "account_malformed"),
        *("hub_secret", "shop_disconnected", "market_unknown", "zone_unknown"),
        *("app_without_secret", "reconcile_failing", "tokens_missing", "token_expired"),
        *("renewal_overdue", "authorisation_ends", "scope_missing", "app_secret_wrong"),
        *("address_not_allowed", "clock_skew", "token_refused", "marketplace_silent"),
        *("call_refused", "shop_not_authorised", "cipher_wrong", "topic_missing"),
        *("topic_elsewhere", "topic_not_https", "topic_wrong_path"),
    }
    about = {(finding.code, finding.about) for finding in found}
    assert ("app_secret_wrong", f"shop 749{19:016d}") in about
    assert ("topic_missing", f"topic PACKAGE_UPDATE of shop {hooks.shop_id}") in about
    told = repr(found)
    words = [APP_SECRET, "TTP_", "GCP_", "ROW_"]
    assert not [word for word in words if word in told]
    renewals = [call for call in stage.sandbox.calls if "token" in call.path]
    assert renewals == [], "the doctor only looks"


def test_a_secret_that_is_not_there_and_a_table_that_fails_are_named() -> None:
    examined = Examined()
    denied = ClientError(
        {"Error": {"Code": "ResourceNotFoundException", "Message": "account 123456789012"}},
        "GetSecretValue",
    )
    examined.cloud.secrets["SourcesSecret"] = denied

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise StoreError("ResourceNotFoundException")

    examined.store = Broken()
    found = examined.found()
    assert set(codes(found)) == {"sources_secret", "table_unreadable"}
    assert "123456789012" not in repr(found)


@pytest.mark.parametrize("error", [NoAnswer("no answer within ten"), NotSent("no connection")])
def test_an_ingest_that_is_away_is_named(error: Exception) -> None:
    examined = Examined()
    examined.outside.ingest = error
    assert codes(examined.found()) == ["ingest_silent"]


def test_no_shop_is_named_and_what_aws_does_not_tell_is_left_out() -> None:
    examined = Examined()
    examined.cloud.down = True
    examined.store = Stage().memory
    examined.store.rows.clear()
    assert codes(examined.found()) == ["no_shop"]


def test_a_marketplace_whose_lists_cannot_be_read_is_named() -> None:
    examined = Examined()
    for path in ("shops", "webhooks"):

        class Wire:
            odd = path

            def send(self, request: HttpRequest) -> HttpReply:
                if self.odd in request.url.partition("?")[0] and "hooks.example" not in request.url:
                    told = {"code": 0, "data": {"shops": "x", "webhooks": "x"}}
                    return HttpReply(200, {}, json.dumps(told).encode())
                return examined.outside.send(request)

        door = replace(examined.door(), wire=Wire())
        facts = Doctor(examined.set_up(), door, OURS).gather()
        assert codes(diagnose(facts)) == ["call_refused"]


def test_the_shops_of_one_authorisation_are_listed_once() -> None:
    examined = Examined()
    words = {"shop_id": "7490000000000000031", "cipher": "GCP_31"}
    attach_shop(examined.store, examined.stage.shop(**words), REAL)
    examined.found()
    paths = [call.path for call in examined.stage.sandbox.calls]
    assert paths.count("/authorization/202309/shops") == 1


def test_a_source_that_never_sent_much_and_is_silent_is_a_note() -> None:
    (found,) = diagnose(heard(14 * DAY + timedelta(hours=1), days=6))
    assert (found.code, found.fault) == ("source_silent", False)


def test_the_sources_that_have_stopped_are_named_by_their_rows() -> None:
    examined = Examined()
    examined.cloud.secrets["SourcesSecret"] = json.dumps(
        {
            "tiktok_shop": [{"account": APP_KEY, "secrets": [APP_SECRET]}],
            "easypost": [{"account": "default", "secrets": ["a"]}],
            "shippo": "x",
            "standard_webhooks": [
                {"account": "north 3pl", "secrets": ["a"]},
                {"account": "south 3pl", "secrets": ["a"]},
            ],
        }
    )
    for source, account, ago in (
        ("easypost", "default", HOUR),
        ("easypost", "gone", 20 * DAY),
        ("standard_webhooks", "north 3pl", 20 * DAY),
    ):
        pk, sk = rows.source_key(source, account)
        told = {"source": source, "account": account, "pauses": {"2026-11-01": 0}}
        at = (REAL - ago).isoformat()
        examined.store.write(Put({"pk": pk, "sk": sk, "heard_at": at, **told}))
    silent = [one for one in examined.found() if one.code == "source_silent"]
    assert [one.about for one in silent] == ["source standard_webhooks, account north 3pl"]
    assert "for 20 days, since 2026-11-03T12:00:00Z." in silent[0].what


# The command


@pytest.mark.parametrize("fault", [False, True])
@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_tells_and_its_status_says_whether_there_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, fault: bool, as_json: bool
) -> None:
    examined = Examined()
    if fault:
        examined.outside.ingest = HttpReply(404, {}, b"")
    monkeypatch.setattr(operate, "set_up", lambda stack: examined.set_up())
    monkeypatch.setattr(doctor, "door_of", lambda _: examined.door())
    result = CliRunner().invoke(entry.main, ["doctor", *(["--json"] if as_json else [])])
    assert result.exit_code == int(fault)
    if as_json:
        told = json.loads(result.output)
        assert (told["ok"], told["faults"]) == (not fault, int(fault))
        assert [one["code"] for one in told["findings"]] == ["ingest_silent"] * fault
    else:
        assert ("FAULT" in result.output) is fault
        assert ("No fault was found." in result.output) is not fault


def test_a_stack_that_cannot_be_read_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def set_up(stack: str | None) -> operate.SetUp:
        raise operate.OperateError("Stack s can't be read (AccessDenied): check its name.")

    monkeypatch.setattr(operate, "set_up", set_up)
    result = CliRunner().invoke(entry.main, ["doctor", "--stack", "s", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output)["findings"][0]["code"] == "stack_unreadable"


# Where a set-up is


class Described:
    """CloudFormation, as far as it is asked."""

    def __init__(self, answer: Mapping[str, Any] | Exception) -> None:
        self.answer = answer

    def describe_stacks(self, StackName: str) -> Mapping[str, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_stack_names_its_outputs_its_hosts_and_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    described = {
        "Outputs": [{"OutputKey": "IngestUrl", "OutputValue": "https://a.example/"}],
        "Parameters": [{"ParameterKey": "AuthUrl", "ParameterValue": "https://auth.example"}],
    }
    client = Described({"Stacks": [described]})
    monkeypatch.setattr(operate, "_aws_client", lambda service: client)
    found = operate.set_up("s")
    assert found.webhook_address == "https://a.example/webhooks/tiktok"
    assert found.hosts == Hosts("https://open-api.tiktokglobalshop.com", "https://auth.example")
    with pytest.raises(operate.OperateError, match="no output TableName"):
        found.store()


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks"),
        EndpointConnectionError(endpoint_url="https://cloudformation.example"),
    ],
)
def test_a_stack_that_is_not_to_be_had_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(operate, "_aws_client", lambda service: Described(error))
    with pytest.raises(operate.OperateError, match="Stack s can't be read"):
        operate.set_up("s")


@pytest.mark.parametrize("text", ["", "x", "[]", '"x"'])
def test_a_sources_secret_that_is_no_object_is_told_without_its_text(text: str) -> None:
    cloud = Cloud()
    cloud.secrets = {"arn": text}
    found = operate.SetUp("s", False, {"SourcesSecret": "arn"}, {}, cloud)
    with pytest.raises(operate.OperateError, match="no JSON object"):
        found.sources_secret()
    cloud.secrets = {"arn": json.dumps({"easypost": []})}
    assert found.sources_secret() == {"easypost": []}


def test_every_check_is_made() -> None:
    assert len(set(checks.CHECKS)) == len(checks.CHECKS) == 14
