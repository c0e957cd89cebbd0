"""The pushes of an order as they should stand at `now`. Pure (DESIGN 3.3 and 3.5)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from shipclock import backoff
from shipclock.domain.clock import Notice, Verdict
from shipclock.domain.level import Level
from shipclock.domain.number import normal
from shipclock.domain.order import Order
from shipclock.domain.push import (
    RENEWABLE,
    UNCLEAR_WAIT,
    Deed,
    Effect,
    Intent,
    IntentState,
    Wanted,
)
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Plan, Shop
from shipclock.remedies import prepared
from shipclock.situation import Read, Recorded, Situation
from shipclock.wishes import wanted

PUSH = "push"
"""The kind of a notice about a push that a person must hear of."""


def settled_doubts(
    order: Order, recorded: Recorded, read: Read, about: Situation
) -> dict[str, Intent]:
    """The recorded intents, the unclear ones settled where a re-read shows what became of them."""
    return {
        key: _settled_doubt(order, intent, read, about) for key, intent in recorded.intents.items()
    }


def intents_of(
    order: Order,
    settled: Mapping[str, Intent],
    verdicts: Iterable[Verdict],
    about: Situation,
) -> dict[str, Intent]:
    """The intents as they should stand now, given those whose doubts are settled and all verdicts:
    wanted ones and withdrawn ones."""
    wants = dict(_planned(order, verdicts, about))
    found = dict(settled)
    for key in settled:
        if found[key].state is IntentState.PENDING and key not in wants:
            reason = "no longer wanted"
            found[key] = replace(found[key], state=IntentState.WITHDRAWN, reason=reason, advice="")
    for key, (want, plan) in wants.items():
        found[key] = _renewed(found.get(key), key, want, plan)
    told = {normal(want.tracking_number) for want, _ in wants.values()}
    for key, intent in found.items():
        refused = intent.state is IntentState.NOT_ALLOWED and key not in wants
        if refused and intent.tracking_number and normal(intent.tracking_number) in told:
            reason = "told in another way"
            found[key] = replace(intent, state=IntentState.WITHDRAWN, reason=reason, advice="")
    return found


def _planned(
    order: Order, verdicts: Iterable[Verdict], about: Situation
) -> list[tuple[str, tuple[Wanted, Plan]]]:
    """What is wanted and how the marketplace would be told, by the intent's key."""
    if about.shop is None:
        return []
    market = MARKETPLACES[about.shop.marketplace]
    remedies = prepared(order, verdicts, market, about.shop, about.policy) if about.policy else ()
    found = []
    for want in wanted(order, remedies, about.shop):
        plan = market.plan(order, want, about.shop)
        if want.optional and not plan.allowed:
            continue
        named = plan.allowed and market.needs_provider(order, want.deed)
        if named and about.providers is not None:
            plan = _with_provider(plan, want, about.shop, about.providers)
        topic = want.topic or normal(want.tracking_number)
        found.append((f"{plan.call}#{want.package_id}#{topic}", (want, plan)))
    return found


def _with_provider(plan: Plan, want: Wanted, shop: Shop, providers: Mapping[str, str]) -> Plan:
    if MARKETPLACES[shop.marketplace].choose_provider(want.carrier, providers, shop):
        return plan
    named = f"The carrier {want.carrier!r} is not" if want.carrier else "None was named that is"
    return replace(
        plan,
        allowed=False,
        reason="carrier unknown",
        advice=f"{named} among the marketplace's shipping providers for this order, which are: "
        f"{', '.join(sorted(providers.values())) or 'none'}. "
        "Set the shop's default provider, or ship the order in Seller Center.",
    )


def _renewed(intent: Intent | None, key: str, want: Wanted, plan: Plan) -> Intent:
    """A new intent, or one that is wanted and allowed again, or was refused in other words."""
    state = IntentState.PENDING if plan.allowed else IntentState.NOT_ALLOWED
    if intent is None:
        return Intent(
            key=key,
            call=plan.call,
            package_id=want.package_id,
            tracking_number=want.tracking_number,
            state=state,
            carrier=want.carrier,
            deed=want.deed,
            says=want.says,
            irrevocable=plan.irrevocable,
            reason=plan.reason,
            advice=plan.advice,
        )
    anew = intent.state is IntentState.REFUSED and dict(intent.says) != dict(want.says)
    renewable = intent.state in RENEWABLE or anew
    if renewable or (intent.state is IntentState.PENDING and not plan.allowed):
        fresh = state is IntentState.PENDING and renewable
        return replace(
            intent,
            state=state,
            carrier=want.carrier,
            says=want.says,
            reason=plan.reason,
            advice=plan.advice,
            failures=0 if fresh else intent.failures,
            not_before=None if fresh else intent.not_before,
        )
    if intent.state is IntentState.PENDING:
        waits = intent.not_before if dict(intent.says) == dict(want.says) else None
        return replace(intent, carrier=want.carrier, says=want.says, not_before=waits)
    return intent


UNSEEN = (
    "Nobody can see from here whether it took effect, so it is not repeated. Look in Seller "
    "Center, then say `shipclock push done` or `shipclock push again`."
)

ANOTHER_WAY = (
    "The order was shipped otherwise, cancelled or ended meanwhile: see in Seller Center that it "
    "is as you meant."
)

WITHOUT_EFFECT = (
    "It was tried again and again without effect. Do it in Seller Center, then say "
    "`shipclock push done`; or have it tried once more with `shipclock push again`."
)

TELL = (IntentState.NOT_ALLOWED, IntentState.REFUSED, IntentState.DEAD)
"""Ends of a push that a person must hear of: nothing will happen by itself."""


def stuck(intents: Mapping[str, Intent], now: datetime) -> list[Notice]:
    """What to tell the seller of pushes that did not and will not go out."""
    return [
        Notice(
            clock=intent.call,
            kind=PUSH,
            at=now,
            day=f"{intent.key}#{intent.state.value}",
            text=f"{_subject(intent)} is not told to the marketplace: {intent.reason}. "
            f"{intent.advice}".strip(),
            level=Level.URGENT if intent.state is IntentState.DEAD else "",
        )
        for intent in intents.values()
        if intent.state in TELL
    ]


SUBJECTS = {
    Deed.LABEL: "The purchase of a label",
    Deed.CANCEL: "The cancellation",
    Deed.ANSWER: "The answer to the buyer's request",
    Deed.REFUND: "The refund",
    Deed.MESSAGE: "The message to the buyer",
}


def _subject(intent: Intent) -> str:
    """What an intent tells, as a sentence begins with it."""
    return SUBJECTS.get(intent.deed) or intent.tracking_number or f"Package {intent.package_id}"


def _settled_doubt(order: Order, intent: Intent, read: Read, about: Situation) -> Intent:
    """An unclear intent, once a re-read from after the wait shows what became of it. Whether it is
    still wanted is judged afterwards."""
    if intent.state is not IntentState.UNCLEAR or intent.unclear_at is None:
        return intent
    if about.shop is None or read.requested_at < intent.unclear_at + UNCLEAR_WAIT:
        return intent
    market = MARKETPLACES[about.shop.marketplace]
    effect = market.effect(order, intent)
    unread = intent.call in market.CASES and read.cases_at < intent.unclear_at + UNCLEAR_WAIT
    if unread and effect is not Effect.SEEN:  # an order shows little of what became of its money
        return intent
    if effect is Effect.UNSEEABLE:
        return replace(intent, state=IntentState.DEAD, advice=UNSEEN)
    if effect is Effect.SEEN:
        return replace(
            intent, state=IntentState.DONE, done_at=intent.unclear_at, reason="", advice=""
        )
    if effect is Effect.OTHER:
        reason = "the order went another way"
        return replace(intent, state=IntentState.WITHDRAWN, reason=reason, advice=ANOTHER_WAY)
    failures = intent.failures + 1
    if backoff.exhausted(backoff.PUSH, failures):
        return replace(
            intent,
            state=IntentState.DEAD,
            failures=failures,
            advice=WITHOUT_EFFECT,
        )
    return replace(
        intent,
        state=IntentState.PENDING,
        failures=failures,
        not_before=backoff.after(backoff.PUSH, failures, about.now),
        advice="Nothing to do: the order shows no effect, so it is told again by itself.",
    )
