"""The wire: one request, one answer, never a repeat (`ports.Wire`)."""

from time import monotonic

import requests
from requests.exceptions import ConnectionError as Broken
from requests.exceptions import ConnectTimeout, RequestException, Timeout
from urllib3.exceptions import NewConnectionError

from shipclock.domain.push import GIVE_UP
from shipclock.ports import HttpReply, HttpRequest, NoAnswer, NotSent

CONNECT = 3.05
LARGEST_ANSWER = 8 * 1024 * 1024


class HttpWire:
    """Sends with `requests`, each call over a connection of its own.

    A kept connection that the other side has closed meanwhile would turn a push into one of
    unclear effect, and an unclear push costs more than a handshake.
    """

    def send(self, request: HttpRequest) -> HttpReply:
        """See `Wire.send`. Messages never hold the URL: token calls carry secrets in it."""
        ends_at = monotonic() + GIVE_UP.total_seconds()
        with requests.Session() as session:
            session.trust_env = False
            try:
                reply = session.request(
                    request.method,
                    request.url,
                    headers={"user-agent": "shipclock", **request.headers},
                    data=request.body,
                    timeout=(CONNECT, GIVE_UP.total_seconds()),
                    allow_redirects=False,
                    stream=True,
                )
                body = _read(reply, ends_at)
            except ConnectTimeout:
                raise NotSent("no connection within three seconds") from None
            except Timeout:
                raise NoAnswer("no answer within ten seconds") from None
            except Broken as error:
                raise _broken(error) from None
            except RequestException as error:
                raise NoAnswer(type(error).__name__) from None
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return HttpReply(reply.status_code, headers, body)


def _read(reply: requests.Response, ends_at: float) -> bytes:
    body = b""
    for chunk in reply.iter_content(64 * 1024):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise NoAnswer("the answer is larger than any we know")
        if monotonic() > ends_at:
            raise NoAnswer("the answer was not finished within ten seconds")
    return body


def _broken(error: Broken) -> NoAnswer | NotSent:
    """Whether the connection never came about: then the call certainly had no effect."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(cause, NewConnectionError):
        return NotSent("no connection")
    return NoAnswer("the connection broke off")
