"""`python -m sandbox --config FILE [--port N] [--state FILE]`.

Prints one line when it is ready, and writes its address to the state file as JSON (`url`, `port`,
`pid`) so that another process finds it. Ends on SIGINT or SIGTERM with status 0, on a config it
cannot use with status 2 and one line that says what is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from sandbox.config import sandbox_from
from sandbox.server import Server
from sandbox.wire import Refusal


def _arguments(args: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A local TikTok Shop.")
    parser.add_argument("--config", type=Path, required=True, help="JSON: shops, providers, clock")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, help="where to write the address once ready")
    return parser.parse_args(args)


def main(args: list[str]) -> int:
    """Run until told to end; the exit status."""
    told = _arguments(args)
    try:
        server = Server(sandbox_from(json.loads(told.config.read_text())), told.port)
    except (OSError, ValueError, Refusal) as wrong:
        sys.stderr.write(f"sandbox: {told.config}: {wrong}\n")
        return 2
    ended = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: ended.set())
    with server:
        if told.state:
            _write(told.state, {"url": server.url, "port": server.port, "pid": os.getpid()})
        sys.stdout.write(f"sandbox ready on {server.url}\n")
        sys.stdout.flush()
        ended.wait()
    return 0


def _write(path: Path, state: dict[str, object]) -> None:
    # Whole or not at all: a reader waits for the file to appear.
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(state) + "\n")
    draft.replace(path)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
