"""What a delivery costs inside ingest, against the signature check of PyPI's `tiktok-shop-api`.

Measured, per delivery and in one process: `receive` as the function calls it (known source, size,
accounts of the secret, signature, JSON object, row with key and compressed body, acknowledgement)
with a keep that costs nothing, against that package's verification alone, and against its
verification with parsing. Ours does more than either; the figures say what the difference costs.
"""

import zlib
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from tiktok_shop_api.webhooks import Webhooks

from benchmarks.measure import Outcome, Table, alternately, medians, micros, ratio, seconds_each
from benchmarks.samples import APP_KEY, APP_SECRET, signature, status_webhook
from shipclock.ingest import Arrival, receive
from shipclock.sources import Account, tiktok_shop

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRETS: dict[str, Any] = {"tiktok_shop": [{"account": APP_KEY, "secrets": [APP_SECRET]}]}


def run(quick: bool) -> Outcome:
    """Measure, in turns."""
    outcome = Outcome("verify_and_keep", "median us per delivery: ingest | tiktok-shop-api 0.1.0")
    bodies = [status_webhook(number) for number in range(200)]
    proofs = [signature(APP_KEY, APP_SECRET, body) for body in bodies]
    pairs = cycle(list(zip(bodies, proofs, strict=True)))
    accounts = (Account(APP_KEY, (APP_SECRET,)),)

    def ours() -> int:
        body, proof = next(pairs)
        headers = {"authorization": proof, "content-type": "application/json"}
        arrival = Arrival("tiktok_shop", headers, body, NOW)
        return receive(arrival, lambda: SECRETS, lambda row: True, timedelta(days=180)).status

    def our_check() -> Account:
        body, proof = next(pairs)
        return tiktok_shop.verify({"authorization": proof}, body, accounts, NOW)

    def their_check() -> bool:
        body, proof = next(pairs)
        return Webhooks.verify(
            app_key=APP_KEY, app_secret=APP_SECRET, raw_body=body, signature=proof
        )

    def their_check_and_parse() -> object:
        body, proof = next(pairs)
        return Webhooks.verify_and_parse(
            app_key=APP_KEY, app_secret=APP_SECRET, raw_body=body, signature=proof
        )

    assert ours() == 200
    assert our_check().name == APP_KEY
    assert their_check()
    assert their_check_and_parse()
    works = {
        "ingest: verify, build the row, keep": ours,
        "ingest: verify alone": our_check,
        "peer: verify alone": their_check,
        "peer: verify and parse": their_check_and_parse,
    }
    times = 500 if quick else 2000
    found = medians(
        alternately({n: seconds_each(w, times) for n, w in works.items()}, 5 if quick else 15)
    )
    peer = found["peer: verify alone"]
    both = found["peer: verify and parse"]
    outcome.tables.append(
        Table(
            ("per delivery", "us", "of peer's verify", "of verify+parse"),
            [(n, micros(f), ratio(f, peer), ratio(f, both)) for n, f in found.items()],
        )
    )
    packed = seconds_each(lambda: zlib.compress(bodies[0], 6), times)()
    outcome.notes.append(
        f"Of ingest's figure, compressing the body takes about {micros(packed)} us."
    )
    outcome.figures = {name: figure * 1e6 for name, figure in found.items()}
    return outcome
