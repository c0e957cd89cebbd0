"""Shipclock: keeps the clocks that run on every marketplace order.

The map: `domain` and `rules` hold the business as pure functions over facts; `sources` understand
what arrives; `marketplaces` speak outward; `ingest` and `sweep` are the two use cases; `rows` says
what the table holds; `adapters` are the only doors to AWS and HTTP.
"""
