"""The OpenAPI document says what the hub answers, whatever it is asked and by whom."""

import json
from collections import defaultdict
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator

from shipclock import wiring
from tests.functions.doors import Context, event
from tests.functions.test_hub import FOREIGN, HUB_SECRET, NOBODY, OWNER, Hub, stocked
from tests.functions.test_hub_incidents import FLOOD
from tests.stage import SHOP_ID, START

ASKED = {"deed": "cancel", "says": {"reason": "out_of_stock"}}
FEED = "feed-token-1"


class Asked:
    """A hub that has something to show in every list, asked from all sides; each answer is held to
    the document."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tokens = [*HUB_SECRET["tokens"], {"token": FEED, "role": "calendar"}]
        monkeypatch.setitem(HUB_SECRET, "tokens", tokens)
        self.hub = Hub(monkeypatch)
        monkeypatch.setattr(wiring, "real", lambda: self.hub.stage.real.now)
        self.document = self.hub.get("/api/openapi.json", None)[1]
        for schema in self.document["components"]["schemas"].values():
            if "properties" in schema:  # a test lets no field pass that is not documented
                schema["additionalProperties"] = False
        self.seen: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.order, self.incident = self._filled()
        self.ids = {"order_id": self.order, "incident_id": self.incident}

    def _filled(self) -> tuple[str, str]:
        stage = self.hub.stage
        order_id, _ = self.hub.place(2)
        stage.until(START + timedelta(days=6))
        stage.settle_down()
        stage.carrier_tells("SYN000101", "delivery_attempt_failed", order_id=order_id)
        stage.ring("standard_webhooks", stage.carrier_headers(b"[1]"), b"[1]")
        stocked(self.hub)
        status, incident = self.hub.post("/api/incidents", FLOOD)
        assert status == 201
        stage.settle_down()
        return order_id, incident["incident_id"]

    def ask(
        self,
        method: str,
        path: str,
        token: str | None = OWNER,
        body: str | None = None,
        kind: str = "application/json",
        feed: str = "",
        **words: str,
    ) -> None:
        """Ask, and hold the answer to what the document says of that address. What the address
        names may be given as `order_id` and `incident_id`."""
        ids = {name: words.pop(name, known) for name, known in self.ids.items()}
        headers = {"content-type": kind, **({"authorization": f"Bearer {token}"} if token else {})}
        asked = event("http.hub", rawPath=path.format(**ids))
        asked["headers"] = headers
        asked["requestContext"]["http"] |= {"path": path.format(**ids), "method": method.upper()}
        words |= {"token": feed} if feed else {}
        asked |= {"queryStringParameters": words, "rawQueryString": "&".join(words)}
        asked |= {"body": body} if body is not None else {}
        answer = self.hub.app.handler(asked, Context())
        status, told = answer["statusCode"], answer["body"]
        responses = self.document["paths"][path][method]["responses"]
        assert str(status) in responses, f"{method} {path} {words}: {status} {told}"
        self.seen[method, path].add(status)
        content = responses[str(status)]["content"]
        if "application/json" in content:
            schema = {**content["application/json"]["schema"]}
            schema["components"] = self.document["components"]
            Draft202012Validator(schema).validate(json.loads(told))


BODIES = {
    "/api/orders/{order_id}/requests": (ASKED, {"deed": "explode"}),
    "/api/incidents": (FLOOD, {**FLOOD, "begins_at": "soon"}),
    "/api/incidents/{incident_id}/changes": ({"reason": "Two"}, {"begins_at": "soon"}),
    "/api/incidents/{incident_id}/lift": ({}, {"over_at": "soon"}),
}
"""To each address a body that is good, and one that can't be meant."""

MISREAD = ("[]", "3", "null", "no json", "[" * 3000, f'{{"deed": {"9" * 5000}}}', "\ud800", "")
WORDS: tuple[dict[str, str], ...] = (
    {},
    {"shop_id": SHOP_ID, "limit": "1"},
    *({"limit": limit} for limit in ("0", "201", "many", "1.5", "1,2", "9" * 5000)),
    *({"days": days} for days in ("0", "367", "x")),
    {"start": "x"},
    {"shop_id": "é"},
    *({name: "odd"} for name in ("stage", "within", "until", "on", "lines")),
)


def test_every_answer_is_one_that_the_document_tells_and_of_its_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Asked(monkeypatch)
    for path, methods in asked.document["paths"].items():
        if "get" in methods:
            for words in WORDS:
                for token in (OWNER, FOREIGN, NOBODY, None):
                    asked.ask("get", path, token, **words)
            asked.ask("get", path, order_id="9", incident_id="9")
        if "post" in methods:
            good, odd = map(json.dumps, BODIES[path])
            for body in (good, odd, *MISREAD, json.dumps({"colour": "red"}), None):
                for token in (OWNER, FOREIGN, NOBODY, None):
                    asked.ask("post", path, token, body)
            asked.ask("post", path, OWNER, good, order_id="9", incident_id="9")
            for kind in ("text/plain", "multipart/form-data", "Application/JSON"):
                asked.ask("post", path, OWNER, good, kind)
    asked.ask("get", "/api/calendar.ics", None, feed=FEED)
    for (method, path), seen in asked.seen.items():
        told = {int(status) for status in asked.document["paths"][path][method]["responses"]}
        assert seen >= told - {422}, f"{method} {path}: what is told and never answered"


def test_what_is_not_of_its_shape_is_named_with_what_would_be_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = Hub(monkeypatch)
    for limit, told in (
        ("201", "limit: input should be less than or equal to 200"),
        ("0", "limit: input should be greater than or equal to 1"),
        ("manymany", "limit: input should be a valid integer"),
    ):
        status, body = hub.get("/api/orders", limit=limit)
        assert (status, set(body)) == (422, {"statusCode", "message"})
        assert body["message"].startswith(told)
        assert "manymany" not in body["message"]
    status, body = hub.post("/api/incidents", {"c" * 5000: 1, "shops": "none", "reason": 7})
    assert (status, len(body["message"]) < 400) == (422, True)
    assert "begins_at: field required" in body["message"]
    status, body = hub.post("/api/incidents", "no json")
    assert body == {"statusCode": 422, "message": "body: JSON that can be read was expected"}


@pytest.mark.parametrize("path", ["/api/orders", "/api/signals", "/api/incidents/a1", "/nothing"])
def test_of_a_stranger_no_word_is_read(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch)
    for token in (None, "wrong"):
        assert hub.get(path, token, limit="many")[0] == 401
