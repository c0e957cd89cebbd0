"""A sandbox with one shop, and the same one behind a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import Server
from tests.sandbox.bench import Bench, bench


@pytest.fixture
def b() -> Bench:
    return bench()


@pytest.fixture
def server(b: Bench) -> Iterator[Server]:
    with Server(b.sandbox) as running:
        yield running
