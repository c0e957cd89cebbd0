"""What all tests share: one local stack a session, held to its IAM policies."""

from collections.abc import Iterator

import pytest

from cli import local
from tests.fakes import MemoryStore


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local.Stack]:
    """The real template on the local AWS, every function held to its IAM policy.

    The schedule is off: tests invoke the sweeper themselves, at times of their own.
    """
    options = local.Options(
        state_dir=tmp_path_factory.mktemp("stack"), schedule=False, enforce_iam=True
    )
    with local.running(options) as running:
        yield running


@pytest.fixture
def memory() -> MemoryStore:
    """The store in memory."""
    return MemoryStore()
