"""Connecting shops as an operator does it: the steps on a sandbox, and the commands around them."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as command
from cli import operate, shops
from sandbox.faults import Fault
from sandbox.shops import Shop as SandboxShop
from shipclock import codec, connect, onboard, rows, subscribe
from shipclock.connect import connect_shop
from shipclock.marketplaces.protocol import Shop, Tokens
from shipclock.marketplaces.tiktok_shop import onboarding
from shipclock.marketplaces.tiktok_shop.onboarding import TOPICS, Authorised
from shipclock.onboard import Door, OnboardError
from shipclock.ports import Change, HttpReply, HttpRequest, NoAnswer, Store
from shipclock.rules.calendar import Span
from shipclock.rules.packs import policy_for
from shipclock.sources import Account
from tests.stage import APP_KEY, APP_SECRET, HOSTS, REAL, SHOP_ID, TOKENS, Stage

OURS = "https://hooks.example/webhooks/tiktok"
THEIRS = "https://elsewhere.example/hooks"
OTHER_APP = "synthkey0002"
APP = Account(APP_KEY, (APP_SECRET,))
SECOND = "7490000000000000002"


def shop_of(stage: Stage, shop_id: str = SHOP_ID) -> Shop:
    row = stage.memory.get((rows.shop_pk(shop_id), rows.LANE))
    assert row is not None
    return codec.read_shop(row)


def door_of(stage: Stage) -> Door:
    return Door(stage.wire, HOSTS, stage.real, stage.real.sleep)


def second_shop(stage: Stage, market: str = "SG", **changes: Any) -> None:
    """Another shop of the same consent; its consent's tokens are its own in the sandbox."""
    first = stage.sandbox.shops[0]
    told = {
        "shop_id": SECOND,
        "cipher": "GCP_second",
        "market": market,
        "app_key": APP_KEY,
        "app_secret": APP_SECRET,
        "access_token": first.access_token,
        "refresh_token": first.refresh_token,
        "access_expires_at": first.access_expires_at,
        "refresh_expires_at": first.refresh_expires_at,
        **changes,
    }
    stage.sandbox.add_shop(SandboxShop(**told))


def topics(stage: Stage, shop: int = 0) -> dict[str, Any]:
    return {name: row["address"] for name, row in stage.sandbox.shops[shop].topics.items()}


# The steps


def test_a_code_becomes_tokens_shops_and_webhooks() -> None:
    stage = Stage()
    door, code = door_of(stage), stage.sandbox.grant(SHOP_ID)
    grant = onboard.exchange(door, APP, code)
    found = onboard.authorised(door, APP, grant.tokens)
    planned, problems = onboard.planned(stage.store, found, grant, APP)
    assert problems == []
    assert onboard.connect_all(stage.store, door, planned, grant.tokens) == []
    done = subscribe.subscribe(door, APP, grant.tokens, planned[0], OURS)
    assert done.whole
    assert done.registered == TOPICS
    assert topics(stage) == dict.fromkeys(TOPICS, OURS)
    assert shop_of(stage).authorisation == f"sandbox-open-id-{SHOP_ID}"
    row = stage.memory.get(rows.authorisation_key(shop_of(stage).authorisation))
    assert row is not None
    assert codec.read_tokens(row).access_token == stage.sandbox.shops[0].access_token
    assert codec.read_tokens(row).refresh_expires_at is not None
    stage.real.pass_time(60)
    stage.settle_down()


def test_shops_of_one_consent_share_one_row_of_tokens() -> None:
    stage = Stage()
    second_shop(stage)
    door = door_of(stage)
    grant = onboard.exchange(door, APP, stage.sandbox.grant(SHOP_ID))
    told = [
        Authorised(SHOP_ID, "one", "MY", "GCP_synthetic_cipher"),
        Authorised(SECOND, "two", "SG", "GCP_second"),
    ]
    planned, _ = onboard.planned(stage.store, told, grant, APP)
    before = stage.memory.writes
    assert onboard.connect_all(stage.store, door, planned, grant.tokens) == []
    assert stage.memory.writes > before
    assert shop_of(stage).authorisation == shop_of(stage, SECOND).authorisation
    assert (shop_of(stage, SECOND).market, shop_of(stage, SECOND).zone) == ("SG", "Asia/Singapore")
    assert len([pk for pk in stage.memory.rows if pk.startswith("AUTH#sandbox")]) == 1


def test_the_row_of_an_earlier_authorisation_is_due_no_more() -> None:
    stage = Stage()
    ends_at = REAL + timedelta(hours=1)
    tokens = replace(TOKENS, access_expires_at=ends_at)
    assert connect_shop(stage.store, stage.shop(), tokens, REAL)
    door = door_of(stage)
    grant = onboard.exchange(door, APP, stage.sandbox.grant(SHOP_ID))
    found = onboard.authorised(door, APP, grant.tokens)
    planned, _ = onboard.planned(stage.store, found, grant, APP)
    onboard.connect_all(stage.store, door, planned, grant.tokens)
    old = stage.memory.get(rows.authorisation_key("seller-1"))
    assert old is not None
    assert "due_at" not in old


def test_a_lane_in_use_is_waited_for() -> None:
    stage = Stage()
    key = rows.shop_pk(SHOP_ID), rows.LANE
    until = codec.millis(stage.real.now + timedelta(seconds=70))
    stage.store.write(Change(key, set={"holder": "sweep", "lease_until": until}))
    assert onboard.connect_all(stage.store, door_of(stage), [stage.shop()], TOKENS) == []
    assert 70 <= stage.real.slept <= 80


def test_a_lane_that_stays_in_use_is_told_and_the_tokens_are_kept() -> None:
    stage = Stage()
    key = rows.shop_pk(SHOP_ID), rows.LANE
    until = codec.millis(stage.real.now + timedelta(hours=1))
    stage.store.write(Change(key, set={"holder": "sweep", "lease_until": until}))
    fresh = Tokens("TTP_new", "TTP_new_refresh")
    assert onboard.connect_all(stage.store, door_of(stage), [stage.shop()], fresh) == [SHOP_ID]
    row = stage.memory.get(rows.authorisation_key("seller-1"))
    assert row is not None
    assert codec.read_tokens(row) == fresh


def test_a_shop_that_stays_unconnected_is_not_the_one_that_renews() -> None:
    stage = Stage()
    key = rows.shop_pk(SHOP_ID), rows.LANE
    until = codec.millis(stage.real.now + timedelta(hours=1))
    stage.store.write(Change(key, set={"holder": "sweep", "lease_until": until}))
    shops = [stage.shop(), stage.shop(shop_id=SECOND, cipher="GCP_second")]
    assert onboard.connect_all(stage.store, door_of(stage), shops, TOKENS) == [SHOP_ID]
    row = stage.memory.get(rows.authorisation_key("seller-1"))
    assert row is not None
    assert row["shop_id"] == SECOND


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (Fault("code", "*/token/get", code=36009004, message="auth_code is not known"), 1),
        (Fault("no_answer", "*/token/get"), 1),
        (Fault("html", "*/token/get"), 1),
        (Fault("wrong_types", "*/token/get"), 1),
    ],
)
def test_a_code_is_sent_once_and_a_refusal_says_what_to_do(fault: Fault, tries: int) -> None:
    stage = Stage()
    code = stage.sandbox.grant(SHOP_ID)
    stage.sandbox.fail(fault)
    with pytest.raises(OnboardError, match=r"consent") as refusal:
        onboard.exchange(door_of(stage), APP, code)
    assert sum(c.path == "/api/v2/token/get" for c in stage.sandbox.calls) == tries
    for secret in (code, APP_SECRET):
        assert secret not in str(refusal.value)


@pytest.mark.parametrize("kind", ["rate_limit", "no_answer", "unavailable", "html", "truncated"])
def test_a_harmless_call_is_repeated_over_a_stumble(kind: str) -> None:
    stage = Stage()
    stage.sandbox.fail(Fault(kind, "*/shops", times=2))
    assert onboard.authorised(door_of(stage), APP, TOKENS)[0].shop_id == SHOP_ID
    stage.sandbox.fail(Fault(kind, "*/shops", times=3))
    with pytest.raises(OnboardError):
        onboard.authorised(door_of(stage), APP, TOKENS)


def test_an_empty_or_strange_list_of_shops_is_refused() -> None:
    stage = Stage()

    class Wire:
        answer = b'{"code": 0, "data": {"shops": []}}'

        def send(self, request: HttpRequest) -> HttpReply:
            return HttpReply(200, {}, self.answer)

    wire = Wire()
    door = replace(door_of(stage), wire=wire)
    with pytest.raises(OnboardError, match="covers no shop"):
        onboard.authorised(door, APP, TOKENS)
    wire.answer = b'{"code": 0, "data": {"shops": [{"id": 7}]}}'
    with pytest.raises(OnboardError, match="can't be read"):
        onboard.authorised(door, APP, TOKENS)


def test_what_the_marketplace_says_cannot_move_the_cursor_of_a_terminal() -> None:
    stage = Stage()
    stage.sandbox.shops[0].name = "Shop \x1b[2J\rall is well"
    (found,) = onboard.authorised(door_of(stage), APP, TOKENS)
    assert found.name == "Shop ?[2J?all is well"
    stage.sandbox.fail(Fault("code", "*/shops", code=999, message="\x1b]0;x\x07"))
    with pytest.raises(OnboardError) as error:
        onboard.authorised(door_of(stage), APP, TOKENS)
    assert str(error.value).isprintable()


# Webhooks


def test_a_topic_that_goes_elsewhere_is_taken_over_only_if_asked() -> None:
    stage = Stage()
    stage.sandbox.shops[0].topics["PACKAGE_UPDATE"] = {
        "event_type": "PACKAGE_UPDATE",
        "address": THEIRS,
    }
    door = door_of(stage)
    done = subscribe.subscribe(door, APP, TOKENS, stage.shop(), OURS)
    assert (done.whole, dict(done.foreign)) == (False, {"PACKAGE_UPDATE": THEIRS})
    assert len(done.registered) == len(TOPICS) - 1
    assert topics(stage)["PACKAGE_UPDATE"] == THEIRS
    assert subscribe.subscribe(door, APP, TOKENS, stage.shop(), OURS, take_over=True).whole
    assert topics(stage)["PACKAGE_UPDATE"] == OURS


def test_a_topic_that_is_refused_or_not_kept_is_told_and_the_others_go_on() -> None:
    stage = Stage()
    stage.sandbox.fail(Fault("code", "*/webhooks", method="PUT", code=105005, message="no"))

    class Forgets:
        def send(self, request: HttpRequest) -> HttpReply:
            reply = stage.wire.send(request)
            stage.sandbox.shops[0].topics.pop("INVOICE_STATUS_CHANGE", None)
            return reply

    door = replace(door_of(stage), wire=Forgets())
    done = subscribe.subscribe(door, APP, TOKENS, stage.shop(), OURS)
    assert set(done.failed) == {TOPICS[0], "INVOICE_STATUS_CHANGE"}
    assert "scope" in done.failed[TOPICS[0]]
    assert "read back" in done.failed["INVOICE_STATUS_CHANGE"]
    assert len(done.registered) == len(TOPICS) - 2


def test_registering_again_changes_nothing() -> None:
    stage = Stage()
    door = door_of(stage)
    subscribe.subscribe(door, APP, TOKENS, stage.shop(), OURS)
    before = len(stage.sandbox.calls)
    assert subscribe.subscribe(door, APP, TOKENS, stage.shop(), OURS).whole
    assert {call.method for call in stage.sandbox.calls[before:]} == {"GET"}


def test_an_address_that_is_none_is_refused_before_any_call() -> None:
    stage = Stage()
    with pytest.raises(OnboardError, match="not https"):
        subscribe.subscribe(
            door_of(stage), APP, TOKENS, stage.shop(), "http://127.0.0.1/webhooks/tiktok"
        )
    assert stage.sandbox.calls == []


def test_only_what_comes_to_us_is_unsubscribed() -> None:
    stage = Stage()
    door = door_of(stage)
    subscribe.subscribe(door, APP, TOKENS, stage.shop(), OURS)
    stage.sandbox.shops[0].topics["NEW_MESSAGE"] = {"event_type": "NEW_MESSAGE", "address": THEIRS}
    assert subscribe.unsubscribe(door, APP, TOKENS, stage.shop(), OURS) == {}
    assert topics(stage) == {"NEW_MESSAGE": THEIRS}


# Settings


def test_a_setting_is_changed_over_exactly_what_was_read() -> None:
    stage = Stage()
    meddled: list[int] = []

    def change(shop: Shop) -> Shop:
        if not meddled:
            meddled.append(1)
            other = codec.shop_doc(replace(shop, hand_marked=True))
            stage.store.write(Change((rows.shop_pk(SHOP_ID), rows.LANE), set=other))
        return replace(shop, default_provider="661")

    assert connect.change_shop(stage.store, SHOP_ID, change, REAL) is not None
    assert (shop_of(stage).default_provider, shop_of(stage).hand_marked) == ("661", True)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"market": "ZZ"}, "market"),
        ({"zone": "Asia/Nowhere"}, "time zone"),
        ({"zone": "../x"}, "time zone"),
        ({"zone": "Asia"}, "time zone"),
        ({"automatic": ("refund", "holiday")}, "holiday can't go out"),
        ({"pack": "guide-1923"}, "no pack"),
        ({"closed": ("Christmas",)}, "'Christmas' are no days"),
        ({"closed": ("2026-12-26/2026-12-24",)}, "last day comes before the first"),
        ({"closed": ("2026-01-01/2026-12-31", "2027-01-01/2027-02-01")}, "more than a year"),
        ({"market": "US", "closed": ("2026-01-01/2026-12-31",)}, "more than a year"),
        ({"closed": ("9999-12-01/9999-12-31",)}, "check its year"),
        ({"closed": ("0001-01-01",)}, "check its year"),
        ({"versions": {"ship_package": "2023"}}, "pins no call"),
        ({"versions": {"teleport": "202309"}}, "pins no call"),
        ({"escalation": "soon"}, "'soon' is no step"),
    ],
)
def test_a_setting_that_is_none_is_refused(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(OnboardError, match=word):
        onboard.settings_changed(Stage().shop(), changes)


def test_orders_of_a_shop_that_may_be_closed_so_long_can_be_judged() -> None:
    changes = {"market": "US", "closed": ("2026-02-01/2026-12-31",)}
    shop = onboard.settings_changed(Stage().shop(), changes)
    closed = tuple(map(Span.parse, shop.closed))
    policy = policy_for("US", date(2026, 1, 30), shop.zone, closed=closed)
    dispatch = policy.pack.deadlines["dispatch"]
    friday = datetime(2026, 1, 30, 18, tzinfo=UTC)
    assert policy.due("dispatch", dispatch, friday) == datetime(2027, 1, 6, 7, 59, 59, tzinfo=UTC)


def test_a_shop_may_be_closed_on_single_days_and_on_some_on_end() -> None:
    changes = {"closed": ("2026-12-25", "2026-12-30/2027-01-02")}
    assert onboard.settings_changed(Stage().shop(), changes).closed == changes["closed"]


def test_what_goes_out_by_itself_and_pins_are_settings() -> None:
    changes = {"automatic": ("refund",), "versions": {"mark_package_as_shipped": "202309"}}
    shop = onboard.settings_changed(Stage().shop(), changes)
    assert (shop.automatic, shop.versions) == (("refund",), changes["versions"])


def test_a_zone_goes_with_a_new_market_unless_it_is_given() -> None:
    shop = Stage().shop()
    assert onboard.settings_changed(shop, {"market": "US"}).zone == "America/Los_Angeles"
    both = onboard.settings_changed(shop, {"market": "US", "zone": "America/Chicago"})
    assert both.zone == "America/Chicago"


# The commands


class Console:
    """The command line on a stage: the stack's parts are the stage's."""

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch) -> None:
        self.stage = stage
        self.address = OURS
        self.secrets: dict[str, Any] = {
            "tiktok_shop": [{"account": APP_KEY, "secrets": [APP_SECRET]}]
        }
        self.pasted: Callable[[str], str] = self.consents
        console = self

        class Set(operate.SetUp):
            def store(self) -> Store:
                return stage.store

            def sources_secret(self) -> dict[str, Any]:
                return console.secrets

        made = Set("stack s", False, {"IngestUrl": "https://hooks.example"}, {}, lambda _: None)
        patch.setattr(operate, "set_up", lambda stack: made)
        patch.setattr(operate, "open_store", lambda table, stack=None: stage.store)
        patch.setattr(shops, "door_of", lambda _: door_of(stage))
        patch.setattr(shops, "real", stage.real)
        patch.setattr("click.prompt", self._prompt)
        self.shown = ""

    def consents(self, link: str) -> str:
        state = parse_qs(urlsplit(link).query)["state"][0]
        return f"https://seller.example/cb?code={self.code}&state={state}"

    def _prompt(self, text: str, **words: Any) -> str:
        return self.pasted(self.links[-1])

    def run(self, *words: str, answers: str = "") -> Result:
        self.code = self.stage.sandbox.grant(SHOP_ID)
        self.links: list[str] = []
        original = onboarding.consent_link

        def link(*terms: Any) -> str:
            self.links.append(original(*terms))
            return self.links[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(onboarding, "consent_link", link)
            return CliRunner().invoke(command.main, ["shops", *words], input=answers)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    return Console(Stage(), monkeypatch)


def test_connect_connects_registers_and_tells_what_is_left_to_do(console: Console) -> None:
    result = console.run("connect", "--service-id", "70123")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "https://services.tiktokshop.com/open/authorize?service_id=70123&state=" in result.output
    assert f"connected {SHOP_ID} Synthetic shop: MY, Asia/Kuala_Lumpur" in result.output
    assert "9 of 9 topics" in result.output
    assert "Aftersales request status update (64)" in result.output
    assert "not granted: seller.customer_service" in result.output
    assert shop_of(console.stage).authorisation.startswith("sandbox-open-id-")
    secret = [console.code, APP_SECRET, *_tokens(console.stage), "GCP_synthetic_cipher"]
    assert not [word for word in secret if word in result.output]


def _tokens(stage: Stage) -> list[str]:
    return [stage.sandbox.shops[0].access_token, stage.sandbox.shops[0].refresh_token]


def test_the_link_is_the_regions_or_the_hosts(console: Console) -> None:
    us = console.run("connect", "--service-id", "7", "--region", "us")
    assert "https://services.us.tiktokshop.com/open" in us.output
    own = console.run("connect", "--service-id", "7", "--consent-host", "https://own.example")
    assert "https://own.example/open/authorize" in own.output


def test_a_refused_consent_connects_nothing(console: Console) -> None:
    console.pasted = lambda link: "https://seller.example/cb?code=null&error=auth_denied"
    before = shop_of(console.stage)
    result = console.run("connect", "--service-id", "7")
    assert result.exit_code == 1
    assert "did not consent" in str(result.exception)
    assert shop_of(console.stage) == before


@pytest.mark.parametrize(("answer", "connects"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_consent_without_a_state_needs_a_person_to_say_so(
    console: Console, answer: str, connects: bool
) -> None:
    console.pasted = lambda link: console.code
    result = console.run("connect", "--service-id", "7", answers=answer)
    assert (result.exit_code == 0) is connects
    assert shop_of(console.stage).authorisation.startswith("sandbox") is connects


def test_several_apps_must_be_told_apart(console: Console) -> None:
    console.secrets["tiktok_shop"].append({"account": OTHER_APP, "secrets": ["x"]})
    result = console.run("connect", "--service-id", "7")
    assert f"{APP_KEY}, {OTHER_APP}" in str(result.exception)
    assert console.run("connect", "--service-id", "7", "--app", APP_KEY).exit_code == 0
    assert "no app nobody" in str(
        console.run("connect", "--service-id", "7", "--app", "nobody").exception
    )


@pytest.mark.parametrize(
    ("secrets", "word"),
    [
        ({}, "holds no app"),
        ({"tiktok_shop": "x"}, "malformed"),
        ({"tiktok_shop": [{"account": "a", "secrets": []}]}, "holds no app"),
    ],
)
def test_a_secret_without_an_app_is_told_before_a_code_is_used_up(
    console: Console, secrets: dict[str, Any], word: str
) -> None:
    console.secrets = secrets
    result = console.run("connect", "--service-id", "7")
    assert word in str(result.exception)
    assert console.stage.sandbox.calls == []


def test_an_app_that_may_not_speak_for_the_shop_is_told(console: Console) -> None:
    console.secrets["tiktok_shop"][0]["shops"] = [SECOND]
    result = console.run("connect", "--service-id", "7")
    assert result.exit_code == 1
    assert 'account\'s "shops"' in str(result.exception)
    assert shop_of(console.stage).connected


@pytest.mark.parametrize(
    "words",
    [
        ("--zone", "Asia/Nowhere"),
        ("--market", "ZZ"),
        ("--webhook-address", "http://127.0.0.1:80/webhooks/tiktok"),
    ],
)
def test_a_wrong_word_is_told_before_a_code_is_used_up(
    console: Console, words: tuple[str, ...]
) -> None:
    assert console.run("connect", "--service-id", "7", *words).exit_code == 1
    assert console.stage.sandbox.calls == []


def test_a_shop_that_the_consent_does_not_cover_is_told(console: Console) -> None:
    result = console.run("connect", "--service-id", "7", "--shop", SECOND)
    assert f"does not cover {SECOND}; it covers {SHOP_ID}" in str(result.exception)


def test_connecting_again_keeps_what_was_set(console: Console) -> None:
    words = ("--default-provider", "661", "--hand-marked", "--zone", "Asia/Kuching")
    assert console.run("set", SHOP_ID, *words).exit_code == 0
    assert console.run("connect", "--service-id", "7").exit_code == 0
    shop = shop_of(console.stage)
    assert (shop.default_provider, shop.hand_marked, shop.zone) == ("661", True, "Asia/Kuching")
    assert console.run("set", SHOP_ID, "--no-hand-marked").exit_code == 0
    assert not shop_of(console.stage).hand_marked


def test_set_of_nothing_or_of_no_shop_is_told(console: Console) -> None:
    assert "Nothing was given" in str(console.run("set", SHOP_ID).exception)
    result = console.run("set", SECOND, "--zone", "Asia/Manila")
    assert f"There is no shop {SECOND}" in str(result.exception)


def test_list_tells_each_shop_and_no_secret(console: Console) -> None:
    console.run("connect", "--service-id", "7")
    result = console.run("list")
    assert re.search(rf"{SHOP_ID} +connected", result.output)
    assert "MY, Asia/Kuala_Lumpur" in result.output
    assert "2027-11-23T12:00:00Z" in result.output
    words = [*_tokens(console.stage), "GCP_synthetic_cipher", APP_SECRET]
    assert not [word for word in words if word in result.output]


def test_disconnect_asks_takes_the_webhooks_away_and_tells_the_seller(console: Console) -> None:
    console.run("connect", "--service-id", "7")
    assert console.run("disconnect", SHOP_ID, answers="n\n").exit_code == 1
    assert shop_of(console.stage).connected
    assert console.run("disconnect", SHOP_ID, "--yes").exit_code == 0
    assert not shop_of(console.stage).connected
    assert topics(console.stage) == {}
    console.stage.real.pass_time(60)
    console.stage.sweep()
    told = [e for e in console.stage.announced if e["type"] == "shop.disconnected"]
    assert "by hand" in told[0]["text"]
    assert "was not connected" in console.run("disconnect", SHOP_ID, "--yes").output


def test_disconnect_goes_on_where_the_webhooks_cannot_be_removed(console: Console) -> None:
    console.stage.sandbox.shops[0].revoked = True
    result = console.run("disconnect", SHOP_ID, "--yes")
    assert result.exit_code == 1
    assert "still registered" in str(result.exception)
    assert not shop_of(console.stage).connected


def test_webhooks_registers_for_every_connected_shop(console: Console) -> None:
    assert console.run("webhooks").exit_code == 0
    assert topics(console.stage) == dict.fromkeys(TOPICS, OURS)
    console.stage.sandbox.shops[0].topics[TOPICS[0]]["address"] = THEIRS
    result = console.run("webhooks", SHOP_ID)
    assert result.exit_code == 1
    assert "--take-over" in str(result.exception)
    assert console.run("webhooks", SHOP_ID, "--take-over").exit_code == 0
    assert f"There is no shop {SECOND}" in str(console.run("webhooks", SECOND).exception)


def test_no_exception_holds_what_the_url_of_a_token_call_holds() -> None:
    stage = Stage()

    class Wire:
        def send(self, request: HttpRequest) -> HttpReply:
            raise NoAnswer("the connection broke off")

    door = replace(door_of(stage), wire=Wire())
    with pytest.raises(OnboardError) as error:
        onboard.exchange(door, APP, "TTP_code_1")
    told = repr(error.value) + repr(error.value.__cause__) + repr(door)
    assert "TTP_code_1" not in told
    assert APP_SECRET not in told
