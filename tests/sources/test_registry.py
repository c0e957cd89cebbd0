"""The registry, and what every source must offer."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from shipclock import sources
from shipclock.sources import (
    CARRIERS,
    MAPPINGS,
    MARKETPLACES,
    MODULES,
    SOURCES,
    accounts_of,
    source,
)
from shipclock.sources.protocol import Source

HELPERS = {"__init__", "fields", "history", "jwks", "meaning", "protocol", "signatures", "tokens"}
OFFERED = ("LIMIT", "FORM", "EVIDENCE", "verify", "acknowledge", "translate")
LARGEST_ROW = 350 * 1024


def test_every_module_but_the_helpers_is_in_the_registry() -> None:
    folder = Path(str(sources.__file__)).parent
    assert {path.stem for path in folder.glob("*.py")} - HELPERS == {*MARKETPLACES, *MODULES}
    assert len(set(SOURCES)) == len(SOURCES)
    assert not set(MARKETPLACES) & set(CARRIERS)


def test_every_mapping_is_in_the_registry_and_none_takes_the_name_of_a_module() -> None:
    folder = Path(str(sources.__file__)).parent / "mappings"
    assert {path.name.removesuffix(".toml") for path in folder.iterdir()} == set(MAPPINGS)
    assert not {*MARKETPLACES, *MODULES} & set(MAPPINGS)
    assert MODULES + MAPPINGS == CARRIERS


def test_what_is_asked_of_a_source_here_is_what_the_protocol_asks() -> None:
    asked = {n for n in {**vars(Source), **Source.__annotations__} if not n.startswith("_")}
    assert asked == set(OFFERED)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_offers_what_the_protocol_asks(name: str) -> None:
    module: Any = source(name)
    assert all(hasattr(module, offered) for offered in OFFERED)
    for call in ("verify", "acknowledge", "translate"):
        ours = list(inspect.signature(getattr(module, call)).parameters)
        theirs = list(inspect.signature(getattr(Source, call)).parameters)
        assert ours == theirs[1:], call
    assert 0 < module.LIMIT <= LARGEST_ROW
    assert all(header == header.lower() for header in module.EVIDENCE)


@pytest.mark.parametrize(
    "name", ["", "__init__", "fields", "signatures", "TIKTOK_SHOP", "../settings", "os"]
)
def test_what_is_not_in_the_registry_is_no_source(name: str) -> None:
    with pytest.raises(KeyError):
        source(name)


# The sources' secret


def test_a_source_that_is_not_set_up_has_no_accounts() -> None:
    assert accounts_of({}, "tiktok_shop") == ()
    assert accounts_of({"tiktok_shop": []}, "tiktok_shop") == ()


def test_an_account_is_read_with_its_secrets_and_shops() -> None:
    told = {"x": [{"account": "a", "secrets": ["one", "two"], "shops": [749, "750"]}]}
    (account,) = accounts_of(told, "x")
    assert (account.name, account.secrets, account.shops) == ("a", ("one", "two"), ("749", "750"))
    (unnamed,) = accounts_of({"x": [{"secrets": ["one"]}]}, "x")
    assert (unnamed.name, unnamed.shops) == ("default", ())


@pytest.mark.parametrize("hosts", [[], ["images.example.net"], ["*"], "x", None, 5])
def test_where_its_pictures_may_be_fetched_from_lets_no_account_in_or_out(hosts: object) -> None:
    told = {"x": [{"account": "a", "secrets": ["one"], "proof_hosts": hosts}]}
    assert [account.name for account in accounts_of(told, "x")] == ["a"]


@pytest.mark.parametrize("secrets", [[], [""], [None], [5]])
def test_an_account_without_a_secret_lets_nobody_in(secrets: list[object]) -> None:
    assert accounts_of({"x": [{"account": "a", "secrets": secrets}]}, "x") == ()


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        7,
        "made-up-secret",
        {"account": "a", "secrets": ["made-up-secret"]},
        ["made-up-secret"],
        [["made-up-secret"]],
        [{"account": "a"}],
        [{"account": "a", "secrets": None}],
        [{"account": "a", "secrets": "made-up-secret"}],
        [{"account": "a", "secrets": {"made-up-secret": 1}}],
        [{"account": "a", "secrets": ["made-up-secret"], "shops": "749"}],
        [{"account": "a", "secrets": ["made-up-secret"], "shops": None}],
    ],
)
def test_a_malformed_secret_is_an_error_that_names_the_source_and_quotes_nothing(
    malformed: object,
) -> None:
    with pytest.raises(ValueError, match="secret of source x is malformed") as fault:
        accounts_of({"x": malformed}, "x")
    assert "made-up-secret" not in str(fault.value)
    assert fault.value.__suppress_context__
