"""The known answers of the senders whose proof is a secret's alone: no time, no options.

Those whose answers need more are judged in their own files.
"""

from typing import Any

import pytest

from shipclock.sources import Account, NotAuthentic, source
from tests.builders import REAL, sample

SENDERS = {
    "aftership": (4, 9),
    "easypost": (2, 6),
    "fedex": (2, 8),
    "karrio": (1, 9),
    "ninjavan": (2, 6),
    "seventeentrack": (2, 10),
    "ship24": (1, 11),
    "shippo": (2, 12),
}
"""How many answers of each are authentic, and how many are not: none may get lost."""

ANSWERS = {name: sample(f"signatures/{name}.json") for name in SENDERS}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param(name, answer, id=f"{name}: {answer['name']}")
        for name, answers in ANSWERS.items()
        for answer in answers
    ],
)
def test_the_known_answers_are_judged_as_they_should(name: str, answer: dict[str, Any]) -> None:
    account = Account("default", (answer["secret"],))
    sent = answer["headers"], answer["body"].encode(), [account], REAL
    if answer["authentic"]:
        assert source(name).verify(*sent) == account
        return
    with pytest.raises(NotAuthentic) as refused:
        source(name).verify(*sent)
    assert answer["secret"] not in str(refused.value)


@pytest.mark.parametrize(("name", "counted"), SENDERS.items())
def test_there_are_known_answers_of_both_kinds(name: str, counted: tuple[int, int]) -> None:
    judged = [answer["authentic"] for answer in ANSWERS[name]]
    assert (judged.count(True), judged.count(False)) == counted
