"""Sources without code: what one file in `mappings/` tells of a sender, as a source of its own.

Nothing but the standard library is needed to prove a sender, so a cold start pays for reading one
file at most; JMESPath is loaded when a delivery is translated. Decision 0026 tells why.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from shipclock.sources import MAPPINGS, Account, Delivery, Headers, Translation
from shipclock.sources.mapped.report import MappingError, Problem, Report
from shipclock.sources.mapped.schema import read
from shipclock.sources.mapped.spec import Spec

FOLDER = Path(__file__).parent.parent / "mappings"
SUFFIX = ".toml"


class Mapped:
    """A sender that a mapping tells of: a `Source` like any module beside."""

    def __init__(self, spec: Spec) -> None:
        """What the registry and ingest ask of a source."""
        self.spec = spec
        self.NAME = spec.name
        self.LIMIT = spec.limit
        self.FORM = spec.form
        self.EVIDENCE = spec.proof.evidence

    def verify(
        self, headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime
    ) -> Account:
        """The account that proves itself by the mapping's strategy."""
        return self.spec.proof.verify(self.spec.name, headers, body, accounts, now)

    def acknowledge(self, body: bytes) -> bytes:
        """What the mapping says that this sender wants to hear."""
        return self.spec.ack

    def translate(self, delivery: Delivery) -> Translation:
        """The scans that the mapping's paths find, and the links to orders.

        Raises `Unreadable` naming the path, and ValueError where the body is no object.
        """
        # JMESPath is loaded here, since ingest has no use for it
        from shipclock.sources.mapped import telling

        return telling.read(self.spec, delivery).translation()


@cache
def load(name: str) -> Mapped:
    """The source of that name's mapping. KeyError if there is none; raises `MappingError`, with
    every wrong line, where it can't be used. Its JMESPaths are not looked into: `check` does."""
    if name not in MAPPINGS:
        raise KeyError(name)
    return unchecked(name, (FOLDER / f"{name}{SUFFIX}").read_bytes())


def unchecked(name: str, raw: bytes) -> Mapped:
    """The source of a mapping's file, its JMESPaths not looked into. Raises `MappingError`."""
    report = Report(name, raw)
    spec = read(report)
    report.check()
    return Mapped(spec)


def check(name: str, raw: bytes) -> tuple[Spec, tuple[Problem, ...]]:
    """All of a mapping's file, its JMESPaths too, before anything arrives: what it says, and what
    is worth knowing of it. Raises `MappingError` with every wrong line."""
    from shipclock.sources.mapped import paths

    report = Report(name, raw)
    spec = read(report)
    paths.check(report)
    report.check()
    return spec, tuple(sorted(set(report.warnings)))


__all__ = ["FOLDER", "SUFFIX", "Mapped", "MappingError", "Problem", "check", "load", "unchecked"]
