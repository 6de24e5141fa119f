"""Reads what a listing shows, photos, title and price, as the towers and the head take it.

Training and scoring both start here.

Knows no label and no model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.embeddings.fingerprint import listing_hash, photo_hash
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing, to_pixels
from counterfeit_risk.embeddings.price_model import PriceModel
from counterfeit_risk.embeddings.store import TowerStore
from counterfeit_risk.listings.columns import PHOTO_COLUMNS
from counterfeit_risk.listings.images import ImageLimits, UnreadableImageError, decode_image, read_photo
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.listings.thumbnails import SMALLEST_SIDE, Thumbnail, make_thumbnail
from counterfeit_risk.listings.titles import MAX_TITLE_CHARACTERS, read_title

_TRIES_A_PHOTO = 8
"""Photos tried for each that is wanted, so that a row with a million broken ones holds nobody up."""
_NAME_CHARACTERS = 200


NOT_DECODED = np.zeros((0, 0, 3), np.uint8)
"""Stands for the pixels of a photo that nobody has to look at."""


@dataclass(frozen=True)
class ListingContent:
    """The usable content of one listing."""

    title: str
    """As the towers read it; empty where there is none."""
    pixels: tuple[NDArray[np.uint8], ...]
    """One (S, S, 3) array for each usable photo; `NOT_DECODED` where `stored` has its embedding."""
    photo_hashes: tuple[str, ...]
    photos_lost: tuple[str, ...]
    """One `name: why` for each photo that could not be used."""
    thumbnails: tuple[Thumbnail, ...] = ()
    """One for each usable photo where the reader keeps them: what near-duplicates are found by."""
    title_cut: bool = False
    """True where the title is longer than what is read of one."""
    stored: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """(D,) embeddings that were found in a store, by photo hash."""
    price_evidence: float = 0.0
    """Log odds that the price adds; 0 where it says nothing."""

    @property
    def is_empty(self) -> bool:
        """True where neither a photo nor a title is left to judge."""
        return not self.title and not self.photo_hashes

    @property
    def photos_decoded(self) -> int:
        """Photos whose embeddings are still to be made."""
        return sum(key not in self.stored for key in self.photo_hashes)

    @cached_property
    def content_hash(self) -> str:
        """Equal for two listings whose photos and titles no model can tell apart."""
        return listing_hash(self.title, self.photo_hashes)


@dataclass(frozen=True)
class ContentReader:
    """Reads listings for one image tower."""

    image_root: Path
    preprocessing: ImagePreprocessing
    max_photos: int
    """Photos used of one listing: the first ones that can be read."""
    limits: ImageLimits = field(default_factory=ImageLimits)
    keep_thumbnails: bool = False
    """Scoring has no use for them."""
    price_model: PriceModel = field(default_factory=PriceModel)
    """What prices say; nothing while it is not known."""
    store: TowerStore | None = None
    """Embeddings of photos that need not be encoded."""
    decode_stored: bool = False
    """Photos that the store knows are decoded all the same, for those who look at pixels."""

    def read(self, listing: Listing) -> ListingContent:
        """Reads a listing; a photo that cannot be used is named and left out."""
        pixels: list[NDArray[np.uint8]] = []
        hashes: list[str] = []
        stored: dict[str, NDArray[np.float32]] = {}
        thumbnails: list[Thumbnail] = []
        # an entry of the photo column that is no photo at all has no name of its own
        lost = [f"{name}: an entry is no photo" for name in listing.unreadable_fields if name in PHOTO_COLUMNS]
        most = _TRIES_A_PHOTO * self.max_photos
        for number, photo in enumerate(listing.photos):
            if len(pixels) == self.max_photos:
                break
            if number == most:
                lost.append(f"{len(listing.photos) - most} more: not tried after {most}")
                break
            try:
                data = read_photo(photo, self.image_root, self.limits)
                key = photo_hash(data)
                embedding = self.store.get(bytes.fromhex(key)) if self.store else None
                if embedding is not None:
                    stored[key] = embedding
                if embedding is not None and not (self.decode_stored or self.keep_thumbnails):
                    pixels.append(NOT_DECODED)
                    hashes.append(key)
                    continue
                decoded = decode_image(data, smallest_side=self._smallest_side, limits=self.limits)
            except UnreadableImageError as error:
                lost.append(f"{str(photo)[:_NAME_CHARACTERS]}: {error}")
                continue
            pixels.append(to_pixels(decoded, self.preprocessing))
            hashes.append(key)
            if self.keep_thumbnails:
                thumbnails.append(make_thumbnail(decoded))
        return replace(
            self.read_without_photos(listing, *lost),
            pixels=tuple(pixels),
            photo_hashes=tuple(hashes),
            thumbnails=tuple(thumbnails),
            stored=stored,
        )

    def read_without_photos(self, listing: Listing, *lost: str) -> ListingContent:
        """Reads a listing's title and price only; `lost` says for each photo that should be there why it is not."""
        return ListingContent(
            read_title(listing.title),
            pixels=(),
            photo_hashes=(),
            photos_lost=lost,
            title_cut=len(listing.title) > MAX_TITLE_CHARACTERS,
            price_evidence=self.price_model.evidence(listing),
        )

    @property
    def _smallest_side(self) -> int:
        """Pixels that a photo's shorter side needs for all that is made of it."""
        side = self.preprocessing.smallest_side
        return max(side, SMALLEST_SIDE) if self.keep_thumbnails else side
