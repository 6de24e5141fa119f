"""Runs a bundle's head on onnxruntime. Imports no torch.

Knows arrays, not listings. Letters: B listings, K photos a listing, D embedding.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.embeddings.towers import Floats
from counterfeit_risk.export.bundle import RISK_HEAD
from counterfeit_risk.export.runtimes import open_session


class Risks(NamedTuple):
    """What the head says of B listings, (B,) each."""

    risk: Floats
    """Calibrated probability of being counterfeit."""
    photo_risk: Floats
    """The same from the photos alone; without meaning where there is none."""
    title_risk: Floats
    """The same from the title alone; without meaning where there is none."""
    logit: Floats
    """The fused head's logit, before calibration."""


class OnnxHead:
    """The calibrated head of a bundle, in fp32."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """Loads the graph from a bundle's folder.

        Raises:
            BundleError: if onnxruntime cannot load it.
        """
        self._session = open_session(folder / RISK_HEAD, threads)
        widths = {one.name: one.shape[-1] for one in self._session.get_inputs()}
        self.image_dim: int = widths["photo_embeddings"]
        self.text_dim: int = widths["title_embedding"]

    def judge(
        self,
        photo_embeddings: Floats,
        photo_mask: NDArray[np.bool_],
        title_embedding: Floats,
        title_mask: NDArray[np.bool_],
        price_evidence: Floats,
    ) -> Risks:
        """Judges B listings.

        Args:
            photo_embeddings: (B, K, D), K of 1 or more.
            photo_mask: (B, K), True where there is a photo.
            title_embedding: (B, D).
            title_mask: (B,), True where there is a title.
            price_evidence: (B,) log odds, 0 where a price says nothing.
        """
        inputs = {
            "photo_embeddings": photo_embeddings,
            "photo_mask": photo_mask,
            "title_embedding": title_embedding,
            "title_mask": title_mask,
            "price_evidence": price_evidence,
        }
        return Risks(*self._session.run(list(Risks._fields), inputs))
