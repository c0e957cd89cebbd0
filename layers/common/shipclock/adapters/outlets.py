"""The ways out to people (`ports.Outlets`): the topic, and addresses that operators name."""

import ssl
from collections.abc import Mapping
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from shipclock.adapters.guarded import Dial, Resolve, Way, dial, resolve
from shipclock.imagelinks import target_of
from shipclock.ports import FetchFailed, FetchRefused, OutletFailed, OutletRefused, Taken

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient
    from types_boto3_sns.type_defs import MessageAttributeValueTypeDef

GIVE_UP = timedelta(seconds=8)
"""How long one post may take, from the look-up of its host to the first line of the answer."""

THIS_MACHINE = "http://127.0.0.1:"
"""What an address of this machine begins with; a rehearsal may post there."""


class PeopleOutlets:
    """Publishes to a topic and posts to public hosts, each over a connection of its own."""

    def __init__(
        self,
        sns: "SNSClient",
        topic: str,
        rehearsal: bool = False,
        resolve: Resolve = resolve,
        dial: Dial = dial,
        context: ssl.SSLContext | None = None,
        give_up: timedelta = GIVE_UP,
    ) -> None:
        """Posts to this machine in a `rehearsal` alone. Uses the system's resolver and the public's
        certificates, unless a test brings others."""
        self._sns = sns
        self._topic = topic
        self._rehearsal = rehearsal
        self._way = Way(resolve, dial, context, give_up)
        self._give_up = give_up.total_seconds()

    def publish(self, subject: str, text: str, attributes: Mapping[str, str]) -> None:
        """See `Outlets.publish`."""
        told: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        try:
            self._sns.publish(
                TopicArn=self._topic, Subject=subject, Message=text, MessageAttributes=told
            )
        except ClientError as fault:
            code = fault.response.get("Error", {}).get("Code", "an error without a name")
            raise OutletFailed(f"the topic did not take it: {code}") from None
        except BotoCoreError as fault:
            raise OutletFailed(f"the topic did not take it: {type(fault).__name__}") from None

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        """See `Outlets.post`."""
        if self._rehearsal and url.startswith(THIS_MACHINE):
            return self._to_this_machine(url, headers, body)
        try:
            target = target_of(url)
            return self._way.speak(
                target.host, lambda spoken: _taken(spoken, target.host, target.path, headers, body)
            )
        except FetchRefused as reason:
            raise OutletRefused(str(reason)) from None
        except FetchFailed as reason:
            raise OutletFailed(str(reason)) from None

    def _to_this_machine(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        try:
            parts = urlsplit(url)
            spoken = HTTPConnection("127.0.0.1", parts.port, timeout=self._give_up)
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            try:
                return _taken(spoken, parts.netloc, path, headers, body)
            finally:
                spoken.close()
        except (OSError, HTTPException, ValueError) as fault:
            raise OutletFailed(f"this machine broke off: {type(fault).__name__}") from None


def _taken(
    spoken: HTTPConnection, host: str, path: str, headers: Mapping[str, str], body: bytes
) -> Taken:
    """Post, and look at no more of the answer than its status and when to come again."""
    spoken.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
    fixed = {"host": host, "user-agent": "shipclock", "connection": "close"}
    for name, value in {**headers, **fixed, "content-length": str(len(body))}.items():
        spoken.putheader(name, value)
    spoken.endheaders(body)
    with spoken.getresponse() as response:
        return Taken(response.status, response.getheader("retry-after", ""))
