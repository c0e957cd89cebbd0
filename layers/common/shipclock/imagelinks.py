"""Links to pictures, and the addresses behind them: which may be fetched from at all. Pure.

A link comes out of a carrier's callback, so somebody else chose it. What is not plainly a name
that the operator has listed, reached at a public address, is refused (docs/decisions/0024).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import quote

import idna

from shipclock.ports import FetchRefused
from shipclock.sources import accounts_of

LONGEST = 4096
"""Characters of a link; a signed one has some hundred to two thousand."""
LONGEST_HOST = 253

_LINK = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)")
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""A name of two labels at least. The last one begins with a letter: so no way of writing an IPv4
address fits, be it short, octal or hexadecimal."""
_KEPT = "!$%&'()*+,/:;=?@[]~"
"""What stands in a path or query as it is; anything else is escaped as UTF-8."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads: always by https, always to port 443."""

    host: str
    path: str = field(repr=False)
    """Path and query, as they are sent. Who knows them may see the picture."""


def target_of(link: str, hosts: Sequence[str] | None = None) -> Target:
    """Where a link leads, if one of these patterns (`pattern_of`) lets it; without any: wherever it
    leads, for the operator wrote it.

    Raises `FetchRefused`, whose message names the host at most: never the link.
    """
    if len(link) > LONGEST or not link.isprintable() or "\\" in link:
        raise FetchRefused("the link is too long, or holds characters that no link has")
    found = _LINK.match(link)
    if found is None or found[1].lower() != "https":
        raise FetchRefused("the link is no https link")
    authority, path = found[2], found[3]
    if "@" in authority:
        raise FetchRefused("the link names a user beside its host")
    written, _, port = authority.partition(":")
    try:
        host = host_name(written)
    except ValueError:
        raise FetchRefused("the link names no host, or an address instead of a name") from None
    if port not in ("", "443"):
        raise FetchRefused(f"the link leads to another port of {host} than 443")
    if hosts is not None and not any(_fits(host, pattern) for pattern in hosts):
        raise FetchRefused(f"{host} is not among the account's proof_hosts")
    path = quote(path, safe=_KEPT)
    return Target(host, path if path.startswith("/") else f"/{path}")


def host_name(text: str) -> str:
    """A host's name as it is compared, looked up and certified: in ASCII and lower case, without
    the dot at its end. Raises ValueError for anything else, addresses included."""
    if not 0 < len(text) <= LONGEST_HOST + 1:
        raise ValueError("a host's name has 1 to 253 characters")
    try:
        plain = text if text.isascii() else idna.encode(text, uts46=True).decode("ascii")
    except UnicodeError:
        raise ValueError("no name that a host can have") from None
    name = plain.lower().removesuffix(".")
    if len(name) > LONGEST_HOST or not _NAME.fullmatch(name):
        raise ValueError("the full name of a host was expected, such as images.example.net")
    return name


# What the operator lists


def pattern_of(text: object) -> str:
    """An entry of `proof_hosts`: a host's name, or `*.` and a name for all hosts below it (not for
    that name itself). Raises ValueError, which says what was expected."""
    if not isinstance(text, str):
        raise ValueError("a text was expected")
    if text.startswith("*."):
        return f"*.{host_name(text.removeprefix('*.'))}"
    return host_name(text)


def _fits(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern.removeprefix("*"))
    return host == pattern


def hosts_of(secrets: Mapping[str, Any], source: str, account: str) -> tuple[str, ...]:
    """The patterns that an account's `proof_hosts` in the sources' secret lists; none by default.

    An entry that is no pattern lets nothing through; `shipclock doctor` tells of it.
    """
    try:
        accounts = accounts_of(secrets, source)
    except ValueError:  # malformed: nobody of that source is let in either
        return ()
    mine = [each.options.get("proof_hosts") for each in accounts if each.name == account]
    return tuple(pattern for listed in mine for pattern in _patterns(listed))


def _patterns(listed: object) -> list[str]:
    found = []
    for text in listed if isinstance(listed, list) else []:
        try:
            found.append(pattern_of(text))
        except ValueError:
            continue
    return found


# Addresses

_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given out to the public's hosts."""

_CLOSED = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
            *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        ),
    )
)
"""The registries of special addresses: of this machine or network, of a carrier's inside, of tests,
of many hosts at once, of tunnels. What carries another address within (mapped, 6to4, Teredo, NAT64)
is here or outside `_UNICAST`, whatever it carries."""


def is_public(address: str) -> bool:
    """Whether an address, as a resolver writes it, is one host of the public internet."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and (found.scope_id or found not in _UNICAST):
        return False
    closed = any(found.version == network.version and found in network for network in _CLOSED)
    return found.is_global and not closed
