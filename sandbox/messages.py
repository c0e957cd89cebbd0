"""Talk with buyers: opening a conversation, sending into it, reading it back.

Partner Center: "Create Conversation", "Send Message" (202606, and 202309 without `sender_role`),
"Get Conversation Messages", with their error tables. A shop may write to a buyer who has chatted in
the last 30 days, ordered in the last 60, or returned something before; 10,000 messages a day, whose
day is one of UTC here. There is no idempotency key: a message sent twice is two messages, so each
accepted one is an `Effect`, and what was sent can be read back. Which rule 45109001 stands for is
not published: here a conversation whose buyer may no longer be written to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox import wire
from sandbox.gate import Asked
from sandbox.kept import Conversation
from sandbox.paging import Search, page
from sandbox.shape import Shape, check
from sandbox.wire import Refusal, StoryError
from sandbox.world import CONVERSATION_TOPIC, MESSAGE_TOPIC, World, announce, record

DAY = 86_400
CHATTED = 30 * DAY
ORDERED = 60 * DAY
LONGEST = 2_000

CREATE_BODY: Shape = {"buyer_user_id!": str}
# What the JSON inside `content` must be, by type.
_CONTENTS: Mapping[str, Shape] = {
    "TEXT": {"content!": str},
    "IMAGE": {"url!": str, "width!": int, "height!": int},
    "VIDEO": {"vid!": str},
    "PRODUCT_CARD": {"product_id!": str},
    "ORDER_CARD": {"order_id!": str},
    "RETURN_REFUND_CARD": {"order_id!": str, "sku_id!": str},
    "COUPON_CARD": {"coupon_id!": str},
    "LOGISTICS_CARD": {"order_id!": str, "package_id": str},
}
BODY_202309: dict[str, Shape] = {"type!": tuple(_CONTENTS), "content!": str}
BODY_202606: Shape = BODY_202309 | {"sender_role": ("CUSTOMER_SERVICE", "SYSTEM", "ROBOT")}
READ_QUERY = ("page_size!", "page_token", "sort_order", "sort_field", "locale", "need_data")

_MESSAGES = Search(1, 10, 10, "DESC", ("create_time",))


def _may_write(world: World, shop_id: str, user_id: str) -> bool:
    """Whether the buyer has chatted, ordered or returned as it takes."""
    now = world.clock
    talk = _with(world, shop_id, user_id)
    if talk and any(
        now - int(str(message["create_time"])) <= CHATTED
        for message in talk.messages
        if _is_buyers(message)
    ):
        return True
    orders = [o for o in world.orders.values() if (o.shop_id, o.user_id) == (shop_id, user_id)]
    if any(now - order.create_time <= ORDERED for order in orders):
        return True
    return any(
        case.kind == "return" for order in orders for case in world.cases_of.get(order.order_id, ())
    )


def _is_buyers(message: Mapping[str, object]) -> bool:
    sender = message["sender"]
    return isinstance(sender, dict) and sender["role"] == "BUYER"


def _with(world: World, shop_id: str, user_id: str) -> Conversation | None:
    for talk in world.conversations.values():
        if (talk.shop_id, talk.user_id) == (shop_id, user_id):
            return talk
    return None


def _open(world: World, shop_id: str, user_id: str) -> Conversation:
    """The talk with a buyer; one that is there already is opened again under its old id."""
    talk = _with(world, shop_id, user_id)
    if talk is None:
        talk_id = world.new_id("conversation")
        talk = Conversation(talk_id, shop_id, user_id, world.clock, world.clock)
        world.conversations[talk_id] = talk
    return talk


def create_conversation(world: World, asked: Asked) -> dict[str, object]:
    """Create Conversation, with a buyer of this shop."""
    user_id = asked.body["buyer_user_id"]
    if not _may_write(world, asked.shop.shop_id, user_id):
        raise Refusal(wire.CONVERSATION_FORBIDDEN)
    talk = _open(world, asked.shop.shop_id, user_id)
    record(world, "create_conversation", asked.shop.shop_id, detail=talk.conversation_id)
    return {"conversation_id": talk.conversation_id}


def _own(world: World, asked: Asked) -> Conversation:
    talk = world.conversations.get(asked.parts[0])
    if talk is None or talk.shop_id != asked.shop.shop_id:
        raise Refusal(wire.NO_CONVERSATION)
    return talk


def send_message(world: World, asked: Asked) -> dict[str, object]:
    """Send Message: `content` is JSON inside a string, of the shape its type has."""
    talk, kind, text = _own(world, asked), asked.body["type"], asked.body["content"]
    content = _content(kind, text)
    _check_cards(world, talk, content)
    if kind == "TEXT":
        _check_words(world, str(content["content"]))
    if not _may_write(world, talk.shop_id, talk.user_id):
        raise Refusal(wire.CONVERSATION_CLOSED)
    day = f"messages {talk.shop_id} {world.clock // DAY}"
    if world.counts.get(day, 0) >= world.settings.messages_a_day:
        raise Refusal(wire.TOO_MANY_MESSAGES)
    world.count(day)
    role = str(asked.body.get("sender_role", "CUSTOMER_SERVICE"))
    message_id = _say(world, talk, kind, text, role)
    record(
        world,
        "send_message",
        talk.shop_id,
        order_id=str(content.get("order_id", "")),
        package_id=str(content.get("package_id", "")),
        detail=f"{talk.user_id} {kind} {text}",
    )
    return {"message_id": message_id}


def _content(kind: str, text: str) -> dict[str, object]:
    try:
        content = json.loads(text)
        check(content, _CONTENTS[kind], "content")
    except (ValueError, RecursionError):
        raise Refusal(wire.BAD_MESSAGE, "content must be JSON inside a string") from None
    except Refusal as refusal:
        raise Refusal(wire.BAD_MESSAGE, refusal.message) from None
    return dict(content)


def _check_words(world: World, text: str) -> None:
    if not 1 <= len(text) <= LONGEST or not text.strip():
        raise Refusal(wire.BAD_MESSAGE, f"a text has 1 to {LONGEST} characters")
    if any(word in text.lower() for word in world.settings.sensitive_words):
        raise Refusal(wire.SENSITIVE_WORDS)


def _check_cards(world: World, talk: Conversation, content: Mapping[str, object]) -> None:
    """A card shows the buyer their own order and nothing else."""
    if "order_id" not in content:
        return
    order = world.orders.get(str(content["order_id"]))
    if order is None or (order.shop_id, order.user_id) != (talk.shop_id, talk.user_id):
        raise Refusal(wire.BAD_MESSAGE, "order_id is no order of this buyer's")
    inside = {line.package_id for line in order.lines} | {line.sku_id for line in order.lines}
    for name in ("package_id", "sku_id"):
        if name in content and content[name] not in inside:
            raise Refusal(wire.BAD_MESSAGE, f"{name} is not of this order")


def _say(world: World, talk: Conversation, kind: str, text: str, role: str) -> str:
    message_id = world.new_id("message")
    talk.last_at = world.clock
    talk.messages.append(
        {
            "id": message_id,
            "type": kind,
            "content": text,
            "create_time": world.clock,
            "is_visible": True,
            "index": str(len(talk.messages) + 1),
            "sender": {
                # An id of the talk alone: it cannot be used to look up orders.
                "im_user_id": f"72{talk.conversation_id[-16:]}",
                "role": role,
                "nickname": "Sam" if role == "BUYER" else "Synthetic shop",
            },
        }
    )
    return message_id


def read_messages(world: World, asked: Asked) -> dict[str, object]:
    """Get Conversation Messages, the newest first unless asked otherwise."""
    talk = _own(world, asked)

    def place(row: Mapping[str, object], _: str) -> tuple[int, str]:
        return int(str(row["create_time"])), str(row["id"])

    rows, answer = page(_MESSAGES, talk.messages, place, asked.query, talk.conversation_id)
    return {"messages": rows, "next_page_token": answer["next_page_token"]}


def buyer_says(world: World, shop_id: str, user_id: str, text: str) -> str:
    """A buyer writes (webhook 14, and 13 when the talk is new); the conversation's id."""
    if not text:
        raise StoryError("a buyer who writes says something")
    fresh = _with(world, shop_id, user_id) is None
    talk = _open(world, shop_id, user_id)
    if fresh:
        told: dict[str, object] = {
            "conversation_id": talk.conversation_id,
            "create_time": talk.create_time,
        }
        announce(world, shop_id, CONVERSATION_TOPIC, told, world.clock)
    content = json.dumps({"content": text}, ensure_ascii=False)
    message_id = _say(world, talk, "TEXT", content, "BUYER")
    row = talk.messages[-1]
    sender = {"im_user_id": f"72{talk.conversation_id[-16:]}", "role": "BUYER"}
    shown = {name: row[name] for name in ("index", "type", "content", "create_time", "is_visible")}
    told = {
        "message_id": message_id,
        "conversation_id": talk.conversation_id,
        **shown,
        "sender": sender,
    }
    announce(world, shop_id, MESSAGE_TOPIC, told, world.clock)
    return talk.conversation_id
