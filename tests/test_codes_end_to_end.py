"""Every answer code, end to end: what becomes of the push, what is told, what heals by itself.

The tables are written from `tiktok-shop.md` 6.2, not read from the code under test.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

import pytest

from sandbox.faults import Fault
from shipclock import asking
from shipclock.marketplaces.tiktok_shop.codes import CODES
from shipclock.ports import HttpReply
from tests.scenes import (
    HOUR,
    SCENE,
    Scene,
    Tampering,
    effects,
    heal,
    lines,
    owner,
    pass_by,
    pushed,
    shown,
)
from tests.stage import APP_SECRET, TOKENS, Stage

MINUTE = timedelta(minutes=1)

KINDS = {
    "expired": "105002",
    "deauthorised": "105001",
    "misconfigured": "101000 105005 106001 106013 36009004 36009009 36009010 36009014 36009022 "
    "36009023 36009033 36004001 36004004 36004005",
    "rate_limited": "36009002",
    "unclear": "36009003 36009007 11001031 21001003 21001008 21001011 21042001 21022029 12001000 "
    "10002014 10002015 10006402 10037002 10037003 10037004",
    "later": "21011044 21011007 21008044 21021010 21004006 21004019 21004020 11034023 11034037 "
    "21011043 25001028 45101004",
    "already": "21011020 21011040 21011006 21008099 11006021 21042056 21011027 10007002 25001011 "
    "25001010 25001051 25020009 25020010",
    "refused": "21011041 21011042 21011022 11028006 21004012 21004015 21004016 21011025 21034012 "
    "21011026 21011049 21011050 21011051 21011052 21011004 21008025 21008017 11034002 21008106 "
    "21011028 21008111 21008117 21008116 21011053 21011054 21014009 11021009 11021010 11021011 "
    "11021012 11021013 11021014 11021015 11021016 11021017 11021018 11021019 11021020 11021021 "
    "11021022 11021023 11021024 11021025 10007014 11007016 11007018 11007021 12052037 12019028 "
    "12052055 12052921 36009021 25001021 25001014 25001015 25001020 25001003 25001045 25020003 "
    "25020004 25020005 25005005 45101006 45109001 45109003",
}
UNKNOWN = 999
"""A code of no table, which is refused as well."""

WAITS = {11034023: 5 * MINUTE, 11034037: 5 * MINUTE, 25001028: MINUTE}
"""How long what is to be told later waits, where it is not an hour."""

SECRETS = (TOKENS.access_token, TOKENS.refresh_token, APP_SECRET)
ECHO = f"you sent {TOKENS.access_token}, {TOKENS.refresh_token}, {APP_SECRET}"
"""A message that repeats what must not get about."""


def codes(kind: str) -> list[int]:
    """The codes of a kind; the unknown one is refused."""
    return [*map(int, KINDS[kind].split()), *([UNKNOWN] if kind == "refused" else [])]


def wholly(kind: str, code: int) -> bool:
    """Whether time goes on after this code: of the many that only a person gets over, a few."""
    return kind != "refused" or code in (codes(kind)[0], UNKNOWN)


def test_no_code_is_left_out() -> None:
    assert {code for kind in KINDS for code in codes(kind)} - {UNKNOWN} == CODES.keys()


@dataclass(frozen=True, slots=True)
class Comes:
    """What one answer with a code comes to in the sweep that gets it.

    `wait` is None where nothing is repeated later; `said` are the lines, all of them.
    """

    state: str
    attempts: int
    said: tuple[str, ...]
    wait: timedelta | None = None


TOLD, UNSURE = "push.attempted", "push.unclear"

WRITE = {
    "expired": Comes("done", 1, (TOLD,)),
    "deauthorised": Comes("done", 1, (TOLD,)),  # the renewal tells that it is not so
    "misconfigured": Comes("pending", 1, (TOLD,), HOUR),
    "rate_limited": Comes("done", 2, (TOLD, TOLD)),
    "unclear": Comes("done", 2, (UNSURE, TOLD, TOLD)),  # half a minute later, after a re-read
    "already": Comes("done", 2, (TOLD, TOLD)),  # after a re-read
    "later": Comes("pending", 1, (TOLD,), HOUR),
    "refused": Comes("refused", 1, (TOLD,)),
}
STEP = {
    **WRITE,
    "rate_limited": Comes("done", 1, (TOLD,)),
    "misconfigured": Comes("pending", 0, (TOLD,), HOUR),
    "unclear": Comes("pending", 0, (TOLD,), MINUTE),
    "already": Comes("pending", 0, (TOLD,), MINUTE),
    "later": Comes("pending", 0, (TOLD,), HOUR),
    "refused": Comes("refused", 0, (TOLD,)),
}
PROVIDERS = {**STEP, "refused": Comes("not_allowed", 0, (TOLD,), 6 * HOUR)}
BY_CALL = {
    "ship_package": WRITE,
    "cancel": WRITE,
    "approve_cancellation": WRITE,
    "create_return": WRITE,
    "eligibility": STEP,
    "providers": PROVIDERS,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", BY_CALL)
def test_what_a_code_makes_of_a_push(call: str, kind: str) -> None:
    scene, comes = SCENE[call], BY_CALL[call][kind]
    for code in codes(kind):
        stage, order_id = scene.begin()
        before = effects(stage, order_id, scene.effect)
        stage.sandbox.fail(scene.fault("code", code=code, message=ECHO))
        stage.sweep()
        assert not stage.sandbox.waiting_faults, f"{call} was not called"
        push = pushed(stage, order_id, scene.push)
        assert (push.state, push.attempts) == (comes.state, comes.attempts), code
        assert lines(stage) == list(comes.said), code
        assert owner(stage).connected, code
        done = comes.state == "done"
        assert effects(stage, order_id, scene.effect) == before + done, code
        if not done:
            assert push.reason, code
            assert push.advice, code
        check_words(stage, order_id, push.reason or "", push.advice or "")
        told = [event["text"] for event in stage.announced if event["type"] == "order.push"]
        assert len(told) == (comes.state in ("refused", "not_allowed")), code
        if comes.wait:
            wait = WAITS.get(code, comes.wait) if kind == "later" else comes.wait
            check_repeat(stage, order_id, scene, comes.attempts, wait)
        if not wholly(kind, code):
            continue
        if comes.state == "refused":
            heal(stage)
            assert pushed(stage, order_id, scene.push).attempts == comes.attempts, code
            (key,) = (k for k, s in stage.intents(order_id).items() if s == "refused")
            asking.again(stage.store, order_id, key, stage.real.now)
        heal(stage)
        assert effects(stage, order_id, scene.effect) == before + 1, code
        assert pushed(stage, order_id, scene.push).state == "done", code


def check_repeat(stage: Stage, order_id: str, scene: Scene, attempts: int, wait: timedelta) -> None:
    """It is repeated when the wait is over, and no minute before."""
    if wait > MINUTE:
        pass_by(stage, wait - MINUTE)
        stage.sweep()
        assert pushed(stage, order_id, scene.push).attempts == attempts
    pass_by(stage, MINUTE)
    stage.sweep()
    push = pushed(stage, order_id, scene.push)
    assert (push.state, push.attempts) == ("done", attempts + 1)


def check_words(stage: Stage, order_id: str, *more: str) -> None:
    """Nothing that was said, announced or is shown holds a secret."""
    texts = [*more, shown(stage, order_id).model_dump_json()]
    texts += [json.dumps(dict(line.fields), default=str) for line in stage.lines]
    texts += [json.dumps(dict(event), default=str) for event in stage.announced]
    for secret in SECRETS:
        assert not any(secret in text for text in texts), secret


READS = {
    "reread": "reread.failed",
    "search_orders": "reconcile.failed",
    "search_cancellations": "reconcile.failed",
    "package": "package.failed",
}
PASSES_UNSEEN = ("expired", "deauthorised", "rate_limited")
"""What the lane gets over by itself, in the same sweep."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", READS)
def test_what_a_code_makes_of_a_read(call: str, kind: str) -> None:
    scene = SCENE[call]
    for code in codes(kind):
        stage, order_id = scene.begin()
        stage.sandbox.fail(scene.fault("code", code=code, message=ECHO))
        stage.sweep()
        assert not stage.sandbox.waiting_faults, f"{call} was not called"
        unseen = kind in PASSES_UNSEEN and not (kind == "rate_limited" and call == "package")
        assert lines(stage) == ([] if unseen else [READS[call]]), code
        if not unseen:
            (line,) = (line for line in stage.lines if line.name == READS[call])
            assert line.fields["reason"], code
        assert not any(secret in str(stage.lines) for secret in SECRETS), code
        if not wholly(kind, code):
            continue
        heal(stage)
        assert not [name for name in lines(stage) if name.endswith(".failing")]
        check_words(stage, order_id)
        order = stage.judged(order_id).order
        theirs = stage.sandbox.order(order_id)
        assert order.facts is not None, code
        assert int(order.facts.update_time.timestamp()) == theirs["update_time"], code
        assert order.package_reads or call != "package", code


REFRESH = {
    "deauthorised": ("shop.disconnected", "shop.disconnected"),
    "unclear": ("token.refused", ""),
    "rate_limited": ("token.refused", ""),
    "later": ("token.refused", ""),
    **dict.fromkeys(
        ("expired", "misconfigured", "already", "refused"),
        ("token.refused", "shop.renewal_refused"),
    ),
}
"""What is said, and what the seller is told."""

UNANSWERED = ("unclear", "rate_limited", "later")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_code_makes_of_a_renewal(kind: str) -> None:
    scene, (said, announced) = SCENE["refresh"], REFRESH[kind]
    for code in codes(kind):
        stage, order_id = scene.begin()
        stage.sandbox.fail(scene.fault("code", code=code, message=ECHO))
        stage.sweep()
        assert not stage.sandbox.waiting_faults
        assert lines(stage)[:1] == [said], code
        told = [e["type"] for e in stage.announced if str(e["type"]).startswith("shop.")]
        assert told == ([announced] if announced else []), code
        push = pushed(stage, order_id, "ship_package")
        made = push.state, effects(stage, order_id, "ship_package")
        if kind in UNANSWERED and made == ("done", 1):
            continue  # asked again in the same sweep; others say that it takes longer
        assert made == ("pending", 0)
        assert push.advice or kind in UNANSWERED
        check_words(stage, order_id, push.reason or "")
        if kind == "deauthorised":
            assert not owner(stage).connected
            assert "connect" in (push.advice or "").lower()
        if kind == "deauthorised" or not wholly(kind, code):
            continue
        heal(stage)
        assert owner(stage).connected
        assert pushed(stage, order_id, "ship_package").state == "done", code
        assert effects(stage, order_id, "ship_package") == 1


# Whatever the status of HTTP


SAMPLES = {
    "expired": 105002,
    "misconfigured": 36009010,
    "unclear": 36009003,
    "already": 21011020,
    "later": 21011044,
    "refused": 21011025,
}


def answer(status: int, told: object) -> HttpReply:
    """A JSON answer."""
    return HttpReply(status, {"content-type": "application/json"}, json.dumps(told).encode())


@pytest.mark.parametrize("status", [201, 302, 400, 401, 403, 404, 409, 422, 500, 502, 503, 504])
@pytest.mark.parametrize("kind", SAMPLES)
def test_a_code_means_the_same_with_any_status(kind: str, status: int) -> None:
    scene, comes = SCENE["ship_package"], WRITE[kind]
    stage, order_id = scene.begin()
    told = {"code": SAMPLES[kind], "message": "no", "request_id": "r-1", "data": None}
    stage.wire = Tampering(stage.wire, scene, lambda _: answer(status, told))
    stage.sweep()
    push = pushed(stage, order_id, scene.push)
    assert (push.state, push.attempts) == (comes.state, comes.attempts)


@pytest.mark.parametrize(
    ("status", "state"), [(200, "refused"), (404, "refused"), (499, "refused"), (500, "done")]
)
def test_a_code_of_no_table_is_a_no_unless_the_marketplace_failed(status: int, state: str) -> None:
    scene = SCENE["ship_package"]
    stage, order_id = scene.begin()
    told = {"code": UNKNOWN, "message": "no", "data": None}
    stage.wire = Tampering(stage.wire, scene, lambda _: answer(status, told))
    stage.sweep()
    assert pushed(stage, order_id, scene.push).state == state
    assert effects(stage, order_id, scene.effect) == (state == "done")


@pytest.mark.parametrize("status", [302, 400, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("landed", [False, True])
def test_a_success_with_a_status_that_says_otherwise_is_looked_at_first(
    status: int, landed: bool
) -> None:
    scene = SCENE["ship_package"]
    stage, order_id = scene.begin()
    stage.wire = Tampering(
        stage.wire, scene, lambda _: answer(status, {"code": 0, "data": {}}), carried_out=landed
    )
    for _ in range(3):
        stage.sweep()
        stage.real.pass_time(60)
    assert pushed(stage, order_id, scene.push).state in ("done", "withdrawn")
    assert effects(stage, order_id, scene.effect) == 1


# One number of many meanings


MANY = (
    ("Invalid credentials. The `x-tts-access-token` header is invalid.", "done", ""),
    ("access token is invalid", "done", ""),
    ("invalid timestamp: more than 5 minutes old", "pending", "clock"),
    ("Unexpected identifier. The `shop_cipher` is there.", "pending", "Report"),
    ("Invalid identifier. The `shop_cipher` is invalid.", "pending", "Connect"),
    ("Invalid `app_key` query.", "pending", "app key"),
    ("param body.tracking_number is missing", "pending", "Report"),
    ("The request does not include a required signature.", "pending", "secret"),
    ("Invalid API version.", "pending", "Update"),
    ("", "pending", "Report"),
)


@pytest.mark.parametrize(("message", "state", "advice"), MANY)
@pytest.mark.parametrize("call", ["ship_package", "cancel", "eligibility", "providers"])
def test_the_code_of_many_meanings_is_acted_on_by_its_message(
    call: str, message: str, state: str, advice: str
) -> None:
    scene = SCENE[call]
    stage, order_id = scene.begin()
    stage.sandbox.fail(scene.fault("code", code=36009004, message=message))
    stage.sweep()
    push = pushed(stage, order_id, scene.push)
    assert push.state == state
    assert advice in (push.advice or "")
    assert lines(stage) == [TOLD]
    if state == "pending":
        check_repeat(stage, order_id, scene, push.attempts, HOUR)
    heal(stage)
    assert effects(stage, order_id, scene.effect) == 1


@pytest.mark.parametrize(("message", "state", "advice"), MANY)
@pytest.mark.parametrize("call", ["reread", "search_orders", "package"])
def test_the_code_of_many_meanings_keeps_no_read_from_healing(
    call: str, message: str, state: str, advice: str
) -> None:
    scene = SCENE[call]
    stage, order_id = scene.begin()
    stage.sandbox.fail(scene.fault("code", code=36009004, message=message))
    stage.sweep()
    assert lines(stage) == ([] if state == "done" else [READS[call]])
    heal(stage)
    assert stage.judged(order_id).order.facts is not None


@pytest.mark.parametrize("skew", [301, -31])
def test_a_clock_that_is_off_is_told_and_costs_nothing(skew: int) -> None:
    scene = SCENE["ship_package"]
    stage, order_id = scene.begin()
    stage.sandbox.fail(Fault("app_clock", path="*", skew=skew, times=50))
    stage.sweep()
    push = pushed(stage, order_id, scene.push)
    assert push.state == "pending"
    assert "the clock is off" in (push.reason or "")
    assert "Set the clock" in (push.advice or "")
    heal(stage)
    assert effects(stage, order_id, scene.effect) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "rate_limited"])
def test_a_marketplace_that_says_one_thing_for_an_hour_is_asked_ever_more_rarely(kind: str) -> None:
    """No storm of calls, no row that fails, and afterwards all is made good."""
    stage, order_id = SCENE["ship_package"].begin()
    stage.sandbox.fail(Fault("code", code=codes(kind)[0], message="no", times=10_000))
    before = len(stage.sandbox.calls)
    for _ in range(60):
        pass_by(stage, MINUTE)
        stage.sweep()
    made = len(stage.sandbox.calls) - before
    assert made <= 240, f"{made} calls in an hour"
    assert not [name for name in lines(stage) if name.endswith(".failing")]
    assert owner(stage).connected is (kind != "deauthorised")
    if kind != "deauthorised":
        heal(stage)
        assert effects(stage, order_id, "ship_package") == 1
