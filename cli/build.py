"""`sam build` for both targets, and the check of what goes to Lambda.

The local build is kept under a hash of everything that goes into it, so an unchanged one is found
again at once, and a stack that is running keeps the one it was deployed from.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli import template
from shipclock.rules import packs
from shipclock.sources.mapped import SUFFIX, MappingError, check

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venvs"
AWS_BUILD = ROOT / ".aws-sam" / "build"
LOCAL_BUILDS = ROOT / ".local" / "build"
KEPT_LOCAL_BUILDS = 3
MAPPINGS = ROOT / "layers" / "common" / "shipclock" / "sources" / "mappings"
PACKS = ROOT / "layers" / "common" / "shipclock" / "rules" / "policies"

# Values that Lambda itself puts into every function's environment.
LAMBDA_ENVIRONMENT = {"AWS_REGION": "us-east-1"}

# `sam` speaks to people in a terminal unless told otherwise.
QUIET_SAM = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_UPDATES": "0"}

_FOR_LAMBDA = re.compile(r"\.(cpython-313-aarch64-linux-gnu|abi3)\.so$")
_AARCH64 = 0xB7


class BuildError(Exception):
    """The build failed or made something that Lambda can't run; the message says what to do."""


def sam(*arguments: str, environ: Mapping[str, str], cwd: Path = ROOT) -> str:
    """Run `sam` and return its output; raise BuildError with the end of it if it fails."""
    done = subprocess.run(
        [str(VENVS / "sam" / "bin" / "sam"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**environ, **QUIET_SAM},
        cwd=cwd,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(done.stdout.splitlines()[-25:])
        raise BuildError(f"`sam {arguments[0]}` failed. Its last words:\n{said}")
    return done.stdout


def sources() -> Iterator[Path]:
    """Yield every file that goes into a build, in a fixed order."""
    yield ROOT / "template.yaml"
    # A newer sam or another Python may build something else from the same files.
    yield ROOT / "requirements" / "sam.txt"
    for folder in ("functions", "layers"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def fingerprint() -> str:
    """Return a short hash of everything that goes into the local build."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sources():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def build_local() -> Path:
    """Build for the local AWS unless that was done already; return the built template."""
    _check_data()
    folder = LOCAL_BUILDS / fingerprint()
    built = folder / "template.yaml"
    if built.exists():
        os.utime(folder)
        return built
    LOCAL_BUILDS.mkdir(parents=True, exist_ok=True)
    # Built aside and renamed: two stacks may start at once, and neither must see half a build.
    with tempfile.TemporaryDirectory(dir=LOCAL_BUILDS, prefix="new-") as scratch:
        made = Path(scratch) / "made"
        _sam_build(made, target="local", python=VENVS / "cloud" / "bin" / "python")
        if not built.exists():
            made.rename(folder)
    _forget_old_builds()
    return built


def _forget_old_builds() -> None:
    folders = [one for one in LOCAL_BUILDS.iterdir() if not one.name.startswith("new-")]
    folders.sort(key=lambda one: one.stat().st_mtime, reverse=True)
    for old in folders[KEPT_LOCAL_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)


def build_aws() -> Path:
    """Build for Lambda into `.aws-sam/build` and check it; return the built template."""
    _check_data()
    _sam_build(AWS_BUILD, target="aws", python=VENVS / "uv" / "bin" / "python")
    problems = [*unfit_for_lambda(AWS_BUILD), *missing_imports(AWS_BUILD)]
    if problems:
        raise BuildError(
            "The build would not run on Lambda (CPython 3.13, aarch64):\n  "
            + "\n  ".join(problems)
            + "\nAn import that the layer lacks goes into layers/common/requirements.in, then "
            "`make lock`. A file of the wrong kind: see AWS_WHEELS in layers/common/Makefile."
        )
    return AWS_BUILD / "template.yaml"


def wrong_mappings(folder: Path) -> Iterator[str]:
    """Yield every wrong line of a folder's mappings."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            check(path.name.removesuffix(SUFFIX), path.read_bytes())
        except MappingError as error:
            yield from (f"{path.name}:{problem.line}: {problem.told}" for problem in error.problems)


def wrong_packs() -> Iterator[str]:
    """Yield every wrong line of the policy packs."""
    for name in packs.names():
        try:
            packs.load(name)
        except packs.PolicyError as error:
            yield from (f"{error.name}.toml: {slip}" for slip in error.slips)


def _check_data() -> None:
    """Refuse what the functions could not use, before it is anywhere."""
    for folder, wrong, checks in (
        (MAPPINGS, wrong_mappings(MAPPINGS), "carriers try"),
        (PACKS, wrong_packs(), "policy lint"),
    ):
        if lines := list(dict.fromkeys(wrong)):
            raise BuildError(
                f"Mend these lines in {folder.relative_to(ROOT)}:\n  "
                + "\n  ".join(lines)
                + f"\n`shipclock {checks} FILE` checks one file."
            )


def _sam_build(folder: Path, *, target: str, python: Path) -> None:
    sam(
        *("build", "--no-cached", "--parallel", "--build-dir", str(folder)),
        *("--template-file", str(ROOT / "template.yaml"), "--region", "us-east-1"),
        environ={**os.environ, "SHIPCLOCK_TARGET": target, "SHIPCLOCK_PYTHON": str(python)},
    )


def unfit_for_lambda(build: Path) -> Iterator[str]:
    """Yield what in a build for Lambda is not CPython 3.13 on aarch64, each with the reason."""
    layer = build / "CommonLayer" / "python"
    if not (layer / "shipclock" / "__init__.py").exists():
        yield "CommonLayer/python/shipclock is missing"
    libraries = sorted(path for path in layer.rglob("*") if ".so" in path.suffixes)
    if not any("pydantic_core" in path.parts for path in libraries):
        yield "pydantic_core has no compiled part: the requirements are missing"
    for path in libraries:
        name = path.relative_to(layer)
        # Byte 18 of an ELF file is its machine.
        machine = int.from_bytes(path.read_bytes()[18:20], "little")
        if machine != _AARCH64:
            yield f"{name}: not for aarch64"
        # A library that is no extension module (in some *.libs folder) has no Python tag.
        elif not path.parent.name.endswith(".libs") and not _FOR_LAMBDA.search(path.name):
            yield f"{name}: not for CPython 3.13"


def missing_imports(build: Path) -> Iterator[str]:
    """Yield what our code in a build for Lambda imports and would not find there.

    The local AWS lends our functions its own environment, so a requirement that the layer lacks
    would only be missed on Lambda.
    """
    layer = build / "CommonLayer" / "python"
    there = {path.name.partition(".")[0] for path in layer.iterdir()} | sys.stdlib_module_names
    functions = [build / name / "app.py" for name in ("Ingest", "Sweeper", "Hub")]
    for path in [*functions, *sorted((layer / "shipclock").rglob("*.py"))]:
        try:
            tree = ast.parse(path.read_text())
        except SyntaxError as error:
            yield f"{path.relative_to(build)}, line {error.lineno}: {error.msg}"
            continue
        for node in _run_parts(tree):
            match node:
                case ast.Import(names=names):
                    imported = [one.name for one in names]
                case ast.ImportFrom(module=str(module)):
                    imported = [module]
                case _:
                    continue
            for name in imported:
                if name.partition(".")[0] not in there:
                    yield f"{path.relative_to(build)} imports {name}, which the layer lacks"


def _run_parts(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of a module but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=otherwise):
                parts: list[ast.AST] = [*otherwise]
            case _:
                parts = [node]
        for part in parts:
            yield part
            yield from _run_parts(part)


def write_ingest_environment(path: Path, deployed: Mapping[str, str] | None = None) -> None:
    """Write the environment the template gives the ingest function, as NAME=value lines.

    Without the values of a deployed function, the template's own with made-up names.
    """
    values = {**LAMBDA_ENVIRONMENT, **(deployed or template.environment_of("Ingest"))}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}={value}\n" for name, value in sorted(values.items())))
