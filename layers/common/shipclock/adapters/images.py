"""Pictures fetched from carriers' servers (`ports.Pictures`, docs/decisions/0024).

Somebody else chose the link, so the way there is `guarded`'s.
"""

import ssl
from collections.abc import Sequence
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse

from shipclock.adapters.guarded import Dial, Resolve, Way, dial, resolve
from shipclock.imagelinks import Target, target_of
from shipclock.ports import FetchFailed, FetchRefused

GIVE_UP = timedelta(seconds=10)
"""How long one picture may take, from the look-up of its host to its last byte."""

LARGEST = 5 * 1024 * 1024
"""Bytes: the largest picture that a marketplace takes (`tiktok-shop.md` 5.2)."""
PIECE = 64 * 1024
OK = 200
SENT_ON = range(300, 400)


class ImageWire:
    """Fetches pictures, each over a connection of its own and for nobody in particular: without
    cookies, tokens or a word about where its link was found."""

    def __init__(
        self,
        resolve: Resolve = resolve,
        dial: Dial = dial,
        context: ssl.SSLContext | None = None,
        give_up: timedelta = GIVE_UP,
    ) -> None:
        """Uses the system's resolver and the public's certificates, unless a test brings others."""
        self._way = Way(resolve, dial, context, give_up)

    def fetch(self, link: str, hosts: Sequence[str]) -> bytes:
        """See `Pictures.fetch`."""
        target = target_of(link, hosts)
        return self._way.speak(target.host, lambda connection: _picture(target, connection))


def _picture(target: Target, connection: HTTPConnection) -> bytes:
    connection.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
    for name, value in (
        ("host", target.host),
        ("user-agent", "shipclock"),
        ("accept", "image/jpeg, image/png"),
        ("accept-encoding", "identity"),
        ("connection", "close"),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    with connection.getresponse() as response:
        _judge(target, response)
        return _read(target, response)


def _judge(target: Target, response: HTTPResponse) -> None:
    """What may be read at all. What kind of file it is said to be does not matter."""
    if response.status in SENT_ON:
        raise FetchRefused(f"{target.host} sends us on to another address")
    if response.status != OK:
        raise FetchFailed(f"{target.host} answered {response.status}")
    if response.getheader("content-encoding", "identity").strip().lower() != "identity":
        raise FetchRefused("the picture was sent packed")
    if response.length is not None and response.length > LARGEST:
        raise FetchRefused(_TOO_LARGE)


_TOO_LARGE = f"the picture is larger than {LARGEST // 1024 // 1024} MB"


def _read(target: Target, response: HTTPResponse) -> bytes:
    """The whole body, counted as it comes: what was announced binds nobody."""
    body = bytearray()
    while piece := response.read1(PIECE):
        body += piece
        if len(body) > LARGEST:
            raise FetchRefused(_TOO_LARGE)
    if response.length:
        raise FetchFailed(f"{target.host} sent less of the picture than it announced")
    return bytes(body)
