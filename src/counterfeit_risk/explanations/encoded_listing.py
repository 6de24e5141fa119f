"""One listing, encoded once, from which its variations are made.

Knows no way of varying it. Letters: B variants, K photos, S pixels a side, D embedding.
"""

from dataclasses import dataclass

import numpy as np

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.embedder import HeadInput
from counterfeit_risk.explanations.model import ExplainedModel, Floats


@dataclass(frozen=True)
class EncodedListing:
    """A listing's content, and what the towers make of it."""

    content: ListingContent
    photo_embeddings: Floats
    """(K, D); one row without meaning where there is no photo."""
    title_embedding: Floats
    """(D,); without meaning where there is no title."""

    @property
    def is_complete(self) -> bool:
        """True with a photo and a title."""
        return bool(self.content.pixels) and bool(self.content.title)

    def repeat(self, count: int) -> HeadInput:
        """The listing itself, B times over, to vary."""
        has_photos, has_title = bool(self.content.pixels), bool(self.content.title)
        return HeadInput(
            photo_embeddings=np.repeat(self.photo_embeddings[None], count, axis=0),
            photo_mask=np.full((count, len(self.photo_embeddings)), has_photos),
            title_embedding=np.repeat(self.title_embedding[None], count, axis=0),
            title_mask=np.full(count, has_title),
            price_evidence=np.full(count, self.content.price_evidence, np.float32),
        )


def encode_listing(model: ExplainedModel, content: ListingContent) -> EncodedListing:
    """Runs both towers over a listing; what it lacks is encoded as anything at all, and masked.

    Photos whose embeddings the content brings along are not encoded.
    """
    size = model.preprocessing.image_size
    hashes = content.photo_hashes or ("",)
    pixels = dict(zip(hashes, content.pixels or [np.zeros((size, size, 3), np.uint8)], strict=True))
    new = [key for key in pixels if key not in content.stored]
    made = model.encode_photos(np.stack([pixels[key] for key in new])) if new else ()
    known = {**content.stored, **dict(zip(new, made, strict=True))}
    photo_embeddings = np.stack([known[key] for key in hashes])
    return EncodedListing(content, photo_embeddings, model.encode_titles([content.title or "-"])[0])
