"""The door: who is let in, what is kept, and what the sender is told (DESIGN 6, answers)."""

import base64
import json
import os
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from shipclock import rows
from shipclock.ingest import Answer, Arrival, NotKept, grant, grants_of, no_keys, receive, source_of
from shipclock.ports import Put, Row
from shipclock.sources import (
    GRANTERS,
    SOURCES,
    Account,
    granter,
    shipengine,
    source,
    standard_webhooks,
    tiktok_shop,
)
from tests.builders import OTHER_SHOP, REAL, SHOP, sample_bytes
from tests.fakes import MemoryStore
from tests.sources.senders import KEYS, SENDERS
from tests.stage import (
    APP_KEY,
    APP_SECRET,
    SECRETS,
    Stage,
)

KEEP = timedelta(days=180)
BODY = sample_bytes("tiktok/webhooks/order_status.in_transit.json")
SCAN = sample_bytes("standard_webhooks/picked_up.json")
CARRIER_SECRET = SENDERS["standard_webhooks"].secret
EVERY = SECRETS | {
    name: [{"account": "default", "secrets": [sender.secret], **(sender.options or {})}]
    for name, sender in SENDERS.items()
}
NORTH = {"account": "north-key", "secrets": ["north-secret"], "shops": [SHOP]}


class Door:
    """The door over a store in memory, with a secret of the test's choosing."""

    def __init__(self, secrets: Mapping[str, Any] = EVERY) -> None:
        self.secrets = secrets
        self.store = MemoryStore()

    def ring(self, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        arrival = Arrival(name, headers, body, REAL)
        return receive(arrival, lambda: self.secrets, self.keep, KEEP)

    def keep(self, row: Row) -> bool:
        return self.store.write(Put(row))

    @property
    def kept(self) -> list[Row]:
        return [row for partition in self.store.rows.values() for row in partition.values()]

    def tiktok(self, body: bytes = BODY, key: str = APP_KEY, secret: str = APP_SECRET) -> Answer:
        digest = tiktok_shop.sign(Account(key, (secret,)), secret, body)
        return self.ring("tiktok_shop", {"authorization": digest}, body)

    def carrier(self, body: bytes = SCAN, name: str = "standard_webhooks") -> Answer:
        return self.ring(name, *SENDERS[name].send(body))


# Kept


def test_what_is_authentic_is_kept_whole_and_answered_as_the_sender_wants_it() -> None:
    door = Door()
    assert door.tiktok() == Answer(200, "kept", b"")
    (row,) = door.kept
    assert rows.body_of(row) == BODY
    assert (row["source"], row["account"], row["shops"]) == ("tiktok_shop", APP_KEY, [])
    assert row["received_at"] == REAL.isoformat()
    assert row["expires_at"] == int((REAL + KEEP).timestamp())
    assert row["due_at"] == rows.at_once(REAL)
    assert "board_pk" not in row


def test_the_signature_is_kept_as_evidence_and_no_other_header_is() -> None:
    door = Door()
    digest = tiktok_shop.sign(Account(APP_KEY, ()), APP_SECRET, BODY)
    headers = {"authorization": digest, "cookie": "private", "x-forwarded-for": "192.0.2.1"}
    door.ring("tiktok_shop", headers, BODY)
    assert door.kept[0]["headers"] == {"authorization": digest}


def test_an_exact_repeat_is_answered_alike_and_changes_nothing() -> None:
    door = Door()
    first = door.tiktok()
    kept = door.kept
    again = door.tiktok()
    assert (again.status, again.body) == (first.status, first.body)
    assert again.outcome == "repeated"
    assert door.kept == kept


def test_one_byte_more_is_another_delivery() -> None:
    door = Door()
    assert door.tiktok().outcome == door.tiktok(BODY + b"\n").outcome == "kept"
    assert len(door.kept) == 2


def test_a_carriers_repeat_with_a_fresh_signature_is_still_a_repeat() -> None:
    door = Door({"standard_webhooks": [{"secrets": [CARRIER_SECRET]}]})
    assert door.carrier().outcome == "kept"
    later = Arrival("standard_webhooks", {}, SCAN, REAL + timedelta(hours=1))
    sent = str(int(later.received_at.timestamp()))
    headers = {
        "webhook-id": "msg_2",
        "webhook-timestamp": sent,
        "webhook-signature": standard_webhooks.sign(CARRIER_SECRET, "msg_2", sent, SCAN),
    }
    again = Arrival("standard_webhooks", headers, SCAN, later.received_at)
    assert receive(again, lambda: door.secrets, door.keep, KEEP) == Answer(200, "repeated")


@pytest.mark.parametrize(
    "body",
    [
        sample_bytes("tiktok/webhooks/type_of_tomorrow.json"),
        sample_bytes("tiktok/webhooks/order_status.status_of_tomorrow.json"),
        sample_bytes("tiktok/webhooks/order_status.without_notification_id.json"),
        BODY.replace(SHOP.encode(), OTHER_SHOP.encode()),
        b"{}",
        b'{"type": null, "data": []}',
        b'{"type": 1, "type": 2}',
    ],
    ids=["type", "status", "notification id", "shop", "nothing", "wrong types", "twice"],
)
def test_what_is_not_understood_is_kept_all_the_same(body: bytes) -> None:
    door = Door()
    assert door.tiktok(body).status == 200
    assert rows.body_of(door.kept[0]) == body


def test_two_apps_are_kept_apart_each_with_the_shops_it_may_speak_for() -> None:
    own = {"account": APP_KEY, "secrets": [APP_SECRET]}
    door = Door({"tiktok_shop": [own, NORTH]})
    assert door.tiktok().outcome == "kept"
    assert door.tiktok(key="north-key", secret="north-secret").outcome == "kept"
    assert sorted((row["account"], row["shops"]) for row in door.kept) == [
        ("north-key", [SHOP]),
        (APP_KEY, []),
    ]


def test_both_secrets_let_in_while_they_are_rotated_and_the_repeat_is_one() -> None:
    rotating = {"account": APP_KEY, "secrets": ["new", APP_SECRET]}
    door = Door({"tiktok_shop": [rotating]})
    assert door.tiktok().outcome == "kept"
    assert door.tiktok(secret="new").outcome == "repeated"


# Refused


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"webhook-signature": "v1,x"}])
def test_what_is_unsigned_is_refused_and_not_kept(headers: dict[str, str]) -> None:
    door = Door()
    answer = door.ring("tiktok_shop", headers, BODY)
    assert answer.status == 401
    assert answer.outcome.startswith("unsigned: ")
    assert door.kept == []


@pytest.mark.parametrize(
    ("key", "secret"), [(APP_KEY, "wrong"), ("wrong", APP_SECRET), (APP_KEY, "")]
)
def test_what_is_wrongly_signed_is_refused_and_not_kept(key: str, secret: str) -> None:
    door = Door()
    answer = door.tiktok(key=key, secret=secret)
    assert answer.status == 401
    assert answer.outcome.startswith("not_authentic: ")
    assert door.kept == []


def test_an_altered_body_is_refused_and_not_kept() -> None:
    door = Door()
    digest = tiktok_shop.sign(Account(APP_KEY, ()), APP_SECRET, BODY)
    altered = BODY.replace(b"IN_TRANSIT", b"DELIVERED ")
    assert door.ring("tiktok_shop", {"authorization": digest}, altered).status == 401
    assert door.kept == []


def test_a_refusal_tells_the_sender_nothing_of_why() -> None:
    assert Door().tiktok(secret="wrong").body == b""


@pytest.mark.parametrize("name", ["", "nobody", "tiktok", "__init__", "signatures", "../rows"])
def test_an_unknown_source_is_not_found_whatever_it_sends(name: str) -> None:
    door = Door()
    for body in (b"", BODY, b"x" * 1_000_000):
        assert door.ring(name, {"authorization": "x"}, body).status == 404
    assert door.kept == []


@pytest.mark.parametrize(
    "missing", [[], [{"account": APP_KEY, "secrets": []}], [{"account": APP_KEY, "secrets": [""]}]]
)
def test_a_source_without_a_secret_is_shut_and_the_others_stay_open(missing: list[Any]) -> None:
    door = Door({**EVERY, "tiktok_shop": missing})
    answer = door.tiktok()
    assert (answer.status, answer.outcome) == (404, "not_set_up")
    assert door.carrier().status == 200


def test_a_source_that_the_secret_does_not_mention_is_shut() -> None:
    door = Door({"standard_webhooks": EVERY["standard_webhooks"]})
    assert door.tiktok().status == 404
    assert door.carrier().status == 200


@pytest.mark.parametrize(
    "malformed", [None, 5, "text", {"secrets": [APP_SECRET]}, [APP_SECRET], [{"account": "a"}]]
)
def test_a_malformed_secret_is_our_fault_for_its_source_only_and_never_quoted(
    malformed: object,
) -> None:
    door = Door({**EVERY, "tiktok_shop": malformed})
    with pytest.raises(NotKept, match="secret of source tiktok_shop is malformed") as fault:
        door.tiktok()
    assert APP_SECRET not in str(fault.value)
    assert door.carrier().status == 200


def test_a_secret_that_no_signature_can_be_made_with_is_our_fault_too() -> None:
    door = Door({"standard_webhooks": [{"secrets": ["whsec_no base64"]}]})
    with pytest.raises(NotKept, match="must be whsec_ and base64"):
        door.carrier()
    assert door.kept == []


def test_a_store_that_fails_is_told_to_the_sender_by_whoever_rings() -> None:
    door = Door()

    def failing(row: Row) -> bool:
        raise NotKept("the table did not answer")

    digest = tiktok_shop.sign(Account(APP_KEY, ()), APP_SECRET, BODY)
    arrival = Arrival("tiktok_shop", {"authorization": digest}, BODY, REAL)
    with pytest.raises(NotKept):
        receive(arrival, lambda: SECRETS, failing, KEEP)
    assert door.kept == []


# Empty, unreadable, absurd


LOOKS_FIRST = {"lalamove"}
"""Sources whose sender calls an address with nothing, before it uses it."""


def test_nothing_at_all_is_a_bad_request_and_not_kept() -> None:
    door = Door()
    for name in set(EVERY) - LOOKS_FIRST:
        assert door.ring(name, {}, b"").status == 400
    assert door.kept == []


@pytest.mark.parametrize("name", sorted(LOOKS_FIRST))
def test_a_sender_that_looks_whether_the_address_answers_is_told_yes(name: str) -> None:
    door = Door()
    assert door.ring(name, {}, b"") == Answer(200, "probed", b"")
    assert door.kept == []
    assert Door({}).ring(name, {}, b"").status == 404, "and no where it is not set up"


def test_nothing_wrongly_signed_is_refused() -> None:
    door = Door()
    assert door.tiktok(b"", secret="wrong").status == 401
    assert door.kept == []


def test_nothing_well_signed_is_a_bad_request_and_kept_for_a_person() -> None:
    door = Door()
    assert door.tiktok(b"").status == 400
    (row,) = door.kept
    assert row["board_pk"] == rows.QUARANTINE


DEEP = 30_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"hello",
        b"null",
        b"[]",
        b'[{"type": 1}]',
        b'"{}"',
        b"12",
        b'{"type": 1',
        b'{"type": NaN}',
        b'{"type": 1, "data": {"x": Infinity}}',
        b"type=1&shop_id=2",
        b"<xml/>",
        b"\xff\xfe\x00",
        b'{"a": "\xff"}',
        b"[" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
    ids=lambda body: ascii(body[:16]),
)
def test_an_authentic_body_that_is_no_json_object_is_a_bad_request_kept_for_a_person(
    body: bytes,
) -> None:
    door = Door()
    answer = door.tiktok(body)
    assert answer.status == 400
    assert answer.outcome.startswith("quarantined: the body is no JSON object")
    assert len(answer.body) <= 400
    (row,) = door.kept
    assert rows.body_of(row) == body
    assert row["board_pk"] == rows.QUARANTINE
    assert row["reason"]
    assert row["due_at"] == rows.at(REAL + timedelta(hours=1))


def test_a_quarantined_body_sent_again_is_answered_alike_and_kept_once() -> None:
    door = Door()
    assert door.tiktok(b"[]") == door.tiktok(b"[]")
    assert len(door.kept) == 1


@pytest.mark.parametrize("name", EVERY)
def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(name: str) -> None:
    limit = source(name).LIMIT
    noise = random.Random(0).randbytes(limit).hex()
    door = Door()

    def ring(length: int) -> Answer:
        body = b'{"a":"' + noise[:length].encode() + b'"}'
        return door.tiktok(body) if name == "tiktok_shop" else door.carrier(body, name)

    frame = len(SENDERS[name].send(b'{"a":""}')[1]) if name in SENDERS else len(b'{"a":""}')
    assert ring(limit - frame).status == 200
    too_large = ring(limit - frame + 1)
    assert too_large.status == 413
    assert str(limit).encode() in too_large.body
    assert len(door.kept) == 1


def test_tiktoks_limit_is_a_quarter_of_a_mebibyte_and_counts_for_the_unsigned_too() -> None:
    assert tiktok_shop.LIMIT == 256 * 1024
    assert Door().ring("tiktok_shop", {}, b"x" * (256 * 1024 + 1)).status == 413


def test_what_can_not_be_compressed_still_fits_into_a_row() -> None:
    door = Door()
    door.tiktok(os.urandom(tiktok_shop.LIMIT))
    assert len(door.kept[0]["body"]) < 350 * 1024


def test_ids_as_numbers_are_kept_to_their_last_digit_through_to_the_order() -> None:
    stage = Stage()
    body = sample_bytes("tiktok/webhooks/order_status.ids_as_numbers.json")
    digest = tiktok_shop.sign(Account(APP_KEY, ()), APP_SECRET, body)
    assert stage.ring("tiktok_shop", {"authorization": digest}, body).status == 200
    assert stage.sweep().settled == 1
    judged = stage.judged("576000000000000103")
    assert judged.order.shop_id == SHOP
    assert judged.order.status == "AWAITING_SHIPMENT"


def test_an_app_that_speaks_for_another_shop_is_kept_and_moves_nothing() -> None:
    stage = Stage()
    foreign = {"account": APP_KEY, "secrets": [APP_SECRET], "shops": [OTHER_SHOP]}
    digest = tiktok_shop.sign(Account(APP_KEY, ()), APP_SECRET, BODY)
    arrival = Arrival("tiktok_shop", {"authorization": digest}, BODY, stage.real.now)
    put: list[Row] = []

    def keep(row: Row) -> bool:
        put.append(row)
        return stage.store.write(Put(row))

    assert receive(arrival, lambda: {"tiktok_shop": [foreign]}, keep, KEEP).status == 200
    stage.sweep()
    assert stage.judged(json.loads(BODY)["data"]["order_id"]).order.events == 0
    kept = stage.memory.get(rows.key_of(put[0]))
    assert kept is not None
    assert kept["board_pk"] == rows.QUARANTINE
    assert "may not speak for shop" in kept["reason"]


# Keys that the sender publishes

PARCEL = sample_bytes("shipengine/in_transit.json")
ADDRESS = "https://keys.example/jwks"
EU_ADDRESS = "https://keys.eu.example/jwks"
ONE, TWO = (KEYS.document(key_id) for key_id in ("key-one", "key-two"))


class Published:
    """What stands at which address; nothing where it does not answer."""

    def __init__(self, **documents: str) -> None:
        self.documents = {f"https://{host}.example/jwks": d for host, d in documents.items()}
        self.asked: list[tuple[str, str]] = []

    def __call__(self, address: str, key_id: str) -> str:
        self.asked.append((address, key_id))
        if address not in self.documents:
            raise NotKept(f"{address} gave no keys")
        return self.documents[address]


def accounts(**secrets: str | list[str]) -> dict[str, Any]:
    """Accounts of one secret or several each."""
    listed = {name: [each] if isinstance(each, str) else each for name, each in secrets.items()}
    return {"shipengine": [{"account": n, "secrets": each} for n, each in listed.items()]}


def published(
    secrets: Mapping[str, Any],
    keys: Callable[[str, str], str],
    key_id: str = "key-one",
    **changes: str,
) -> tuple[str, str]:
    """The outcome of a parcel's delivery, and whose it was."""
    headers, body = KEYS.sign(PARCEL, key_id, REAL.strftime("%Y-%m-%dT%H:%M:%SZ"))
    put: list[Row] = []

    def keep(row: Row) -> bool:
        put.append(row)
        return True

    arrival = Arrival("shipengine", {**headers, **changes}, body, REAL)
    answer = receive(arrival, lambda: secrets, keep, KEEP, keys)
    assert (answer.status == 200) is bool(put)
    return answer.outcome.partition(":")[0], put[0]["account"] if put else ""


def test_a_key_is_fetched_from_where_the_account_says_and_by_the_id_that_signed() -> None:
    keys = Published(keys=ONE)
    assert published(accounts(mine=ADDRESS), keys) == ("kept", "mine")
    assert keys.asked == [(ADDRESS, "key-one")]


def test_nothing_is_fetched_where_a_pinned_key_proves_it() -> None:
    keys = Published()
    assert published(accounts(public=ADDRESS, pinned=ONE), keys) == ("kept", "pinned")
    assert published(accounts(both=[ADDRESS, ONE]), keys) == ("kept", "both")
    assert keys.asked == []


def test_what_one_address_publishes_signs_for_no_account_that_does_not_name_it() -> None:
    keys = Published(keys=TWO, **{"keys.eu": ONE})
    both = accounts(mine=ADDRESS, theirs=EU_ADDRESS)
    assert published(both, keys) == ("kept", "theirs")
    assert published(both, keys, "key-two") == ("kept", "mine")
    assert published(accounts(mine=ADDRESS), keys)[0] == "not_authentic"


def test_a_pinned_account_takes_no_key_that_is_published_for_another() -> None:
    first = accounts(pinned=TWO, public=ADDRESS)
    assert published(first, Published(keys=ONE)) == ("kept", "public")
    only = {"shipengine": [{**first["shipengine"][1], "token": "synthetic token"}]}
    only["shipengine"].insert(0, first["shipengine"][0])
    assert published(only, Published(keys=ONE))[0] == "not_authentic"
    token = {shipengine.OURS: "synthetic token"}
    assert published(only, Published(keys=ONE), **token) == ("kept", "public")


def test_a_key_that_nobody_publishes_is_refused_and_the_sender_told_so() -> None:
    keys = Published(keys=ONE, **{"keys.eu": ONE})
    assert published(accounts(a=ADDRESS, b=EU_ADDRESS), keys, "key-two")[0] == "not_authentic"
    assert keys.asked == [(ADDRESS, "key-two"), (EU_ADDRESS, "key-two")]


def test_what_is_wrongly_signed_is_refused_though_its_key_is_published() -> None:
    keys = Published(keys=KEYS.document())
    forged = {shipengine.KEY_ID: "key-two"}
    assert published(accounts(a=ADDRESS), keys, **forged)[0] == "not_authentic"


@pytest.mark.parametrize("keys", [Published(), no_keys], ids=["silent", "nobody fetches"])
def test_where_keys_can_not_be_had_the_sender_is_to_try_again(
    keys: Callable[[str, str], str],
) -> None:
    with pytest.raises(NotKept):
        published(accounts(a=ADDRESS), keys)


def test_a_silent_address_keeps_nobody_out_whom_another_proves() -> None:
    both = accounts(silent=EU_ADDRESS, mine=ADDRESS)
    assert published(both, Published(keys=ONE)) == ("kept", "mine")
    with pytest.raises(NotKept, match=EU_ADDRESS):
        published(both, Published(keys=TWO))


def test_an_address_that_answers_with_no_keys_is_our_fault_and_no_crash() -> None:
    with pytest.raises(NotKept, match="must be a JSON Web Key Set"):
        published(accounts(a=ADDRESS), Published(keys="<html>"))


# Which address is whose


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/webhooks/tiktok", "tiktok_shop"),
        ("/stage/webhooks/tiktok", "tiktok_shop"),
        ("/webhooks/carriers/standard_webhooks", "standard_webhooks"),
        ("/stage/webhooks/carriers/standard_webhooks", "standard_webhooks"),
        ("/webhooks/carriers/nobody", "nobody"),
        ("/webhooks/carriers/tiktok_shop", None),
        ("/webhooks/tiktok_shop", None),
        ("/webhooks/tiktok/", None),
        ("/webhooks/carriers/standard_webhooks/more", None),
        ("/webhooks/carriers", None),
        ("/webhooks", None),
        ("/", None),
        ("", None),
    ],
)
def test_an_address_names_its_source(path: str, name: str | None) -> None:
    assert source_of(path) == name


def test_an_address_that_ends_before_its_source_is_not_found() -> None:
    name = source_of("/webhooks/carriers/")
    assert name is None or Door().ring(name, {}, b"").status == 404


# A token is fetched (RFC 6749 section 5)

ASKED = {"grant_type": "client_credentials"}
UPS = {"ups": [{"account": "synthetic-client", "secrets": ["one", "two"], "shops": [SHOP]}]}
ACTIVITY = sample_bytes("ups/delivered.json")


def asks(
    fields: Mapping[str, str] | bytes = ASKED,
    client: str = "synthetic-client",
    secret: str = "one",
    secrets: Mapping[str, Any] = UPS,
) -> Answer:
    """What a client that shows itself by HTTP Basic is answered; by nothing where it has no id."""
    shown = base64.b64encode(f"{client}:{secret}".encode()).decode()
    headers = {"authorization": f"Basic {shown}"} if client else {}
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return grant(Arrival("ups", headers, body, REAL), lambda: secrets)


def error_of(answer: Answer) -> str:
    found: dict[str, str] = json.loads(answer.body)
    assert set(found) == {"error"}
    return found["error"]


def test_a_client_is_granted_a_token_that_no_cache_may_keep() -> None:
    answer = asks()
    assert (answer.status, answer.outcome) == (200, "granted")
    assert set(json.loads(answer.body)) == {"access_token", "token_type", "expires_in"}
    assert answer.headers == {"cache-control": "no-store", "pragma": "no-cache"}


@pytest.mark.parametrize("secret", ["one", "two"])
def test_what_comes_with_a_granted_token_is_kept_and_the_token_is_not(secret: str) -> None:
    token = json.loads(asks(secret=secret).body)["access_token"]
    door = Door(UPS)
    headers = {"authorization": f"Bearer {token}", "x-api-key": "synthetic-client"}
    assert door.ring("ups", headers, ACTIVITY) == Answer(200, "kept")
    (row,) = door.kept
    assert (row["account"], row["shops"], row["headers"]) == ("synthetic-client", [SHOP], {})
    assert token not in repr(row)
    assert door.ring("ups", {"credential": "two"}, ACTIVITY).outcome == "repeated"


@pytest.mark.parametrize(("client", "secret"), [("synthetic-client", "x"), ("x", "one"), ("", "")])
def test_a_client_that_is_not_proven_is_told_how_it_could_be(client: str, secret: str) -> None:
    answer = asks(client=client, secret=secret)
    assert (answer.status, error_of(answer)) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.outcome.startswith("not_authentic: " if client else "unsigned: ")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (b"", "invalid_request"),
        (b"grant_type", "invalid_request"),
        (b"\xff\xfe", "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        (ASKED | {"client_secret": "one"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_what_is_no_request_for_a_token_is_a_bad_one(
    fields: Mapping[str, str] | bytes, error: str
) -> None:
    answer = asks(fields)
    assert (answer.status, error_of(answer)) == (400, error)
    assert answer.outcome.startswith("not_granted: ")
    assert answer.headers == {"cache-control": "no-store", "pragma": "no-cache"}


def test_a_request_that_is_absurdly_long_is_not_read() -> None:
    padding = "x" * (8 * 1024 - len(urlencode(ASKED | {"scope": ""})))
    assert asks(ASKED | {"scope": padding}).status == 200
    assert asks(ASKED | {"scope": padding + "x"}).status == 413


def test_no_token_is_granted_where_the_source_has_no_secret() -> None:
    empty = [{"account": "synthetic-client", "secrets": [""]}]
    assert asks(secrets={}).status == 404
    assert asks(secrets={"ups": []}).status == asks(secrets={"ups": empty}).status == 404


@pytest.mark.parametrize("secrets", [{"ups": "one"}, {"ups": [{"secrets": ["\ud83d"]}]}])
def test_a_secret_that_no_token_can_be_made_with_is_our_fault(secrets: dict[str, Any]) -> None:
    with pytest.raises(NotKept, match="ups"):
        asks(secrets=secrets)


def test_a_secret_store_that_fails_is_told_to_the_client_by_whoever_rings() -> None:
    def failing() -> Mapping[str, Any]:
        raise NotKept("the secret store did not answer")

    with pytest.raises(NotKept):
        grant(Arrival("ups", {}, b"", REAL), failing)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/webhooks/carriers/ups/token", "ups"),
        ("/stage/webhooks/carriers/ups/token", "ups"),
        ("/webhooks/carriers/easypost/token", None),
        ("/webhooks/carriers/nobody/token", None),
        ("/webhooks/carriers/token", None),
        ("/webhooks/carriers/ups", None),
        ("/webhooks/carriers/ups/token/", None),
        ("/webhooks/carriers/ups/tokens", None),
        ("/webhooks/carriers/tiktok_shop/token", None),
        ("/webhooks/tiktok/token", None),
        ("/webhooks/ups/token", None),
        ("/token", None),
        ("", None),
    ],
)
def test_only_who_fetches_tokens_has_an_address_for_them(path: str, name: str | None) -> None:
    assert grants_of(path) == name


def test_every_granter_is_a_source_and_can_grant() -> None:
    assert set(GRANTERS) <= set(SOURCES)
    assert all(callable(granter(name).grant) for name in GRANTERS)
