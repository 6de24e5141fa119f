"""Turns the contents of listings into embeddings, each distinct photo and title once.

Knows no risk. Letters: B listings, K photos a listing, D embedding.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.fingerprint import title_hash
from counterfeit_risk.embeddings.preprocessing import tokenize
from counterfeit_risk.embeddings.stopwatch import Stopwatch
from counterfeit_risk.embeddings.store import TowerStore
from counterfeit_risk.embeddings.towers import Floats, Towers

_REMEMBERED = 4096
"""Photos whose embeddings are at hand although those who read ahead have not seen them in the store."""


class HeadInput(NamedTuple):
    """B listings as the head takes them."""

    photo_embeddings: Floats
    """(B, K, D), K of 1 or more."""
    photo_mask: NDArray[np.bool_]
    """(B, K); a listing without photos is judged by its title alone."""
    title_embedding: Floats
    """(B, D)."""
    title_mask: NDArray[np.bool_]
    """(B,); a listing without a title is judged by its photos alone."""
    price_evidence: Floats
    """(B,) log odds, 0 where a price says nothing."""

    def rows(self, start: int, stop: int) -> "HeadInput":
        """Those of some rows, as if they had been embedded alone."""
        mask = self.photo_mask[start:stop]
        width = max(1, int(mask.sum(axis=1).max(initial=0)))
        return HeadInput(
            np.ascontiguousarray(self.photo_embeddings[start:stop, :width]),
            np.ascontiguousarray(mask[:, :width]),
            self.title_embedding[start:stop],
            self.title_mask[start:stop],
            self.price_evidence[start:stop],
        )


class EmbeddedListings(NamedTuple):
    """B listings, embedded."""

    inputs: HeadInput
    title_cut: NDArray[np.bool_]
    """(B,); True where the title was longer than the token limit."""

    def rows(self, start: int, stop: int) -> "EmbeddedListings":
        """Those of some rows, as if they had been embedded alone."""
        return EmbeddedListings(self.inputs.rows(start, stop), self.title_cut[start:stop])


@dataclass
class StoreUse:
    """How many embeddings of distinct contents were at hand, and how many had to be made."""

    photos_found: int = 0
    photos_encoded: int = 0
    titles_found: int = 0
    titles_encoded: int = 0


class Embedder:
    """Runs two towers over listings, one batch after the other."""

    def __init__(
        self,
        towers: Towers,
        tokenizer: Tokenizer,
        *,
        photos: TowerStore | None = None,
        titles: TowerStore | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        """Takes towers and, where there are any, their stores; the reader of the contents looks into that of photos."""
        self._towers, self._tokenizer, self._photos, self._titles = towers, tokenizer, photos, titles
        self._stopwatch = stopwatch or Stopwatch()
        self._recent: OrderedDict[str, Floats] = OrderedDict()
        self.use = StoreUse()

    def embed(self, contents: Sequence[ListingContent]) -> EmbeddedListings:
        """Embeds B listings, B of 1 or more."""
        with self._stopwatch.stage("encode photos"):
            photos, photo_mask = self.embed_photos(contents)
        with self._stopwatch.stage("encode titles"):
            titles, cut = self.embed_titles(contents)
        title_mask = np.array([bool(content.title) for content in contents])
        prices = np.array([content.price_evidence for content in contents], np.float32)
        return EmbeddedListings(HeadInput(photos, photo_mask, titles, title_mask, prices), cut)

    def embed_photos(self, contents: Sequence[ListingContent]) -> tuple[Floats, NDArray[np.bool_]]:
        """(B, K, D) embeddings of the photos of B listings, and (B, K) where there are photos; K is 1 at least."""
        known: dict[str, Floats] = {}
        new: dict[str, NDArray[np.uint8]] = {}
        for content in contents:
            known |= content.stored
            new |= dict(zip(content.photo_hashes, content.pixels, strict=True))
        known |= {key: self._recent[key] for key in new if key in self._recent}
        new = {key: pixels for key, pixels in new.items() if key not in known}
        if new:
            made = self._towers.encode_photos(np.stack(list(new.values())))
            self._keep(list(new), made)
            known |= dict(zip(new, made, strict=True))
        self.use.photos_found += len(known) - len(new)
        self.use.photos_encoded += len(new)
        counts = np.array([len(content.photo_hashes) for content in contents])
        mask = np.arange(max(1, counts.max())) < counts[:, None]
        embeddings = np.zeros((*mask.shape, self._towers.image_dim), np.float32)
        if known:
            embeddings[mask] = [known[key] for content in contents for key in content.photo_hashes]
        return embeddings, mask

    def _keep(self, hashes: list[str], embeddings: Floats) -> None:
        if self._photos:
            self._photos.put([bytes.fromhex(key) for key in hashes], embeddings)
        self._recent |= zip(hashes, embeddings, strict=True)
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)

    def embed_titles(self, contents: Sequence[ListingContent]) -> tuple[Floats, NDArray[np.bool_]]:
        """(B, D) embeddings of the titles of B listings, 0 where there is none, and (B,) which were too long."""
        embeddings = np.zeros((len(contents), self._towers.text_dim), np.float32)
        cut = np.zeros(len(contents), bool)
        rows = np.array([row for row, content in enumerate(contents) if content.title], np.int64)
        if not rows.size:
            return embeddings, cut
        distinct = list(dict.fromkeys(contents[row].title for row in rows))
        place = {title: number for number, title in enumerate(distinct)}
        tokens = tokenize(self._tokenizer, distinct)
        hashes = [title_hash(title) for title in distinct]
        if self._titles:
            found, known = self._titles.get_many(hashes)
        else:
            found, known = np.zeros((len(distinct), self._towers.text_dim), np.float32), np.zeros(len(distinct), bool)
        new = np.flatnonzero(~known)
        found[new] = self._towers.encode_titles(tokens.input_ids[new], tokens.attention_mask[new])
        if self._titles and new.size:
            self._titles.put([hashes[number] for number in new], found[new])
        self.use.titles_found += len(distinct) - len(new)
        self.use.titles_encoded += len(new)
        index = [place[contents[row].title] for row in rows]
        embeddings[rows], cut[rows] = found[index], tokens.cut[index]
        return embeddings, cut
