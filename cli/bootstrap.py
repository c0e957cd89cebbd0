"""Make this folder ready to work in: `python3 cli/bootstrap.py [ENVIRONMENT ...]`.

Makes the environments under `.venvs/` that the Makefile's targets use, from the pins in
`requirements/`. Standard library only, and readable by old Pythons up to the version check, since
it is what runs first on a fresh machine. A second run finds its stamps and is over at once.
"""

from __future__ import annotations

import ast
import concurrent.futures
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venvs"
ENVIRONMENTS = ("dev", "sam", "cloud")
ON_REQUEST = ("bench", "mutants")  # made when named only, by the targets of those names
OLDEST = (3, 11)
NEWEST_TRIED = (3, 13)


class SetupError(Exception):
    """The machine lacks something; the message says what to do."""


def say(text: str) -> None:
    """Print one line of progress at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def use_a_fitting_python() -> None:
    """Go on under a newer Python of this machine if this one is too old.

    Raises SetupError when there is none.
    """
    if sys.version_info[:2] >= OLDEST:
        return
    for minor in range(NEWEST_TRIED[1], OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found is None:
            continue
        # A version manager leaves names on PATH that only say "not installed" when they are run.
        answers = subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0
        if answers:
            os.execv(found, [found, *sys.argv])  # noqa: S606  (no shell wanted)
    raise SetupError(
        "Shipclock needs Python 3.11, 3.12 or 3.13; `python3` here is %d.%d. Install one "
        "(macOS: brew install python@3.13; Debian, Ubuntu: sudo apt install python3 python3-venv; "
        "or see python.org), then run the same command again. With one in an unusual place: "
        "make PYTHON=/path/to/python3.13 setup" % sys.version_info[:2]
    )


def check_tools() -> None:
    """Raise SetupError naming the first tool that is missing, and how to get it."""
    try:
        import ensurepip  # noqa: F401  (asked for only to learn whether it is there)
        import venv  # noqa: F401
    except ImportError as error:
        raise SetupError(
            "This Python cannot make virtual environments (no module %s). Install its venv "
            "package (Debian, Ubuntu: sudo apt install python%d.%d-venv), then run the same "
            "command again." % (error.name, *sys.version_info[:2])
        ) from error
    for tool, fix in (
        ("make", "Debian, Ubuntu: sudo apt install make; macOS: xcode-select --install"),
        ("git", "Debian, Ubuntu: sudo apt install git; macOS: xcode-select --install"),
    ):
        if shutil.which(tool) is None:
            raise SetupError(
                "`%s` is not on PATH. Install it (%s), then run the same command again."
                % (tool, fix)
            )


def pins(name: str) -> Path:
    """Return the file that an environment is installed from."""
    return ROOT / "requirements" / (name + ".txt")


def python_of(name: str) -> Path:
    """Return the interpreter of one of our environments."""
    return VENVS / name / "bin" / "python"


def wanted_stamp(name: str) -> str:
    """Return what an environment's stamp says when the environment is up to date.

    The folder is part of it because an environment does not survive being moved.
    """
    digest = hashlib.sha256(pins(name).read_bytes()).hexdigest()
    return "%s\n%s\n%s\n" % (digest, sys.version, (VENVS / name).resolve())


def is_ready(name: str) -> bool:
    """Tell whether an environment is up to date."""
    stamp = VENVS / name / "shipclock-stamp"
    try:
        return stamp.read_text() == wanted_stamp(name) and python_of(name).exists()
    except FileNotFoundError:
        return False


def run(command: list[str], what: str, environ: dict[str, str] | None = None) -> None:
    """Run a command quietly; raise SetupError with the end of its output if it fails."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environ,
        cwd=ROOT,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError("%s failed:\n%s" % (what, "\n".join(done.stdout.splitlines()[-15:])))


def index_settings(python: Path) -> dict[str, str]:
    """Return what the machine tells pip about package indexes, in uv's words.

    uv reads no pip configuration; behind a company's mirror it would not find a single package.
    """
    listed = subprocess.run(
        [str(python), "-m", "pip", "config", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    ).stdout
    ours = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    # Every index is as good as the next, as with pip: each file is checked against its hash.
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        name = ours.get(key.rsplit(".", 1)[-1])
        if name and name not in os.environ:
            with contextlib.suppress(ValueError, SyntaxError):
                words = str(ast.literal_eval(value)).split()
                settings[name] = (",".join if name == "UV_FIND_LINKS" else " ".join)(words)
    return settings


def make_venv(name: str) -> None:
    """Make one empty environment with pip in it."""
    run([sys.executable, "-m", "venv", "--clear", str(VENVS / name)], "Making .venvs/" + name)


def install_with_pip(name: str) -> None:
    """Fill an environment with pip."""
    make_venv(name)
    run(
        [
            *(str(python_of(name)), "-m", "pip", "install", "--quiet"),
            *("--disable-pip-version-check", "--require-hashes", "--requirement", str(pins(name))),
        ],
        "Installing requirements/%s.txt" % name,
    )


def install_with_uv(name: str, environ: dict[str, str]) -> None:
    """Fill an environment with uv, about ten times faster than pip."""
    uv = str(VENVS / "uv" / "bin" / "uv")
    common = ["--quiet", "--no-config", "--no-python-downloads"]
    venv = str(VENVS / name)
    run(
        [uv, "venv", *common, "--clear", "--python", sys.executable, venv],
        "Making .venvs/" + name,
        environ,
    )
    run(
        [
            *(uv, "pip", "install", *common, "--python", str(python_of(name))),
            *("--require-hashes", "--requirement", str(pins(name))),
        ],
        "Installing requirements/%s.txt" % name,
        environ,
    )


def install(name: str, environ: dict[str, str] | None) -> str:
    """Make one environment and stamp it; return its name."""
    if environ is None:
        install_with_pip(name)
    else:
        try:
            install_with_uv(name, environ)
        except SetupError:
            # uv is here for its speed alone; pip installs the same pins, and its settings on this
            # machine may know of a proxy or a certificate that uv does not.
            say("  %s: the quick installer failed, trying pip (a minute or so)" % name)
            install_with_pip(name)
    (VENVS / name / "shipclock-stamp").write_text(wanted_stamp(name))
    return name


def prepare_uv() -> dict[str, str] | None:
    """Return the environment to run uv in; None where uv can't be had and pip must do."""
    if not is_ready("uv"):
        install_with_pip("uv")
        (VENVS / "uv" / "shipclock-stamp").write_text(wanted_stamp("uv"))
    uv = VENVS / "uv" / "bin" / "uv"
    if subprocess.call([str(uv), "--version"], stdout=subprocess.DEVNULL) != 0:
        return None
    return {**os.environ, **index_settings(python_of("uv"))}


def main(names: list[str]) -> int:
    """Make the named environments, or all; return the exit status."""
    try:
        use_a_fitting_python()
        known = (*ENVIRONMENTS, *ON_REQUEST)
        unknown = sorted(set(names) - set(known) - {"uv"})
        if unknown:
            raise SetupError(
                "No environment is called %s; there are: %s."
                % (", ".join(unknown), ", ".join(known))
            )
        missing = [name for name in names or ENVIRONMENTS if not is_ready(name)]
        if not missing:
            return 0
        check_tools()
        began = time.monotonic()
        say("Setting up %s, once (about a minute)" % ", ".join(".venvs/" + n for n in missing))
        if sys.version_info[:2] > NEWEST_TRIED:
            say(
                "  note: Python %d.%d is newer than what this was tried with" % sys.version_info[:2]
            )
        VENVS.mkdir(exist_ok=True)
        environ = prepare_uv()
        with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
            jobs = [pool.submit(install, name, environ) for name in missing if name != "uv"]
            for job in concurrent.futures.as_completed(jobs):
                say("  %s ready after %.0f s" % (job.result(), time.monotonic() - began))
    except SetupError as error:
        say("setup: %s" % error)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
