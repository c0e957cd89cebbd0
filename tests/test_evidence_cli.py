"""`shipclock evidence make` and `verify`, as an operator types them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as entry
from cli import operate
from cli.evidence import command
from cli.evidence.gather import NoEvidence, gather
from shipclock.ports import Store
from tests.evidence import lived, told, wrong
from tests.stage import SECRETS, Stage


class Deployed:
    """A stack whose secret is the stage's."""

    def sources_secret(self) -> object:
        return SECRETS


class Console:
    """The command, on a stage's table."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.stage, self.order_id = lived()
        self.folder, self.asked = folder, list[str | None]()
        patch.setattr(operate, "open_store", self._store)
        patch.setattr(operate, "set_up", lambda stack: Deployed())
        patch.setattr(command, "real", lambda: self.stage.real.now)
        patch.chdir(folder)

    def _store(self, table: str | None, stack: str | None = None) -> Store:
        self.asked.append(table or stack)
        return self.stage.store

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(entry.main, ["evidence", *words])

    def make(self, *words: str) -> Path:
        result = self.run("make", self.order_id, *words)
        assert result.exit_code == 0, result.output
        return self.folder / f"evidence-{self.order_id}.zip"


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Console:
    return Console(monkeypatch, tmp_path)


def test_a_pack_is_made_and_verified(console: Console) -> None:
    made = console.run("make", console.order_id)
    assert made.exit_code == 0
    anchor = gather(console.stage.store, console.order_id, console.stage.real.now).anchor
    assert f"chain {anchor}" in made.output
    path = f"evidence-{console.order_id}.zip"
    assert wrong(Path(path).read_bytes()) == []
    for words in ((), ("--live",), ("--table", "t"), ("--stack", "s"), ("--anchor", str(anchor))):
        result = console.run("verify", path, *words)
        said = f"All of it fits: order {console.order_id}, chain {anchor}.\n"
        assert (result.exit_code, result.output) == (0, said), words
    assert console.asked == [None, None, "t", "s"]


def test_it_goes_where_it_is_told_and_says_where_it_can_t(console: Console) -> None:
    console.make("--out", "other.zip")
    assert Path("other.zip").exists()
    result = console.run("make", console.order_id, "--out", "no/such/folder.zip")
    assert isinstance(result.exception, NoEvidence)
    assert "no/such/folder.zip can't be written" in str(result.exception)


def test_what_does_not_fit_is_listed_with_what_it_means_and_fails(console: Console) -> None:
    path = console.make()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    result = console.run("verify", str(path))
    assert result.exit_code == 1
    assert result.output.startswith("DOES NOT FIT  The file is no evidence pack")
    assert "Have the pack made or sent anew" in result.output
    assert result.output.endswith("1 thing does not fit.\n")


def test_an_anchor_that_is_none_is_refused_with_what_one_looks_like(console: Console) -> None:
    path = console.make()
    for word in ("12", "12:ab", f"x:{'0' * 64}", f"1:{'g' * 64}"):
        result = console.run("verify", str(path), "--anchor", word)
        assert result.exit_code == 2
        assert "12:<64 hex digits>" in result.output
    result = console.run("verify", str(path), "--anchor", f"1:{'0' * 64}")
    assert result.exit_code == 1
    assert "was told elsewhere" in result.output
    result = console.run("verify", str(path), "--anchor", f"99:{'0' * 64}")
    assert result.exit_code == 1
    assert "older than that" in result.output


def test_an_order_that_has_moved_on_is_noted(console: Console) -> None:
    path = console.make()
    told(console.stage, console.order_id, 16 * 24, "delivered")
    result = console.run("verify", str(path), "--live")
    assert result.exit_code == 0
    assert result.output.startswith("note          The order has moved on")


def removed_scan(stage: Stage) -> None:
    partition = stage.memory.rows["NUMBER#SYN0001"]
    del partition[next(sk for sk in partition if sk.startswith("EVENT#"))]


@pytest.mark.parametrize("spoil", [removed_scan])
def test_whoever_makes_a_pack_that_does_not_fit_is_told_at_once(
    console: Console, spoil: Callable[[Stage], None]
) -> None:
    spoil(console.stage)
    result = console.run("make", console.order_id)
    assert result.exit_code == 0
    assert "DOES NOT FIT  A scan" in result.output


def test_who_may_not_read_the_secret_is_told_and_gets_the_pack(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Deployed) -> object:
        raise operate.OperateError("The sources' secret can't be read: AccessDenied.")

    monkeypatch.setattr(Deployed, "sources_secret", refuse)
    result = console.run("make", console.order_id)
    assert result.exit_code == 0
    assert "AccessDenied. Senders are not proven anew." in result.output
    assert b"at_receipt" in Path(f"evidence-{console.order_id}.zip").read_bytes()


def test_an_unknown_order_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], console: Console
) -> None:
    monkeypatch.setattr("sys.argv", ["shipclock", "evidence", "make", "1"])
    assert entry.run() == 1
    assert capsys.readouterr().err == (
        "shipclock: Order 1 is not known. Look its id up in the hub.\n"
    )
