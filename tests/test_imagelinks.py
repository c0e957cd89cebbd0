"""Which links may be followed, and to which addresses: tables of tricks."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.imagelinks import (
    LONGEST,
    Target,
    host_name,
    hosts_of,
    is_public,
    pattern_of,
    target_of,
)
from shipclock.ports import FetchRefused
from tests.builders import patient

HOST = "images.example.net"
HOSTS = (HOST, "*.photos.example.org")
SECRET = "q8-made-up-signature"


def wide(text: str) -> str:
    """The same characters in their full-width forms."""
    return "".join(chr(ord(each) + 0xFEE0) for each in text)


@pytest.mark.parametrize(
    ("link", "host", "path"),
    [
        (f"https://{HOST}/a/1.jpg", HOST, "/a/1.jpg"),
        (f"https://{HOST}/a?x=1&y=%2F2#part", HOST, "/a?x=1&y=%2F2"),
        (f"https://{HOST}", HOST, "/"),
        (f"https://{HOST}?x=1", HOST, "/?x=1"),
        (f"https://{HOST}:443/1.jpg", HOST, "/1.jpg"),
        (f"https://{HOST}:/1.jpg", HOST, "/1.jpg"),
        (f"https://{HOST}./1.jpg", HOST, "/1.jpg"),
        ("HTTPS://IMAGES.Example.NET/1.jpg", HOST, "/1.jpg"),
        ("https://images\u3002example\uff0enet/1.jpg", HOST, "/1.jpg"),
        (f"https://{wide('images')}.example.net/1.jpg", HOST, "/1.jpg"),
        ("https://a.photos.example.org/1.jpg", "a.photos.example.org", "/1.jpg"),
        ("https://a.b.photos.example.org/1.jpg", "a.b.photos.example.org", "/1.jpg"),
        (f"https://{HOST}/a b/ü.jpg", HOST, "/a%20b/%C3%BC.jpg"),
        (f"https://{HOST}/a@b:c/{{1}}|<2>.jpg", HOST, "/a@b:c/%7B1%7D%7C%3C2%3E.jpg"),
        (f"https://{HOST}/../../1.jpg", HOST, "/../../1.jpg"),
        (f"https://{HOST}/#@evil.test/", HOST, "/"),
    ],
)
def test_a_link_to_a_listed_host_leads_there(link: str, host: str, path: str) -> None:
    assert target_of(link, HOSTS) == Target(host, path)


OTHER_HOSTS = (
    "https://evil.test/1.jpg",
    f"https://{HOST}.evil.test/1.jpg",
    f"https://evil.test/{HOST}",
    f"https://evil.test#{HOST}/1.jpg",
    f"https://evil.test?{HOST}/1.jpg",
    "https://xphotos.example.org/1.jpg",
    "https://photos.example.org/1.jpg",
    "https://evilphotos.example.org.test/1.jpg",
    "https://example.net/1.jpg",
    "https://xn--images-.example.net/1.jpg",
    "https://imag\u0435s.example.net/1.jpg",  # its e is Cyrillic
    f"https://a.{HOST}/1.jpg",
)


@pytest.mark.parametrize("link", OTHER_HOSTS)
def test_a_host_that_is_not_listed_is_refused(link: str) -> None:
    with pytest.raises(FetchRefused, match=r"not among|names no host"):
        target_of(link, HOSTS)


NO_LINKS = (
    "",
    " ",
    HOST,
    f"//{HOST}/1.jpg",
    f"http://{HOST}/1.jpg",
    f"ftp://{HOST}/1.jpg",
    "file:///etc/passwd",
    "data:image/png;base64,AAAA",
    f"https:/{HOST}/1.jpg",
    f"https:{HOST}/1.jpg",
    f"https:///{HOST}/1.jpg",
    f" https://{HOST}/1.jpg",
    f"jar:https://{HOST}/1.jpg",
    # users
    f"https://{HOST}@evil.test/1.jpg",
    f"https://user@{HOST}/1.jpg",
    f"https://user:word@{HOST}/1.jpg",
    f"https://evil.test@{HOST}/1.jpg",
    f"https://{HOST}:443@evil.test/1.jpg",
    f"https://@{HOST}/1.jpg",
    # what parsers disagree about
    f"https://{HOST}\\@evil.test/1.jpg",
    f"https://evil.test\\@{HOST}/1.jpg",
    f"https://evil.test\\.{HOST}/1.jpg",
    f"https:\\\\{HOST}/1.jpg",
    f"https://{HOST}/\\1.jpg",
    f"https://{HOST}\t/1.jpg",
    "https://ima\nges.example.net/1.jpg",
    f"https://{HOST}/1.jpg\r\nHost: evil.test",
    f"https://{HOST}/\x00",
    f"https://{HOST}/\u2028",
    f"https://{HOST}/\ud800",
    f"https://{HOST} /1.jpg",
    f"https://{HOST}%00.evil.test/1.jpg",
    f"https://{HOST}%2eevil.test/1.jpg",
    "https://%69mages.example.net/1.jpg",
    f"https://{HOST}../1.jpg",
    f"https://.{HOST}/1.jpg",
    "https://images..example.net/1.jpg",
    f"https://-{HOST}/1.jpg",
    "https://images_.example.net/1.jpg",
    f"https://{HOST},evil.test/1.jpg",
    f"https://{HOST};evil.test/1.jpg",
    # ports
    f"https://{HOST}:80/1.jpg",
    f"https://{HOST}:8443/1.jpg",
    f"https://{HOST}:0443/1.jpg",
    f"https://{HOST}:443:443/1.jpg",
    f"https://{HOST}:+443/1.jpg",
    f"https://{HOST}:{wide('443')}/1.jpg",
    f"https://{HOST}:443 /1.jpg",
    f"https://{HOST}/{'x' * LONGEST}",
)


@pytest.mark.parametrize("link", NO_LINKS, ids=lambda link: ascii(link[:60]))
def test_whatever_is_not_plainly_https_to_a_name_is_refused(link: str) -> None:
    with pytest.raises(FetchRefused):
        target_of(link, HOSTS)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "0"),
        *(
            "169.254.169.254",
            "169.254.169.254.",
            "1.1.1.1",
            f"{wide('127')}.0.0.1",
            "\u2460\u2461\u2466.0.0.1",
        ),
        *("[::1]", "[::ffff:127.0.0.1]", "[2606:4700::1111]", "[fe80::1%25eth0]", "::1"),
        *("localhost", "metadata", "", ".", "images", "a.0x7f", "a.1"),
        *("a" * 64 + ".example.net", "a." * 126 + "net.", "ß" * 300 + ".example.net"),
    ],
)
def test_an_address_or_half_a_name_is_no_host(host: str) -> None:
    with pytest.raises(FetchRefused):
        target_of(f"https://{host}/1.jpg", ["*.example.net", HOST])
    with pytest.raises(ValueError, match=r"host|name"):
        host_name(host)


@pytest.mark.parametrize("link", [*OTHER_HOSTS, *NO_LINKS])
def test_a_refusal_quotes_nothing_of_the_link_but_its_host(link: str) -> None:
    with pytest.raises(FetchRefused) as why:
        target_of(f"{link}?sign={SECRET}", HOSTS)
    assert SECRET not in str(why.value)
    assert SECRET not in repr(target_of(f"https://{HOST}/?sign={SECRET}", HOSTS))


@patient
@given(link=st.text() | st.text().map(f"https://{HOST}".__add__))
def test_any_text_leads_to_a_listed_host_or_nowhere(link: str) -> None:
    try:
        found = target_of(link, HOSTS)
    except FetchRefused:
        return
    assert found.host == HOST or found.host.endswith(".photos.example.org")
    assert found.path.startswith("/")
    assert found.path.isascii()
    assert found.path.isprintable()
    assert " " not in found.path


def test_without_a_list_no_link_is_followed() -> None:
    with pytest.raises(FetchRefused):
        target_of(f"https://{HOST}/1.jpg", ())


# What the operator lists


@pytest.mark.parametrize(
    ("entry", "pattern"),
    [
        ("images.example.net", "images.example.net"),
        ("Images.Example.NET.", "images.example.net"),
        ("*.example.net", "*.example.net"),
        ("*.EXAMPLE.net.", "*.example.net"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
    ],
)
def test_an_entry_is_a_host_or_all_hosts_below_a_name(entry: str, pattern: str) -> None:
    assert pattern_of(entry) == pattern


@pytest.mark.parametrize(
    "entry",
    [
        *("", "*", "*.", "*.net", "net", ".example.net", "**.example.net", "a.*.example.net"),
        *("https://images.example.net", "images.example.net/x", "images.example.net:443"),
        *("images.example.net ", "127.0.0.1", "[::1]", "*.1.2.3.4", "us*.example.net"),
        *(None, 5, True, ["images.example.net"], {}),
    ],
)
def test_an_entry_that_is_none_is_an_error_that_says_what_was_expected(entry: object) -> None:
    with pytest.raises(ValueError, match=r"expected|has 1 to 253|no name"):
        pattern_of(entry)


def test_a_name_in_another_script_is_the_same_in_list_and_link() -> None:
    hosts = [pattern_of("bücher.example")]
    for written in ("bücher.example", "BÜCHER.example", "xn--bcher-kva.example"):
        assert target_of(f"https://{written}/", hosts).host == "xn--bcher-kva.example"


def accounts(*listed: object) -> dict[str, Any]:
    return {"ninjavan": list(listed)}


def test_an_account_lets_us_fetch_from_what_it_lists_and_another_does_not() -> None:
    secrets = accounts(
        {"account": "my", "secrets": ["s"], "proof_hosts": ["Images.example.net", "*.example.org"]},
        {"account": "sg", "secrets": ["s"]},
        {"secrets": ["s"], "proof_hosts": ["default.example.net"]},
    )
    assert hosts_of(secrets, "ninjavan", "my") == ("images.example.net", "*.example.org")
    assert hosts_of(secrets, "ninjavan", "sg") == ()
    assert hosts_of(secrets, "ninjavan", "default") == ("default.example.net",)
    assert hosts_of(secrets, "jtexpress", "my") == ()


@pytest.mark.parametrize("listed", [None, "images.example.net", 5, {"images.example.net": 1}, [[]]])
def test_a_list_that_is_none_lets_nothing_through(listed: object) -> None:
    assert (
        hosts_of(
            accounts({"account": "my", "secrets": ["s"], "proof_hosts": listed}), "ninjavan", "my"
        )
        == ()
    )


def test_an_entry_that_is_none_lets_nothing_through_and_spoils_no_other() -> None:
    listed = ["*", "images.example.net", None]
    found = hosts_of(
        accounts({"account": "my", "secrets": ["s"], "proof_hosts": listed}), "ninjavan", "my"
    )
    assert found == ("images.example.net",)


ENTRY = {"account": "my", "secrets": ["s"], "proof_hosts": ["images.example.net"]}


@pytest.mark.parametrize(
    "secrets",
    [
        {},
        {"ninjavan": None},
        {"ninjavan": "x"},
        accounts(None, 5),
        accounts(ENTRY, None),
        accounts({**ENTRY, "secrets": []}),
        accounts({**ENTRY, "secrets": "s"}),
        accounts({**ENTRY, "account": "sg"}),
    ],
)
def test_a_secret_of_another_shape_lets_nothing_through(secrets: dict[str, Any]) -> None:
    assert hosts_of(secrets, "ninjavan", "my") == ()


# Addresses

PUBLIC = ("93.184.215.14", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1")
PUBLIC6 = ("2606:2800:21f:cb07::1", "2a00:1450::1")

CLOSED = {
    "this host": ("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "::", "::1"),
    "private": (
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.254",
        "192.168.1.1",
        "fc00::1",
        "fd00:ec2::254",
    ),
    "this link": (
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "2606:4700::1%1",
    ),
    "a carrier's inside": ("100.64.0.1", "100.127.255.254"),
    "tests and manuals": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1"),
    "protocols": ("192.0.0.1", "192.0.0.170", "192.88.99.1", "2001:2::1", "3fff::1", "100::1"),
    "many at once": ("224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1", "ff02::1"),
    "an address within": (
        *("::ffff:127.0.0.1", "::ffff:1.1.1.1", "::127.0.0.1", "::1.1.1.1", "2002:7f00:1::1"),
        *("2002:101:101::1", "64:ff9b::7f00:1", "64:ff9b::101:101", "64:ff9b:1::7f00:1"),
        *("2001:0:7f00:1::1", "2001::1"),
    ),
    "given to nobody": ("4000::1", "5f00::1", "fe00::1", "1000::1"),
    "no address": ("", "images.example.net", "1.1.1", "1.1.1.1.", "01.1.1.1", "1.1.1.1/32", "x"),
}


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC6])
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("kind", "address"), [(kind, address) for kind, found in CLOSED.items() for address in found]
)
def test_every_other_kind_of_address_is_not(kind: str, address: str) -> None:
    assert not is_public(address), kind


@patient
@given(address=st.ip_addresses())
def test_what_is_public_is_so_by_the_library_too(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@patient
@given(inner=st.ip_addresses(v=4))
def test_no_address_gets_through_inside_another(inner: ipaddress.IPv4Address) -> None:
    high, low = int(inner) >> 16, int(inner) & 0xFFFF
    for form in ("::ffff:{}", "::{}"):
        assert not is_public(form.format(inner))
    for form in (
        "2002:{:x}:{:x}::1",
        "64:ff9b::{:x}:{:x}",
        "64:ff9b:1::{:x}:{:x}",
        "2001:0:{:x}:{:x}::",
    ):
        assert not is_public(form.format(high, low))
