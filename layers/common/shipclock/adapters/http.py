"""The wire: one request, one answer, never a repeat (`ports.Wire`)."""

from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread

import requests
from requests.exceptions import ConnectionError as Broken
from requests.exceptions import ConnectTimeout, RequestException
from urllib3.exceptions import HTTPError, NewConnectionError

from shipclock.domain.push import GIVE_UP
from shipclock.ports import HttpReply, HttpRequest, NoAnswer, NotSent

CONNECT = 3.05
LARGEST_ANSWER = 8 * 1024 * 1024


class HttpWire:
    """Sends with `requests`, each call over a connection of its own.

    A kept connection that the other side has closed meanwhile would turn a push into one of
    unclear effect, and an unclear push costs more than a handshake.
    """

    def __init__(self, give_up: timedelta = GIVE_UP) -> None:
        """Gives a call up after that long, whatever it is doing by then."""
        self._give_up = give_up.total_seconds()

    def send(self, request: HttpRequest) -> HttpReply:
        """See `Wire.send`. Messages never hold the URL: token calls carry secrets in it.

        The call runs in a thread of its own: the timeouts of a socket bound the wait for each
        byte, not for all of them.
        """
        answers: SimpleQueue[HttpReply | NoAnswer | NotSent] = SimpleQueue()
        Thread(target=lambda: answers.put(self._send(request)), daemon=True).start()
        try:
            answer = answers.get(timeout=self._give_up)
        except Empty:
            raise NoAnswer(f"no answer within {self._give_up:g} seconds") from None
        if isinstance(answer, HttpReply):
            return answer
        raise answer

    def _send(self, request: HttpRequest) -> HttpReply | NoAnswer | NotSent:
        with requests.Session() as session:
            session.trust_env = False
            try:
                reply = session.request(
                    request.method,
                    request.url,
                    headers={"user-agent": "shipclock", **request.headers},
                    data=request.body,
                    timeout=(CONNECT, self._give_up),
                    allow_redirects=False,
                    stream=True,
                )
                body = reply.raw.read(LARGEST_ANSWER + 1, decode_content=True)
            except ConnectTimeout:
                return NotSent("no connection within three seconds")
            except Broken as error:
                return _broken(error)
            except (RequestException, HTTPError, OSError) as error:
                return NoAnswer(type(error).__name__)
        if len(body) > LARGEST_ANSWER:
            return NoAnswer("the answer is larger than any we know")
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return HttpReply(reply.status_code, headers, body)


def _broken(error: Broken) -> NoAnswer | NotSent:
    """Whether the connection never came about: then the call certainly had no effect."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(cause, NewConnectionError):
        return NotSent("no connection")
    return NoAnswer("the connection broke off")
