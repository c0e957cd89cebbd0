"""The deployed template from webhook to marketplace and hub, under enforced IAM."""

import base64
import json
import threading
from datetime import datetime, timedelta

import pytest
from icalendar import Calendar

from cli import local
from shipclock import rows
from shipclock.adapters.dynamodb import DynamoStore
from shipclock.blobs import read_blob
from shipclock.packages import LABEL_WAIT
from shipclock.ports import Change
from tests.cloud.client import Client, now, soon

pytestmark = pytest.mark.cloud

EXPRESS = "Synthetic Express"


@pytest.fixture
def client(stack: local.Stack) -> Client:
    return Client(stack)


def test_a_webhook_is_settled_by_the_streams_poke_without_any_sweep(client: Client) -> None:
    before = client.sandbox("calls")["calls"]
    order_id = client.place()
    assert soon(lambda: client.hub(f"orders/{order_id}")[0] == 200)
    order = client.hub(f"orders/{order_id}")[1]
    assert order["status"] == "AWAITING_SHIPMENT"
    assert client.sandbox("calls")["calls"] == before, "a poke calls no marketplace"


def test_an_order_is_shipped_once_its_parcel_is_scanned(client: Client) -> None:
    order_id = client.place()
    client.sweep_until_quiet(now())
    assert client.carrier("SYN-E2E-1", "picked_up", order_id, now(), EXPRESS)[0] == 200
    client.sweep_until_quiet(now())
    client.deliver()
    client.sweep_until_quiet(now())

    order = client.hub(f"orders/{order_id}")[1]
    assert order["status"] == "AWAITING_COLLECTION"
    assert order["stage"] == "to_collect"
    assert [(p["call"], p["state"], p["attempts"]) for p in order["pushes"]] == [
        ("ship_package", "done", 1)
    ]
    assert [(p["tracking_number"], p["tracking_status"]) for p in order["packages"]] == [
        ("SYN-E2E-1", "picked_up")
    ]
    clocks = {clock["name"]: clock["state"] for clock in order["clocks"]}
    assert clocks == {"status_update": "met", "untracked": "met", "not_acknowledged": "running"}
    mine = [e for e in client.sandbox("effects")["effects"] if e["order_id"] == order_id]
    assert [e["tracking_number"] for e in mine] == ["SYN-E2E-1"]


def test_what_the_marketplaces_carrier_takes_is_followed_by_its_history_and_its_package(
    client: Client,
) -> None:
    order_id = client.place(shipping_type="TIKTOK")
    client.sweep_until_quiet(now())
    (package,) = client.hub(f"orders/{order_id}")[1]["packages"]
    assert package["handover"]["can_pick_up"]
    client.sandbox("arrange", order_id=order_id)
    client.deliver()
    client.sweep_until_quiet(now())
    order = client.hub(f"orders/{order_id}")[1]
    assert order["packages"][0]["pickup_from"]
    assert {notice["kind"] for notice in order["notices"]} == {"pickup"}

    number = order["packages"][0]["tracking_number"]
    at = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    label = {"status": "pre_transit", "status_detail": "label_created", "datetime": at}
    taken = {"status": "in_transit", "status_detail": "received_at_origin_facility"}
    history = [label, {**taken, "datetime": at}]
    for length in (1, 2, 2):
        assert client.easypost(number, history[:length])[0] == 200
    client.sweep_until_quiet(now())
    order = client.hub(f"orders/{order_id}")[1]
    assert order["packages"][0]["tracking_status"] == "picked_up"
    assert sum(event["kind"] == "tracking" for event in order["events"]) == 2
    clocks = {clock["name"]: clock["state"] for clock in order["clocks"]}
    assert clocks["collected_to_shipped"] == "running"


def test_two_sweepers_and_a_poke_at_once_have_one_effect(client: Client) -> None:
    orders = [client.place() for _ in range(4)]
    client.sweep_until_quiet(now())
    for place, order_id in enumerate(orders):
        client.carrier(f"SYN-RACE-{place}", "picked_up", order_id, now(), EXPRESS)
    at = now()
    sweeps = [threading.Thread(target=client.sweep, args=(at,)) for _ in range(3)]
    for sweep in sweeps:
        sweep.start()
    for sweep in sweeps:
        sweep.join()
    client.sweep_until_quiet(now() + timedelta(minutes=2))
    effects = client.sandbox("effects")["effects"]
    for order_id in orders:
        assert sum(e["order_id"] == order_id for e in effects) == 1


def test_a_clock_runs_out_at_its_instant_and_not_before(client: Client) -> None:
    due = now() + timedelta(seconds=60)  # the stream settles at the real time, which must be before
    order_id = client.place(create_time=int((due - timedelta(hours=120)).timestamp()))
    client.sweep(due - timedelta(seconds=1))
    order = client.hub(f"orders/{order_id}")[1]
    assert order["verdicts"] == []
    client.sweep(due)
    order = client.hub(f"orders/{order_id}")[1]
    (verdict,) = order["verdicts"]
    assert verdict["rule"] == "status_update"
    assert verdict["state"] == "standing"
    assert verdict["due_at"] == verdict["noticed_at"] == due.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [r["clock"] for r in order["reminders"]] == ["untracked"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {"authorization": ""}, 400),
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b"not json", {}, 400),
        (b'{"a": NaN}', {}, 400),
        (b"{}", {"authorization": "0" * 64}, 401),
        (b"{}", {"authorization": "Bearer x"}, 401),
        (b'{"type": 9999, "shop_id": "1", "data": {}}', {}, 200),
        (b'{"type": 1, "shop_id": "unheard-of", "data": {"order_id": "1"}}', {}, 200),
        (b'{"x": "' + b"a" * 256 * 1024 + b'"}', {}, 413),
        (b"[" * 100_000, {}, 400),
        (b'{"as": "a form"}', {"content-type": "application/x-www-form-urlencoded"}, 200),
        (b'{"no": "content type"}', {"content-type": "application/octet-stream"}, 200),
    ],
)
def test_every_odd_body_has_its_answer(
    client: Client, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.tiktok(body, **headers)
    assert answer[0] == status, answer
    if status == 200:
        assert answer[1] == b""


def test_an_exact_repeat_is_kept_once_and_answered_alike(client: Client) -> None:
    body = client.order_hint("576000000000009999")
    assert [client.tiktok(body)[0] for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("source", ["tiktok_shop", "nobody", "easypost%2f", "..", "usps"])
def test_an_unknown_source_is_not_found(client: Client, source: str) -> None:
    url = f"{client.stack.ingest_url}/webhooks/carriers/{source}"
    assert client.send("POST", url, [("content-type", "application/json")], b"{}")[0] == 404


def test_a_sender_that_fetches_its_token_from_us_is_let_in_with_it(client: Client) -> None:
    known = client.stack.sources["ups"]
    shown = base64.b64encode(f"{known['client_id']}:{known['secret']}".encode()).decode()
    url = f"{client.stack.ingest_url}/webhooks/carriers/ups"
    form = ("content-type", "application/x-www-form-urlencoded")
    asked = b"grant_type=client_credentials"
    assert client.send("POST", f"{url}/token", [form], asked)[0] == 401
    status, answer = client.send(
        "POST", f"{url}/token", [form, ("authorization", f"Basic {shown}")], asked
    )
    told = json.loads(answer)
    assert (status, told["token_type"]) == (200, "Bearer")
    status_told = {"type": "I", "code": "OT", "descriptionCode": "021"}
    body = json.dumps({"trackingNumber": "1ZSYN0000000000901", "activityStatus": status_told})
    bearer = ("authorization", f"Bearer {told['access_token']}")
    sent = [bearer, ("x-api-key", known["client_id"])]
    assert client.send("POST", url, sent, body.encode())[0] == 200
    assert client.send("POST", url, [bearer, ("x-api-key", "x")], body.encode())[0] == 401
    assert client.send("POST", url, [], body.encode())[0] == 401


def test_header_names_may_come_in_any_case(client: Client) -> None:
    body = client.order_hint("576000000000009998")
    assert client.tiktok(body)[0] == 200
    order_id = client.place()
    assert client.carrier("SYN-CASE", "in_transit", order_id, now())[0] == 200


def test_the_hub_asks_for_a_token_and_knows_what_it_does_not_have(client: Client) -> None:
    assert client.hub("orders", token="wrong")[0] == 401
    assert client.hub("orders", token="")[0] == 401
    assert client.hub("orders/576000000000000404")[0] == 404
    assert client.hub("orders?stage=nowhere")[0] == 400
    assert client.hub("due?within=soon")[0] == 400
    assert client.hub("due?within=24h")[0] == 200
    status, document = client.hub("openapi.json", token="")
    assert status == 200
    assert {"/api/orders", "/api/orders/{order_id}", "/api/due"} <= set(document["paths"])


def test_what_a_person_asks_for_is_told_once_by_the_deployed_functions(client: Client) -> None:
    order_id = client.place()
    client.sweep_until_quiet(now())
    assert client.ask(order_id, "cancel", token="wrong", reason="out_of_stock") == 401
    assert client.ask(order_id, "cancel") == 400
    assert client.ask("576000000000000404", "cancel", reason="out_of_stock") == 404
    for _ in range(2):
        assert client.ask(order_id, "cancel", reason="out_of_stock") == 202
    client.sweep_until_quiet(now())
    client.deliver()
    client.sweep_until_quiet(now())
    order = client.hub(f"orders/{order_id}")[1]
    assert [(push["call"], push["state"]) for push in order["pushes"]] == [("cancel", "done")]
    assert order["status"] == "CANCELLED"
    effects = client.sandbox("effects")["effects"]
    assert [e["call"] for e in effects if e["order_id"] == order_id] == ["cancel_order"]


def test_an_incident_is_declared_by_the_hub_and_extends_an_order_by_the_sweeper(
    client: Client,
) -> None:
    postcode = "40997"  # of no other order here
    create = now() - timedelta(days=2)
    wish = {"postal_code": postcode, "region_code": "MY"}
    order_id = client.place(create_time=int(create.timestamp()), recipient_address=wish)
    client.carrier("SYN-FLOOD", "picked_up", order_id, create + timedelta(hours=1))
    client.sweep_until_quiet(now())
    told = {
        "begins_at": (create + timedelta(hours=2)).isoformat(),
        "ends_at": (create + timedelta(hours=12)).isoformat(),
        "reason": "A flood",
        "postcodes": [postcode],
    }
    assert client.post("incidents", told, token="wrong")[0] == 401
    assert client.post("incidents", {**told, "postcodes": []})[0] == 400
    status, incident = client.post("incidents", told)
    assert status == 201, incident
    name = incident["incident_id"]
    store = DynamoStore(client.stack.client("dynamodb"), client.stack.outputs["TableName"])
    # As if it had been waited until no older sweep can be under way.
    assert store.write(Change((rows.INCIDENTS, f"{name}#0"), set={"seen": 0}))
    client.sweep_until_quiet(now())
    assert client.hub(f"incidents/{name}")[1]["affected"] == 1
    assert order_id in client.hub(f"incidents/{name}/text")[1]["tickets"][0]["text"]
    (met,) = client.hub(f"orders/{order_id}")[1]["incidents"]
    (clock,) = [one for one in met["clocks"] if one["name"] == "not_acknowledged"]
    late = datetime.fromisoformat(clock["due_at"]) - datetime.fromisoformat(clock["due_at_without"])
    assert late == timedelta(hours=10)


def test_a_label_is_fetched_over_the_wire_and_kept(client: Client) -> None:
    order_id = client.place(shipping_type="TIKTOK")
    client.sweep_until_quiet(now())
    client.sandbox("arrange", order_id=order_id)
    client.deliver()
    client.sweep_until_quiet(now())
    at = client.sweep_until_quiet(now() + LABEL_WAIT)  # a busy machine may have given up at first
    (package,) = client.hub(f"orders/{order_id}")[1]["packages"]
    store = DynamoStore(client.stack.client("dynamodb"), client.stack.outputs["TableName"])
    label = read_blob(store, order_id, rows.LABEL + package["package_id"], now())
    assert label is not None, at
    assert label.data.startswith(b"%PDF-")


def test_the_hub_lists_orders_page_by_page(client: Client) -> None:
    for _ in range(3):
        client.place()
    client.sweep_until_quiet(now())
    seen: list[str] = []
    path = "orders?stage=to_ship&limit=2"
    while True:
        page = client.hub(path)[1]
        assert len(page["orders"]) <= 2
        seen += [order["order_id"] for order in page["orders"]]
        if page["next"] is None:
            break
        path = f"orders?stage=to_ship&limit=2&start={page['next'].replace('#', '%23')}"
    assert len(seen) == len(set(seen)) >= 3


def test_what_lies_ahead_is_told_and_written_as_a_calendar(client: Client) -> None:
    order_id = client.place(shipping_due_time=int(now().timestamp()) + 36_000)
    client.sweep_until_quiet(now())
    due = client.hub("due/clocks?within=24h&limit=200")[1]
    assert order_id in {line["order_id"] for line in due["clocks"]}
    ahead = client.hub("forecast?within=24h&limit=200")[1]
    assert order_id in {order["order_id"] for order in ahead["orders"]}
    bearer = [("Authorization", f"Bearer {client.stack.hub_token}")]
    url = f"{client.stack.hub_url}/api/calendar.ics"
    status, body = client.send("GET", url, bearer)
    assert status == 200
    assert f"{order_id}.shipping_due_time@shipclock" in Calendar.from_ical(body).to_ical().decode()
    status, body = client.send("GET", f"{url}?token={client.stack.hub_token}", [])
    assert (status, b"BEGIN:VCALENDAR" in body) == (401, False)


def test_what_cannot_be_read_waits_in_quarantine_for_a_person(client: Client) -> None:
    client.tiktok(json.dumps({"type": 1, "shop_id": "7", "data": {"order_id": ["?"]}}).encode())
    client.sweep_until_quiet(now())
    listed = client.hub("quarantine?limit=200")[1]["deliveries"]
    assert any("data.order_id" in delivery["reason"] for delivery in listed)


def test_no_function_ever_lacked_a_permission(client: Client) -> None:
    client.sweep_until_quiet(now())
    logs = client.stack.client("logs")
    said: dict[str, list[str]] = {}
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        said[group["logGroupName"].rpartition("/")[2]] = [event["message"] for event in events]
    heard = {name for name, lines in said.items() if lines}
    assert heard >= {"IngestLogs", "SweeperLogs", "HubLogs"}, "else none could have complained"
    assert [line for lines in said.values() for line in lines if "AccessDenied" in line] == []
