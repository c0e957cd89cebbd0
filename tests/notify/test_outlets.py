"""Messages over real sockets, to servers that refuse, dawdle, lie and send us elsewhere.

The servers listen on 127.0.0.1, where nothing that the product is told can lead it: the tests bring
a resolver, a way to connect and an authority of their own.
"""

import json
import re
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from standardwebhooks.webhooks import Webhook

from shipclock import settings
from shipclock.adapters.outlets import PeopleOutlets
from shipclock.notify.destinations import Destination, destinations_of
from shipclock.notify.sending import send, trial
from shipclock.ports import OutletFailed, OutletRefused, Taken
from tests.certificates import Authority
from tests.functions.doors import SWEEPER_ENV
from tests.servers import Script, Server, reply, serving

HOST = "hooks.example.com"
URL = f"https://{HOST}/t/made-up-secret?key=made-up"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="
OLDER = "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM="
PUBLIC = "93.184.215.14"
SOON = timedelta(seconds=0.5)
AUTHORITY = Authority()


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return AUTHORITY.server(HOST, tmp_path_factory.mktemp("tls"))


class Way:
    """The way to a server in place of the internet."""

    def __init__(self, server: Server | None, *addresses: str) -> None:
        self._server = server
        self._addresses = addresses or (PUBLIC,)
        self.dialled: list[str] = []

    def dial(self, address: str, seconds: float) -> socket.socket:
        self.dialled.append(address)
        if self._server is None:
            raise OSError("nobody is there")
        return socket.create_connection(self._server.address, seconds)

    def resolve(self, host: str) -> Sequence[str]:
        return self._addresses

    def post(
        self, url: str = URL, give_up: timedelta = timedelta(seconds=5), rehearsal: bool = False
    ) -> Taken:
        return self.outlets(give_up, rehearsal).post(url, {"content-type": "a/b"}, b'{"a": 1}')

    def outlets(
        self, give_up: timedelta = timedelta(seconds=5), rehearsal: bool = False
    ) -> PeopleOutlets:
        context = AUTHORITY.trusting()
        sns = cast(Any, None)
        return PeopleOutlets(sns, "", rehearsal, self.resolve, self.dial, context, give_up)


def said(why: Exception) -> str:
    """The reason; none of them tells the address."""
    assert "made-up" not in str(why)
    return str(why)


def failed(way: Way, **more: Any) -> str:
    with pytest.raises(OutletFailed) as why:
        way.post(**more)
    return said(why.value)


def refused(way: Way, **more: Any) -> str:
    with pytest.raises(OutletRefused) as why:
        way.post(**more)
    return said(why.value)


# What is sent


def test_a_message_is_posted_whole_to_the_host_that_is_certified(
    certified: ssl.SSLContext,
) -> None:
    with serving(certified, says(reply(b"", "204 No Content"))) as server:
        assert Way(server).post() == Taken(204)
        (asked,) = server.requests
    head, _, body = asked.decode().partition("\r\n\r\n")
    line, *headers = head.split("\r\n")
    assert line == "POST /t/made-up-secret?key=made-up HTTP/1.1"
    assert dict(header.split(": ") for header in headers) == {
        "content-type": "a/b",
        "host": HOST,
        "user-agent": "shipclock",
        "connection": "close",
        "content-length": "8",
    }
    assert body == '{"a": 1}'


def says(answer: bytes) -> Script:
    """A server that takes in all of the request, then says that."""

    def script(server: Server, line: socket.socket) -> None:
        head, _, body = server.requests[-1].partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        assert found
        while len(body) < int(found[1]):
            body += line.recv(65536)
        server.requests[-1] = head + b"\r\n\r\n" + body
        line.sendall(answer)

    return script


def webhook(**more: Any) -> Destination:
    entry = {"kind": "webhook", "url": URL, "secrets": [SECRET], **more}
    found = destinations_of({"destinations": {"erp": entry}}).named("erp")
    assert found is not None
    return found


@pytest.mark.parametrize("secrets", [[SECRET], [SECRET, OLDER], [OLDER, SECRET]])
def test_a_webhook_is_signed_as_the_public_library_checks_it(
    certified: ssl.SSLContext, secrets: list[str]
) -> None:
    real = datetime.now(UTC)
    one = webhook(secrets=secrets)
    with serving(certified, says(reply(b""))) as server:
        assert send(Way(server).outlets(), one, trial(one, real), real).status == 200
        (asked,) = server.requests
    head, _, body = asked.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    for secret in secrets:
        checked = Webhook(secret).verify(body, headers)
        assert checked == json.loads(body)
    with pytest.raises(Exception, match=r"No matching|signature"):
        Webhook(SECRET).verify(body + b" ", headers)


# Who answers, and how


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 For good"])
def test_a_redirect_is_not_followed(status: str, certified: ssl.SSLContext) -> None:
    answer = reply(b"", status, location="http://169.254.169.254/latest/meta-data")
    with serving(certified, says(answer)) as server:
        way = Way(server)
        assert way.post().status == int(status[:3])
        assert way.dialled == [PUBLIC]
        assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "header"), [("429 Slow down", "120"), ("503 Later", ""), ("410 Gone", "")]
)
def test_status_and_retry_after_are_told_and_the_body_is_not_read(
    status: str, header: str, certified: ssl.SSLContext
) -> None:
    more = {"retry_after": header} if header else {}
    endless = reply(b"x", status, length=10**9, **more)
    with serving(certified, says(endless)) as server:
        assert Way(server).post() == Taken(int(status[:3]), header)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1", b"SSH-2.0-OpenSSH\r\n", b"\x00" * 50], ids=ascii
)
def test_an_answer_that_is_none_may_be_one_later(answer: bytes, certified: ssl.SSLContext) -> None:
    with serving(certified, says(answer)) as server:
        assert "broke off" in failed(Way(server))


def test_who_is_silent_or_drips_is_given_up_in_time(certified: ssl.SSLContext) -> None:
    for script in (
        lambda server, line: server.over.wait(5),
        lambda server, line: server.drips(line, b"H"),
    ):
        with serving(certified, script) as server:
            assert "longer than" in failed(Way(server), give_up=SOON)


def test_who_can_t_be_reached_may_be_later() -> None:
    assert "can't be reached" in failed(Way(None))


def test_who_is_certified_as_another_is_told_nothing(tmp_path: Path) -> None:
    other = AUTHORITY.server("evil.example", tmp_path)
    stranger = Authority("another authority").server(HOST, tmp_path)
    expired = AUTHORITY.server(HOST, tmp_path, expired=True)
    for context in (other, stranger, expired):
        with serving(context, reply(b"")) as server:
            assert "certificate" in failed(Way(server))
            assert server.requests == []


def test_who_speaks_no_tls_is_told_nothing() -> None:
    with serving(None, reply(b"")) as server:
        assert "broke off" in failed(Way(server))


# Where to


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fd00:ec2::254", "0.0.0.0"],
)
def test_a_name_that_leads_inside_is_not_called(address: str) -> None:
    for addresses in ((address,), (PUBLIC, address)):
        way = Way(None, *addresses)
        assert "not public" in refused(way)
        assert way.dialled == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/made-up",
        "https://127.0.0.1/made-up",
        "https://localhost/made-up",
        "https://[::1]/made-up",
        "https://hooks.example.com:8443/made-up",
        "https://made-up@hooks.example.com/",
        "http://127.0.0.1:9001/2018-06-01/runtime/made-up",
        "http://127.0.0.1.evil.example:80/made-up",
        "ftp://hooks.example.com/made-up",
        "",
    ],
)
def test_an_address_that_is_not_plainly_public_is_not_called(url: str) -> None:
    way = Way(None)
    refused(way, url=url)
    assert way.dialled == []


def test_this_machine_is_called_in_a_rehearsal_alone() -> None:
    with serving(None, received_plainly) as server:
        url = f"http://127.0.0.1:{server.address[1]}/hook?a=b"
        assert Way(None).post(url=url, rehearsal=True) == Taken(202)
        refused(Way(None), url=url)
        assert server.connections == 1
    for odd in ("http://127.0.0.1:x/", "http://127.0.0.1:1/", "http://127.0.0.1:99999/"):
        assert "this machine" in failed(Way(None), url=odd, rehearsal=True)
    with pytest.raises(OutletRefused):
        Way(None).post(url="http://localhost:80/", rehearsal=True)


def received_plainly(server: Server, line: socket.socket) -> None:
    asked = b""
    while b'{"a": 1}' not in asked:
        asked += line.recv(65536)
    assert asked.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    line.sendall(reply(b"", "202 Accepted"))


@pytest.mark.parametrize(
    ("travels", "marketplace", "rehearses"),
    [
        ("on", "http://127.0.0.1:4000", True),
        ("off", "http://127.0.0.1:4000", False),
        ("on", "https://open-api.tiktokglobalshop.com", False),
        ("on", "http://127.0.0.1.evil.example:80", False),
        ("off", "https://open-api.tiktokglobalshop.com", False),
    ],
)
def test_a_rehearsal_travels_in_time_and_has_its_marketplace_on_this_machine(
    travels: str, marketplace: str, rehearses: bool
) -> None:
    env = {
        **SWEEPER_ENV,
        "SHIPCLOCK_TIME_TRAVEL": travels,
        "SHIPCLOCK_MARKETPLACE_URL": marketplace,
    }
    assert settings.SweeperSettings.from_env(env).rehearsal is rehearses


# The topic


class Sns:
    """A topic that keeps what it is given, or fails."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.messages: list[dict[str, Any]] = []

    def publish(self, **call: Any) -> None:
        if self.fault:
            raise self.fault
        self.messages.append(call)


def test_the_topic_gets_subject_text_and_attributes_to_filter_by() -> None:
    sns = Sns()
    PeopleOutlets(cast(Any, sns), "arn:topic").publish("S", "T", {"level": "urgent"})
    assert sns.messages == [
        {
            "TopicArn": "arn:topic",
            "Subject": "S",
            "Message": "T",
            "MessageAttributes": {"level": {"DataType": "String", "StringValue": "urgent"}},
        }
    ]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ClientError({"Error": {"Code": "Throttled", "Message": "of 123"}}, "x"), "Throttled"),
        (EndpointConnectionError(endpoint_url="https://sns.example"), "EndpointConnectionError"),
    ],
)
def test_a_topic_that_fails_is_told_in_a_word(fault: Exception, told: str) -> None:
    with pytest.raises(OutletFailed) as why:
        PeopleOutlets(cast(Any, Sns(fault)), "arn:topic").publish("S", "T", {})
    assert str(why.value) == f"the topic did not take it: {told}"
