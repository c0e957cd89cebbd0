"""Background processes that outlive the command that started them, and their safe end.

Each is recorded with an identity that no later process can have, so that stopping ends what we
started and never a stranger that was given the same number since.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PATIENCE_S = 10.0


class ProcessError(Exception):
    """A background process did not do what it should; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process that we started, leader of a process group of its own."""

    name: str
    pid: int
    identity: str
    log: str


def identity_of(pid: int) -> str | None:
    """Return what tells a process from any other that ever has its number; None if it is gone."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The name, in parentheses, may itself hold spaces and parentheses; count after it.
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, started = fields[0], fields[19]
        return None if state in "ZX" else started
    # macOS has no /proc. `ps` gives the start to the second, enough beside the number.
    listed = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = listed.stdout.strip().partition(" ")
    return started.strip() if listed.returncode == 0 and not state.startswith("Z") else None


def is_running(process: Process) -> bool:
    """Tell whether it is still the process that we started."""
    return identity_of(process.pid) == process.identity


def spawn(
    name: str, command: Sequence[str], *, environ: Mapping[str, str], cwd: Path, log: Path
) -> Process:
    """Start a command in the background, in its own group, its output in the log.

    In its own group, Ctrl-C in the terminal does not reach it: the one who started it decides
    when it ends.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            cwd=cwd,
            start_new_session=True,
        )
    identity = identity_of(child.pid)
    if identity is None:
        child.wait()
        raise ProcessError(f"{name} ended at once; its output:\n{tail(log)}")
    _children[child.pid] = child
    return Process(name, child.pid, identity, str(log))


# Children of this very process: they must be waited for, or stay as zombies until it ends.
_children: dict[int, subprocess.Popen[bytes]] = {}


def stop(process: Process) -> None:
    """End a process and what it started: SIGTERM, a wait, then SIGKILL. No-op if it is gone."""
    if not is_running(process):
        _reap(process.pid, PATIENCE_S)
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            if number == signal.SIGTERM:
                os.kill(process.pid, number)
            else:
                os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + PATIENCE_S
        while is_running(process) and time.monotonic() < deadline:
            _reap(process.pid)
            time.sleep(0.02)
        if not is_running(process):
            break
    _end_group(process.pid)
    _reap(process.pid, PATIENCE_S)


def _end_group(pid: int) -> None:
    """End what the leader left behind; a group's number is not given away while it has members."""
    try:
        os.killpg(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        # Nothing left. macOS says "not permitted" of a group that only has zombies.
        return


def _reap(pid: int, patience: float = 0.0) -> None:
    child = _children.get(pid)
    if child is None:
        return
    # A process whose main thread has ended looks gone while its other threads still end.
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(patience)
        del _children[pid]


def save(processes: Sequence[Process], path: Path) -> None:
    """Write down which processes are ours."""
    path.write_text(json.dumps([asdict(one) for one in processes], indent=2) + "\n")


def load(path: Path) -> list[Process]:
    """Read what `save` wrote; nothing when there is no such file."""
    try:
        return [Process(**one) for one in json.loads(path.read_text())]
    except FileNotFoundError:
        return []


def tail(log: Path, lines: int = 20) -> str:
    """Return the end of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"
