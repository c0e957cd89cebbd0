"""Outbound: one package per marketplace, no I/O, one registry."""

from collections.abc import Mapping

from shipclock.marketplaces import tiktok_shop
from shipclock.marketplaces.protocol import Marketplace

_TIKTOK_SHOP: Marketplace = tiktok_shop  # a module serves as well as an object: it is checked here

MARKETPLACES: Mapping[str, Marketplace] = {"tiktok_shop": _TIKTOK_SHOP}
