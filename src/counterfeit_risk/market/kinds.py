"""Kinds of sellers, what they look like, where their goods come from, and what they offer.

Knows no probability and no account.
"""

from collections.abc import Mapping
from enum import StrEnum


class SellerKind(StrEnum):
    """What a seller means to do."""

    SHOP = "shop"
    """Sells new goods, some of them imported or left over."""
    DEALER = "dealer"
    """Authorised: sells the brand's goods with the brand's photos."""
    RESELLER = "reseller"
    """Sells used goods, and is now and then fooled."""
    LIQUIDATOR = "liquidator"
    """Sells what comes in and does not ask."""
    RING = "ring"
    """One account of a group of counterfeiters."""


class Guise(StrEnum):
    """What a seller looks like."""

    SHOP = "shop"
    DEALER = "dealer"
    RESELLER = "reseller"


HONEST_GUISES: Mapping[SellerKind, Guise] = {
    SellerKind.SHOP: Guise.SHOP,
    SellerKind.DEALER: Guise.DEALER,
    SellerKind.RESELLER: Guise.RESELLER,
    SellerKind.LIQUIDATOR: Guise.SHOP,
}


class Source(StrEnum):
    """Where goods come from; those of the replica factory are counterfeit."""

    BRAND = "brand"
    PARALLEL_IMPORT = "parallel_import"
    OUTLET = "outlet"
    SECOND_HAND = "second_hand"
    REPLICA_FACTORY = "replica_factory"


class Offering(StrEnum):
    """What kind of offer a title makes."""

    BRANDED = "branded"
    REPLICA_SHIRT = "replica_shirt"
    """A supporter's shirt that the brand itself calls a replica."""
    BUNDLE = "bundle"
    """The brand's goods together with something of a second brand."""
    ACCESSORY = "accessory"
    """Unbranded goods that fit the brand's."""
    TRAP = "trap"
    """Unbranded goods with words that copies use too, such as AAA batteries."""
    HOMONYM = "homonym"
    """Unbranded goods named by a word that is a brand as well."""
    UNBRANDED = "unbranded"
    """Goods of a kind that brands sell, without a brand."""
