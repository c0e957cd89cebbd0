"""What the answer to a call makes of the intent that it told. Pure (DESIGN 3.5)."""

from dataclasses import replace
from datetime import datetime, timedelta

from shipclock import backoff
from shipclock.domain.push import GIVE_UP, UNCLEAR_WAIT, Intent, IntentState
from shipclock.marketplaces.protocol import Kind, Outcome

MISCONFIGURED_WAIT = timedelta(hours=1)
"""How long what a person has to mend first is left, in `now`."""

BROKE_OFF = "its sender broke off"

LOOKED_AT = "Nothing to do: the order is read again, which shows whether it took effect."
TOLD_AGAIN = "Nothing to do: it is told again by itself."

BY_ITSELF = {
    Kind.UNCLEAR: LOOKED_AT,
    Kind.ALREADY: LOOKED_AT,
    Kind.LATER: TOLD_AGAIN,
    Kind.RATE_LIMITED: TOLD_AGAIN,
}
"""What to do about an answer that comes right without a person."""


def after(intent: Intent, outcome: Outcome, real: datetime, now: datetime) -> Intent:
    """The intent as it stands after an answer that came at the real time `real`, in a sweep at
    `now`."""
    advice = outcome.advice or BY_ITSELF.get(outcome.kind, "")
    told = replace(
        intent,
        reason=outcome.reason,
        advice=advice,
        request_id=outcome.request_id or intent.request_id,
    )
    match outcome.kind:
        case Kind.OK:
            return replace(told, state=IntentState.DONE, done_at=real, reason="", advice="")
        case Kind.UNCLEAR:
            return replace(told, state=IntentState.UNCLEAR, unclear_at=real)
        case Kind.ALREADY:
            # A clear answer, so there is nothing to wait for; the re-read tells whose it was.
            return replace(told, state=IntentState.UNCLEAR, unclear_at=real - UNCLEAR_WAIT)
        case Kind.REFUSED:
            return replace(told, state=IntentState.REFUSED)
        case Kind.RATE_LIMITED | Kind.DEAUTHORISED:
            return replace(told, state=IntentState.PENDING)
        case Kind.LATER | Kind.MISCONFIGURED | Kind.EXPIRED:
            again = now + wait_of(outcome)
            return replace(told, state=IntentState.PENDING, not_before=again)


def wait_of(outcome: Outcome) -> timedelta:
    """How long to wait before the same is told again, after a clear answer of not now."""
    if outcome.kind is Kind.EXPIRED:
        return backoff.REREAD[0]
    return MISCONFIGURED_WAIT if outcome.wait is None else outcome.wait


def doubted_since(sent_at: datetime | None, real: datetime) -> datetime:
    """From when on what a lease left `sending` is in doubt: its call has given up by then."""
    return (sent_at or real) + GIVE_UP


def without_effect(outcome: Outcome) -> Outcome:
    """The answer to a call that changes nothing: where it is no clear no, it is tried again."""
    if outcome.kind in (Kind.UNCLEAR, Kind.ALREADY, Kind.EXPIRED, Kind.LATER):
        return replace(outcome, kind=Kind.LATER, wait=outcome.wait or backoff.REREAD[0])
    return outcome
