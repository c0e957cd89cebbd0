"""What pytest reads beside the pure tests in `.mutants/`: a mutant is to be found out quickly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import Phase, settings

settings.register_profile(
    "mutants",
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # that there is an example is enough
)
settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quickest tests first: the first that fails is the last to run."""
    try:
        took = json.loads(Path("mutmut-stats.json").read_text("utf-8"))["duration_by_test"]
    except FileNotFoundError:
        return
    items.sort(key=lambda item: took.get(item.nodeid, 0))
