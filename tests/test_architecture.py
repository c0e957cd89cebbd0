"""Which part may know which other, read off the source."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cli import mutants
from shipclock import rules
from shipclock.rules import names

ROOT = Path(__file__).parent.parent
LAYER = ROOT / "layers" / "common"
PACKAGE = LAYER / "shipclock"
STDLIB = set(sys.stdlib_module_names)
OUTSIDE = {"boto3", "botocore", "requests", "urllib3", "aws_lambda_powertools"}
TYPES_ONLY = {"types_boto3_dynamodb", "types_boto3_events", "types_boto3_sns"}


def name_of(path: Path, base: Path = LAYER) -> str:
    """`shipclock.rules.policy` of a file."""
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Every module of the layer's package by name."""
    return {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def statements(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements, those for the type checker alone left out."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        else:
            waiting += ast.iter_child_nodes(node)


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules a file imports; `from a import b` is `a.b` where that is one of ours."""
    found: set[str] = set()
    for node in statements(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(whole if whole in modules() else base)
    return frozenset(found)


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


FORESIGHT = ("ahead", "forecast", "lines", "tally", "until")
"""The pure part of what lies ahead."""

ALLOWED = {
    "shipclock.domain": ("shipclock.domain",),
    "shipclock.rules": (
        "shipclock.domain",
        "shipclock.meant",
        "shipclock.rules",
        "shipclock.toml_lines",
    ),
    "shipclock.sources": (
        "shipclock.domain",
        "shipclock.meant",
        "shipclock.ports",
        "shipclock.reading",
        "shipclock.sources",
        "shipclock.toml_lines",
    ),
    "shipclock.marketplaces": (
        "shipclock.domain",
        "shipclock.ports",
        "shipclock.reading",
        "shipclock.marketplaces",
    ),
    "shipclock.fulfillment": ("shipclock.domain", "shipclock.rules", "shipclock.fulfillment"),
    # What lies ahead of one order: `decide` and what it takes, and nothing that reads or writes.
    **{
        f"shipclock.horizon.{name}": (
            "shipclock.decide",
            "shipclock.domain",
            "shipclock.escalation",
            "shipclock.meant",
            "shipclock.rules",
            "shipclock.situation",
            *(f"shipclock.horizon.{other}" for other in FORESIGHT),
        )
        for name in FORESIGHT
    },
    # How people are told is worked out apart from the table and the wire.
    "shipclock.escalation": ("shipclock.domain", "shipclock.rules", "shipclock.situation"),
    "shipclock.events": (),
    "shipclock.notify.hours": (),
    "shipclock.notify.destinations": (
        "shipclock.domain",
        "shipclock.events",
        "shipclock.imagelinks",
        "shipclock.notify.hours",
        "shipclock.ports",
        "shipclock.sources.standard_webhooks",
    ),
    "shipclock.notify.wording": (
        "shipclock.domain",
        "shipclock.events",
        "shipclock.notify.destinations",
        "shipclock.sources.standard_webhooks",
    ),
    "shipclock.reading": ("shipclock.domain",),
    "shipclock.meant": (),
    "shipclock.ports": (),
    "shipclock.rows": ("shipclock.domain", "shipclock.ports"),
}


LIBRARIES = {
    ("shipclock.rules.calendar", "holidays"),
    ("shipclock.rules.packs", "pydantic"),
    ("shipclock.rules.figures", "pydantic"),
    ("shipclock.rules.policy", "pydantic"),
    ("shipclock.fulfillment.terms", "pydantic"),
    ("shipclock.events", "pydantic"),
    ("shipclock.notify.destinations", "pydantic"),
    ("shipclock.marketplaces.tiktok_shop.signing", "urllib3"),
    ("shipclock.sources.jwks", "cryptography"),
    ("shipclock.sources.mapped.paths", "jmespath"),
}
"""Libraries that pure parts use for what involves no I/O: public holidays, checking what people
write, encoding a form, RSA, finding what a path leads to."""


def test_the_package_is_found() -> None:
    assert len(modules()) > 40
    assert {"shipclock", "shipclock.rules.policy", "shipclock.adapters.http"} <= modules().keys()


@pytest.mark.parametrize("package", ALLOWED)
def test_the_pure_parts_know_only_what_they_may(package: str) -> None:
    inside = [name for name in modules() if within(name, package)]
    assert inside
    for name in inside:
        for wanted in imports(modules()[name]):
            top = wanted.partition(".")[0]
            if (name, top) in LIBRARIES:
                continue
            known = top in STDLIB or wanted == "shipclock" or within(wanted, *ALLOWED[package])
            assert known, f"{name} imports {wanted}"


@pytest.mark.parametrize(
    "package",
    ["shipclock.domain", "shipclock.rules", "shipclock.fulfillment", "shipclock.horizon"],
)
def test_the_core_asks_no_clock_no_dice_and_no_machine(package: str) -> None:
    banned = {"time", "random", "os", "socket", "subprocess", "threading", "uuid", "logging"}
    for name, path in modules().items():
        if within(name, package):
            assert not banned & {wanted.partition(".")[0] for wanted in imports(path)}, name


def test_only_adapters_and_wiring_speak_to_aws_and_the_network() -> None:
    for name, path in modules().items():
        outside = OUTSIDE & {wanted.partition(".")[0] for wanted in imports(path)}
        outside -= {library for module, library in LIBRARIES if module == name}
        if outside:
            assert within(name, "shipclock.adapters", "shipclock.wiring"), f"{name}: {outside}"


def test_the_layer_needs_nothing_but_what_it_pins() -> None:
    lines = (LAYER / "requirements.txt").read_text("utf-8").splitlines()
    pinned = {line.split("==")[0].strip().replace("-", "_") for line in lines if "==" in line}
    names = pinned - {"aws_lambda_powertools"} | {"aws_lambda_powertools", "shipclock"}
    for name, path in modules().items():
        for wanted in imports(path):
            top = wanted.partition(".")[0]
            assert top in STDLIB | names, f"{name} imports {wanted}"


def importers(of: str) -> set[str]:
    """The modules of the layer that import this one, or anything in it, and are not in it."""
    return {
        name
        for name, path in modules().items()
        if not within(name, of) and any(within(wanted, of) for wanted in imports(path))
    }


def test_nobody_in_the_layer_imports_the_wiring() -> None:
    assert importers("shipclock.wiring") == set()


def test_nobody_in_the_layer_but_the_wiring_imports_adapters() -> None:
    assert importers("shipclock.adapters") == {"shipclock.wiring"}


def test_of_the_functions_only_ingest_goes_past_the_wiring_and_to_its_own_adapters_only() -> None:
    past = {
        path.relative_to(ROOT).as_posix(): {w for w in imports(path) if "adapters" in w}
        for path in python_files("functions")
        if any(within(wanted, "shipclock.adapters") for wanted in imports(path))
    }
    own = {"shipclock.adapters.aws_json", "shipclock.adapters.published"}
    assert past == {"functions/ingest/app.py": own}


def test_the_sandbox_knows_nothing_of_the_product_nor_the_product_of_the_sandbox() -> None:
    for path in python_files("sandbox"):
        for wanted in imports(path):
            assert wanted.partition(".")[0] in STDLIB | {"sandbox"}, f"{path}: {wanted}"
    for path in python_files("layers/common/shipclock", "functions"):
        tops = {wanted.partition(".")[0] for wanted in imports(path)}
        assert not tops & {"sandbox", "tests", "cli", "benchmarks"}, path


def test_the_registries_are_complete() -> None:
    files = {path.stem for path in (PACKAGE / "rules").glob("*.py")}
    files -= {"__init__", "calendar", "figures", "incidents", "names", "packs", "policy", "rule"}
    assert {rule.name for rule in rules.RULES} == files | {"deadlines_delayed"}
    assert set(names.rule_names()) == files - {"deadlines", "marketplace_fields"}
    deeming = tuple(rule for rule in rules.RULES if rule.deems)
    assert deeming == rules.abnormal_delivery.DEEMING_RULES


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {
        name: {
            wanted
            for wanted in imports(path)
            # a package's own name is its __init__, which a module in it has loaded anyway
            if wanted in modules() and not within(name, wanted)
        }
        for name, path in modules().items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for wanted in sorted(graph[name]):
                visit(wanted, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())
    assert done == graph.keys()


def test_types_of_the_sdk_are_for_the_type_checker_alone() -> None:
    for name, path in modules().items():
        assert not TYPES_ONLY & {wanted.partition(".")[0] for wanted in imports(path)}, name


def test_every_module_says_what_it_is_for() -> None:
    for name, path in modules().items():
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), name


def test_the_pure_tests_need_no_more_of_the_tests_than_mutants_are_given() -> None:
    given = tuple(f"tests.{name.removesuffix('.py')}" for name in mutants.TESTS)
    for path in python_files("tests/domain", "tests/rules"):
        for wanted in imports(path):
            if within(wanted, "tests"):
                assert wanted == "tests" or within(wanted, *given), f"{path}: {wanted}"
