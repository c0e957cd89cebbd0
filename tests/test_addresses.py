"""Which addresses of an answer are fetched."""

import pytest

from shipclock.addresses import may_fetch
from shipclock.marketplaces.protocol import Kind, Outcome
from shipclock.marketplaces.tiktok_shop import fulfilment
from shipclock.reading import Unreadable

API = "https://open-api.tiktokglobalshop.com"
SANDBOX = "http://127.0.0.1:4567"


@pytest.mark.parametrize(
    ("url", "api", "fetched"),
    [
        ("https://labels.example/101.pdf?signature=a%2Fb", API, True),
        ("https://labels.example:443/101.pdf", API, True),
        ("http://labels.example/101.pdf", API, False),
        ("https://labels.example:8443/101.pdf", API, False),
        ("https://10.0.0.8/101.pdf", API, False),
        ("https://[::1]/101.pdf", API, False),
        ("https://localhost/101.pdf", API, False),
        ("https://127.0.0.1/101.pdf", API, False),
        ("https://a:b@labels.example/101.pdf", API, False),
        ("https://labels.example:x/101.pdf", API, False),
        ("https://[labels", API, False),
        ("file:///etc/passwd", API, False),
        ("", API, False),
        ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", API, False),
        ("http://127.0.0.1:4567/labels/1.pdf", SANDBOX, True),
        ("http://127.0.0.1:4568/labels/1.pdf", SANDBOX, False),
        ("http://127.0.0.1:4567@labels.example/1.pdf", SANDBOX, False),
        ("https://files.example/labels/1.pdf", SANDBOX, True),
    ],
)
def test_files_are_fetched_from_the_marketplaces_side_alone(
    url: str, api: str, fetched: bool
) -> None:
    assert may_fetch(url, api) is fetched


@pytest.mark.parametrize("url", ["http://127.0.0.1:1@elsewhere.example/", "http://127.0.0.1:x/"])
def test_what_only_looks_like_a_sandboxes_address_is_none(url: str) -> None:
    with pytest.raises(Unreadable, match="https address"):
        fulfilment.read_document(Outcome(Kind.OK, {"doc_url": url}))
