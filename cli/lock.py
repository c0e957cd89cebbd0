"""Pin what the environments and the layer are installed from, and tell stale pins without network.

Each `.txt` begins with a fingerprint of the `.in` files it was made from, so `--check` needs no
package index.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venvs" / "uv" / "bin" / "uv"

# In this order: the layer's pins constrain those that hold the same packages.
INPUTS = (
    "layers/common/requirements.in",
    "requirements/uv.in",
    "requirements/sam.in",
    "requirements/cloud.in",
    "requirements/dev.in",
    "requirements/bench.in",
    "requirements/mutants.in",
)

_HEADER = "# Made by `make lock`; edit the .in file instead. Inputs: "
_INCLUDE = re.compile(r"^-[rc]\s+(\S+)", re.MULTILINE)


class LockError(Exception):
    """Pins are stale or can't be made; the message says what to do."""


def _read(path: Path) -> Iterator[bytes]:
    """Yield an input and what it includes; of a pins file its requirements, not its header."""
    text = path.read_text()
    if path.suffix == ".txt":
        text = text.partition("\n")[2]
    yield text.encode()
    for included in _INCLUDE.findall(text):
        yield from _read(path.parent / included)


def fingerprint(source: Path) -> str:
    """Return a hash of all that a pins file is made from."""
    digest = hashlib.sha256()
    for content in _read(source):
        digest.update(content + b"\0")
    return digest.hexdigest()[:32]


def stale() -> list[str]:
    """Return every pins file that does not fit its inputs."""
    return [
        str(Path(name).with_suffix(".txt"))
        for name in INPUTS
        if _stated(ROOT / Path(name).with_suffix(".txt")) != fingerprint(ROOT / name)
    ]


def _stated(pins: Path) -> str | None:
    try:
        first = pins.read_text().partition("\n")[0]
    except FileNotFoundError:
        return None
    return first.removeprefix(_HEADER) if first.startswith(_HEADER) else None


def lock(*, upgrade: bool = False) -> list[str]:
    """Pin what the inputs ask for; return the files that changed.

    What is pinned and still fits keeps its version, unless `upgrade` asks for the newest of all.
    """
    changed = []
    for name in INPUTS:
        target = ROOT / Path(name).with_suffix(".txt")
        with tempfile.TemporaryDirectory() as scratch:
            made = Path(scratch) / "pins.txt"
            if target.exists() and not upgrade:
                # The resolver prefers the versions that it finds where it is to write.
                made.write_text(target.read_text())
            _compile(name, made)
            text = f"{_HEADER}{fingerprint(ROOT / name)}\n{made.read_text()}"
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
            changed.append(str(target.relative_to(ROOT)))
    return changed


def _compile(name: str, output: Path) -> None:
    done = subprocess.run(
        [
            *(
                str(UV),
                "pip",
                "compile",
                "--quiet",
                "--no-config",
                name,
                "--output-file",
                str(output),
            ),
            # One set for every Python and system we support, from the oldest on.
            *("--universal", "--python-version", "3.11", "--generate-hashes"),
            # pip, the fallback installer, wants extras pinned as they are asked for.
            "--no-strip-extras",
            # Which index a machine uses is its own business.
            *("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode != 0:
        raise LockError(f"{name} can't be solved; loosen what contradicts:\n{done.stderr}")
