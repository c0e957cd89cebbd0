"""Writing to a buyer (`tiktok-shop.md` 5.6). A custom scope, which TikTok has to approve."""

import json

from shipclock.marketplaces.protocol import Call, Outcome
from shipclock.marketplaces.tiktok_shop.versions import path
from shipclock.reading import identifier

LONGEST = 2000
"""Characters of a text message."""


def conversation(user_id: str) -> Call:
    """The conversation with an order's buyer (its `user_id`); opened, or found where there is one.

    Refused with 45109003 where the buyer neither wrote nor ordered lately.
    """
    body = {"buyer_user_id": user_id}
    return Call("conversation", "POST", path("conversation"), body=body)


def read_conversation(outcome: Outcome) -> str:
    """The conversation's id; raises `Unreadable`."""
    return identifier(outcome.data.get("conversation_id"), "conversation_id")


def message(conversation_id: str, text: str) -> Call:
    """A text to the buyer. Told twice it is read twice. Raises ValueError for a blank or long one.

    The content is JSON inside a string; who is named as the sender is left to the marketplace.
    """
    if not text.strip():
        raise ValueError("The message is empty. Write something.")
    if len(text) > LONGEST:
        raise ValueError(f"The message has {len(text)} characters; {LONGEST} are allowed.")
    content = json.dumps({"content": text}, ensure_ascii=False, separators=(",", ":"))
    where = path("message", conversation_id=conversation_id)
    return Call("message", "POST", where, body={"type": "TEXT", "content": content}, writes=True)


def read_message(outcome: Outcome) -> str:
    """The id of the message that was sent; raises `Unreadable`."""
    return identifier(outcome.data.get("message_id"), "message_id")
