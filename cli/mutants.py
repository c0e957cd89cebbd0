"""Mutation testing of what decides: `make mutants`, or some of it with MUTANTS='*untracked*'.

mutmut changes one thing at a time in the rules and the fold, and the pure tests must notice. It
works in `.mutants/`, on a copy in which two things are spelled otherwise, for it wants the package
in `src/` and passes decorated functions over. Its settings are in `pyproject.toml`.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "layers" / "common" / "shipclock"
PLACE = ROOT / ".mutants"
LOG = PLACE / "run.log"
MUTMUT = Path(sys.executable).with_name("mutmut")

TESTS = ("builders.py", "pictures.py", "rules", "domain")
"""What the pure tests are and need. `cli/mutants_conftest.py` stands for `tests/conftest.py`."""

NO_CACHE = "__import__('functools').lru_cache(0)"
NOTICED = ("killed", "timeout")


def without_decorators(source: str) -> str:
    """The same module with each `@wrapped` function as a plain one that is wrapped in a line after.

    `@cache` and `@lru_cache` keep nothing: a mutant would hide behind what was computed before it
    came.
    """
    lines: list[str | None] = [*source.splitlines()]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.decorator_list and node.end_lineno:
            first = min(decorator.lineno for decorator in node.decorator_list)
            lines[first - 1 : node.lineno - 1] = [None] * (node.lineno - first)
            wrapped = node.name
            for decorator in map(ast.unparse, reversed(node.decorator_list)):
                caches = decorator == "cache" or decorator.startswith("lru_cache(")
                wrapped = f"{NO_CACHE if caches else decorator}({wrapped})"
            lines[node.end_lineno - 1] = (
                f"{lines[node.end_lineno - 1]}\n{' ' * node.col_offset}{node.name} = {wrapped}"
            )
    return "\n".join(line for line in lines if line is not None) + "\n"


def lay_out() -> None:
    """Make the working folder anew."""
    shutil.rmtree(PLACE, ignore_errors=True)
    caches = shutil.ignore_patterns("__pycache__")
    package = PLACE / "src" / PACKAGE.name
    shutil.copytree(PACKAGE, package, ignore=caches)
    for path in package.rglob("*.py"):
        path.write_text(without_decorators(path.read_text("utf-8")), "utf-8")
    (PLACE / "tests").mkdir()
    for name in TESTS:
        source, target = ROOT / "tests" / name, PLACE / "tests" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=caches)
        else:
            shutil.copy(source, target)
    samples = Path("tests", "samples", "tiktok", "answers")
    shutil.copytree(ROOT / samples, PLACE / samples)
    shutil.copy(ROOT / "cli" / "mutants_conftest.py", PLACE / "tests" / "conftest.py")
    shutil.copy(ROOT / "pyproject.toml", PLACE)


def say(text: str) -> None:
    """Print one line of the findings."""
    sys.stdout.write(text + "\n")


def _mutmut(*words: str) -> str:
    done = subprocess.run(
        [str(MUTMUT), *words], cwd=PLACE, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def results() -> Iterator[tuple[str, str]]:
    """Every mutant's name with what became of it."""
    for line in _mutmut("results", "--all", "true").splitlines():
        name, _, end = line.strip().rpartition(": ")
        yield name, end


def main(chosen: list[str]) -> int:
    """Run the chosen mutants, or all; print those nobody noticed, and the figures."""
    lay_out()
    children = str(min(os.cpu_count() or 1, 2))
    command = [str(MUTMUT), "run", "--max-children", children, *chosen]
    with LOG.open("w") as log:
        watched = None if sys.stdout.isatty() else log  # it draws its progress
        ran = subprocess.run(command, cwd=PLACE, stdout=watched, check=False)
    if ran.returncode != 0:
        say(LOG.read_text("utf-8")[-2000:])
        return ran.returncode
    ends: dict[str, Counter[str]] = defaultdict(Counter)
    for name, end in results():
        if end == "not checked":
            continue
        module = name.partition(".x")[0]
        ends[module][end] += 1
        if end not in NOTICED:
            say(f"\n{end}: {_mutmut('show', name)}")
    total: Counter[str] = sum(ends.values(), Counter())
    for module, counted in [*sorted(ends.items()), ("all", total)]:
        noticed = sum(counted[end] for end in NOTICED)
        share = 100 * noticed / counted.total()
        rest = ", ".join(f"{n} {end}" for end, n in counted.items() if end not in NOTICED)
        say(f"{module:<42} {noticed:>5} of {counted.total():>5}  {share:5.1f} %  {rest}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
