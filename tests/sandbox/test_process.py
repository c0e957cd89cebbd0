"""The sandbox as a process of its own: its config, its first line, its end."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from sandbox import Settings
from sandbox.__main__ import main
from sandbox.config import sandbox_from
from tests.sandbox.bench import KEY, SECRET, START, signed

ROOT = Path(__file__).parents[2]


def config() -> dict[str, Any]:
    return {
        "clock": START,
        "shops": [
            {
                "shop_id": "7490000000000000001",
                "cipher": "c1",
                "market": "MY",
                "app_key": KEY,
                "app_secret": SECRET,
                "access_token": "a1",
                "refresh_token": "r1",
            }
        ],
        "providers": [{"id": "9", "name": "Synthetic Rail"}],
        "untracked_after": None,
    }


def test_a_process_starts_from_a_config_says_where_it_is_and_ends_when_told(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config()))
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "sandbox", "--state", str(state)]
    with subprocess.Popen(
        [*command, "--config", str(tmp_path / "config.json")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            told = json.loads(state.read_text())
            assert line == f"sandbox ready on {told['url']}\n"
            assert told["pid"] == process.pid
            connection = http.client.HTTPConnection("127.0.0.1", told["port"], timeout=10)
            query = {"app_key": KEY, "timestamp": str(int(time.time()))}
            path = "/authorization/202309/shops"
            query["sign"] = signed(SECRET, path, query)
            target = f"{path}?{urlencode(query, quote_via=quote)}"
            connection.request("GET", target, headers={"x-tts-access-token": "a1"})
            assert json.loads(connection.getresponse().read())["code"] == 0
            connection.close()
        finally:
            process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "config.colour"),
        ({"shops": [{}]}, "is missing"),
        ({"shops": config()["shops"] * 2}, "already taken"),
        ({"untracked_after": "never"}, "untracked_after must be a whole number"),
        ({"shops": [config()["shops"][0] | {"market": "XX"}]}, "unknown market"),
        ({"shops": [config()["shops"][0] | {"scopes": ["all"]}]}, "unknown scope"),
        ({"shops": [config()["shops"][0] | {"own_fleet": "yes"}]}, "must be true or false"),
        ({"settings": {"colour": 1}}, "settings.colour"),
        ({"settings": {"refund_after": "soon"}}, "refund_after must be a whole number"),
    ],
)
def test_a_config_that_cannot_be_used_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], words: str
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config() | change))
    assert main(["--config", str(file)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_a_config_sets_what_differs() -> None:
    shop = {"scopes": ["seller.order.info"], "own_fleet": True, "own_tracks": True}
    settings = {"refund_after": None, "cancel_answer_time": 60, "sensitive_words": ["gold"]}
    told = config() | {"settings": settings}
    told["shops"][0] |= shop
    made = sandbox_from(told)
    (kept,) = made.shops
    assert (kept.scopes, kept.own_fleet, kept.own_tracks) == (("seller.order.info",), True, True)
    assert kept.allocates_stock is False
    expected = Settings(refund_after=None, cancel_answer_time=60, sensitive_words=("gold",))
    assert made._world.settings == expected
