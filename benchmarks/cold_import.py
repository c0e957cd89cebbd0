"""A cold start's import: a fresh interpreter that imports ingest, against the usual recipe's.

Measured: whole processes, interpreter start included, in turns, wall time and processor time (user
and system; the less noisy of the two). Requirements and our package are copied into a folder of
their own, once with bytecode beside them and once without any, as a build on a machine without
Lambda's Python ships them (the standard library always has its bytecode, as on Lambda). Also the
two other roads to AWS that decision 0003 weighs: botocore's signer with urllib3,
and boto3 clients. The environment is the one that template.yaml gives the function.
"""

import compileall
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import boto3

from benchmarks import ROOT
from benchmarks.measure import Bar, Outcome, Table, alternately, medians, millis, ratio
from cli.template import environment_of

PACKAGES = (
    *("annotated_types", "aws_lambda_powertools", "boto3", "botocore", "dateutil", "jmespath"),
    *("pydantic", "pydantic_core", "s3transfer", "typing_extensions.py", "typing_inspection"),
    *("six.py", "urllib3"),
)
SERVICES = ("dynamodb", "secretsmanager")
APPS = {
    "ingest": "functions/ingest/app.py",
    "recipe": "benchmarks/recipe/app.py",
    "botocore signer": "benchmarks/variants/signer.py",
    "boto3 clients": "benchmarks/variants/sdk_client.py",
}
BARE = "bare interpreter"


def run(quick: bool) -> Outcome:
    """Measure, in fresh processes."""
    outcome = Outcome("cold_import", "whole process, median ms: ingest | the usual recipe")
    rounds = 5 if quick else 21
    with tempfile.TemporaryDirectory(prefix="shipclock-bench-") as scratch:
        for kind in ("with bytecode", "without"):
            folder = Path(scratch) / kind.replace(" ", "-")
            _copy(folder)
            if kind == "with bytecode":
                compileall.compile_dir(folder, quiet=2, workers=2)
            cpu: dict[str, list[float]] = {name: [] for name in (*APPS, BARE)}
            measures = {name: _process(folder, name, cpu[name]) for name in (*APPS, BARE)}
            wall = medians(alternately(measures, rounds))
            spent = medians({name: figures[1:] for name, figures in cpu.items()})
            _tell(outcome, kind, wall, spent)
    return outcome


def _copy(folder: Path) -> None:
    """The requirements and our code, without any bytecode."""
    site = Path(boto3.__file__).parent.parent
    for name in PACKAGES:
        source = site / name
        if source.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
        else:
            shutil.copytree(source, folder / name, ignore=_unwanted)
    package = ROOT / "layers" / "common" / "shipclock"
    shutil.copytree(package, folder / "shipclock", ignore=_unwanted)
    for name, path in APPS.items():
        (folder / _module(name)).mkdir()
        shutil.copy(ROOT / path, folder / _module(name) / "app.py")


def _unwanted(folder: str, names: list[str]) -> set[str]:
    """Bytecode, and the SDK's data of services that nobody here calls."""
    unwanted = {name for name in names if name == "__pycache__"}
    if folder.endswith("botocore/data"):
        unwanted |= {n for n in names if "." not in n and n not in SERVICES}
    return unwanted


def _module(name: str) -> str:
    return "app_" + name.replace(" ", "_").replace("-", "_")


def _process(folder: Path, name: str, cpu: list[float]) -> Callable[[], float]:
    """A measure: the seconds of one fresh process; notes its processor seconds beside."""
    paths = [str(folder)] if name == BARE else [str(folder / _module(name)), str(folder)]
    environ = {
        **environment_of("Ingest"),
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "bench",
        **{n: "bench" for n in ("ORDERS_TABLE", "IDEMPOTENCY_TABLE", "APP_KEY", "APP_SECRET")},
    }
    # -S: nothing of the environment's own packages, only the folder's.
    command = [sys.executable, "-S", "-c", "pass" if name == BARE else "import app; app.handler"]

    def measure() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = perf_counter()
        subprocess.run(command, env=environ, check=True, cwd=folder)
        took = perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return took

    return measure


def _tell(outcome: Outcome, kind: str, wall: dict[str, float], spent: dict[str, float]) -> None:
    rows = [
        (
            name,
            millis(wall[name]),
            ratio(wall[name], wall["recipe"]),
            millis(spent[name]),
            ratio(spent[name], spent["recipe"]),
        )
        for name in (*APPS, BARE)
    ]
    columns = (kind, "wall ms", "of recipe", "cpu ms", "of recipe")
    outcome.tables.append(Table(columns, rows))
    share = spent["ingest"] / spent["recipe"]
    outcome.bars.append(
        Bar(f"{kind}: at most half of the recipe's processor time", share <= 0.5, f"{share:.2f}")
    )
    outcome.figures[kind] = {
        name: {"wall_ms": wall[name] * 1e3, "cpu_ms": spent[name] * 1e3} for name in wall
    }
