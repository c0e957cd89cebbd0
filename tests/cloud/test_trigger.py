"""`shipclock trigger` on the real template: scenarios are played and end as they say."""

import pytest
from click.testing import CliRunner

from cli import __main__ as entry
from cli import local
from tests.cloud.client import Client

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("name", ["ship-by-seller", "cancelled-by-seller", "authorised-again"])
def test_a_scenario_is_played_through_the_stack(
    stack: local.Stack, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(local, "STATE_DIR", stack.state_dir)
    done = CliRunner().invoke(entry.main, ["trigger", name, "--watch"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "As expected: status " in done.output
    order_id = next(line.split()[2] for line in done.output.splitlines() if "placed" in line)
    assert f"/api/orders/{order_id.rstrip(':')}" in done.output
    status, order = Client(stack).hub(f"orders/{order_id.rstrip(':')}")
    assert status == 200
    assert {push["state"] for push in order["pushes"]} == {"done"}
    assert stack.tiktok["app_secret"] not in done.output
