"""The sandbox behind a socket: bytes, hang-ups, bounds, the control plane, the process."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox import Fault, Server, wire
from sandbox.server import LARGEST_BODY
from tests.sandbox.bench import Bench, send


def call(b: Bench, server: Server, method: str, path: str, body: Any = None, **query: Any) -> Any:
    request = b.client.request(method, path, body, **query)
    _, answer = send(
        server, method, f"{path}?{urlencode(request.query)}", request.body, **request.headers
    )
    return json.loads(answer)


def test_a_signed_call_goes_through_with_its_query_encoded(b: Bench, server: Server) -> None:
    ids = [b.sandbox.add_order(b.shop.shop_id) for _ in range(2)]
    told = call(b, server, "GET", "/order/202507/orders", ids=",".join(ids))
    assert [row["id"] for row in told["data"]["orders"]] == ids


def test_a_query_name_given_twice_is_refused(b: Bench, server: Server) -> None:
    status, answer = send(server, "GET", "/order/202507/orders?ids=1&ids=2")
    assert (status, json.loads(answer)["code"]) == (400, wire.BAD_PARAMETER)
    assert b.sandbox.calls[-1].path == "/order/202507/orders"


@pytest.mark.parametrize("target", ["//[", "/%ff?%ff=%ff", "/order/202507/orders?ids=%00"])
def test_an_odd_address_is_answered_all_the_same(server: Server, target: str) -> None:
    status, answer = send(server, "GET", target)
    assert status in {400, 404}
    assert json.loads(answer)["code"] != 0


def test_a_dropped_answer_is_a_closed_connection(b: Bench, server: Server) -> None:
    b.sandbox.fail(Fault("no_answer"))
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        send(server, "GET", "/order/202507/orders")
    assert send(server, "GET", "/order/202507/orders")[0] == 400


def test_a_slow_answer_is_slow_and_holds_up_no_other(b: Bench, server: Server) -> None:
    b.sandbox.fail(Fault("slow", path="/slow", delay=30.0))
    waiting = threading.Thread(target=send, args=(server, "GET", "/slow"), daemon=True)
    waiting.start()
    while not b.sandbox.calls:
        time.sleep(0.001)
    assert send(server, "GET", "/fast")[0] == 404
    assert waiting.is_alive()
    server._listener.stopping.set()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_body_beyond_the_bound_is_not_read(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(f"POST /x HTTP/1.1\r\nContent-Length: {LARGEST_BODY + 1}\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("header", ["Transfer-Encoding: chunked", "Content-Length: -1"])
def test_a_body_of_unknown_length_is_not_read(server: Server, header: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(f"POST /x HTTP/1.1\r\n{header}\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 411")


def test_a_connection_serves_many_calls(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/nowhere")
        answer = connection.getresponse()
        assert answer.status == 404
        answer.read()
    connection.close()


def test_the_server_listens_on_this_machine_only(server: Server) -> None:
    assert server._listener.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.port}"


def test_a_request_waits_while_the_story_moves(b: Bench) -> None:
    asking = threading.Thread(target=b.client.get, args=("/nowhere",))
    with b.sandbox._lock:
        asking.start()
        asking.join(0.05)
        assert not b.sandbox._world.calls
    asking.join(10)
    assert len(b.sandbox.calls) == 1


def test_many_threads_ship_one_parcel_once(b: Bench, server: Server) -> None:
    order_id = b.sandbox.add_order(b.shop.shop_id)
    path = f"/fulfillment/202309/packages/{b.client.package_of(order_id)}/ship"
    told = {"tracking_number": "SYN-TRK-1", "shipping_provider_id": "6610000000000000001"}
    codes: list[int] = []

    def ship() -> None:
        codes.append(call(b, server, "POST", path, {"self_shipment": told})["code"])

    threads = [threading.Thread(target=ship) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0] + [wire.ALREADY_SHIPPED] * 7
    assert len(b.sandbox.effects) == 1
