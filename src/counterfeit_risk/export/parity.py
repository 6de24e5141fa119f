"""Compares the exported graphs with the trained classifier on real rows, and refuses a pair that disagrees.

Knows no bundle: it is asked before one is written.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.embedder import Embedder
from counterfeit_risk.embeddings.towers import Towers
from counterfeit_risk.errors import ParityError
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.risk_bands import RiskBands
from counterfeit_risk.export.onnx_head import OnnxHead
from counterfeit_risk.model.checkpoint import Checkpoint
from counterfeit_risk.model.classifier import ListingBatch
from counterfeit_risk.training.batches import to_listing_batch

logger = logging.getLogger(__name__)

TOLERANCE = 1e-4
"""Largest difference of two risks that are called equal."""
_BATCH_SIZES = (1, 7, 64)


@dataclass(frozen=True)
class ExportedGraphs:
    """What was exported, and runs."""

    towers: Towers
    head: OnnxHead


@dataclass(frozen=True)
class Parity:
    """How far the graphs and the classifier are apart."""

    rows: int
    largest_difference: float
    """Over the risks of all three heads and all batch sizes."""
    flips: int
    """Listings whose band differs, over all batch sizes, but for those whose risk lies on a threshold."""


def check_parity(
    checkpoint: Checkpoint,
    calibrations: Calibrations,
    bands: RiskBands,
    graphs: ExportedGraphs,
    contents: Sequence[ListingContent],
) -> Parity:
    """Judges the same listings with both, in batches of 1, 7 and 64.

    Raises:
        ParityError: if a risk differs by more than `TOLERANCE`, or a listing would change its band by more than that.
    """
    preprocessing = checkpoint.classifier.spec.image_encoder.preprocessing
    largest, flips = 0.0, 0
    for size in _BATCH_SIZES:
        for start in range(0, len(contents), size):
            some = contents[start : start + size]
            batch = to_listing_batch(some, checkpoint.tokenizer, preprocessing)
            prices = np.array([content.price_evidence for content in some], np.float32)
            eager = _judge_eager(checkpoint, calibrations, batch, prices)
            exported = _judge_graphs(graphs, checkpoint.tokenizer, some)
            has_photo, has_title = batch.photo_mask.numpy().any(1), batch.title_mask.numpy()
            present = np.stack([has_photo | has_title, has_photo, has_title], axis=1)
            difference = np.abs(eager - exported)[present]
            largest = max(largest, float(difference.max())) if np.isfinite(difference).all() else float("inf")
            # a risk that lies on a threshold may fall to either side of it
            far = _distance_to_threshold(eager[:, 0], bands) > TOLERANCE
            complete = has_photo & has_title
            here, there = bands.assign(eager[:, 0], complete), bands.assign(exported[:, 0], complete)
            flips += sum(a is not b for a, b, counts in zip(here, there, far, strict=True) if counts)
    parity = Parity(len(contents), largest, flips)
    logger.info("parity: largest difference %.2g over %d rows, %d flips", largest, len(contents), flips)
    if largest > TOLERANCE or flips:
        raise ParityError(
            f"the exported graphs disagree with the trained model: largest difference {largest:.2g} (allowed "
            f"{TOLERANCE:g}), {flips} times a row changes its band; no bundle was written"
        )
    return parity


def _distance_to_threshold(risks: np.ndarray, bands: RiskBands) -> np.ndarray:
    thresholds = [cut for cut in (bands.review_from, bands.automatic_from) if cut is not None]
    distance: np.ndarray = np.abs(risks[:, None] - np.array(thresholds)).min(axis=1)
    return distance


def _judge_eager(
    checkpoint: Checkpoint, calibrations: Calibrations, batch: ListingBatch, prices: np.ndarray
) -> np.ndarray:
    logits = torch.stack(checkpoint.classifier.judge(batch, torch.from_numpy(prices)), dim=1).numpy()
    has_photo: np.ndarray = batch.photo_mask.any(dim=1).numpy()
    has_title: np.ndarray = batch.title_mask.numpy()
    return calibrations.risks_of(logits, has_photo=has_photo, has_title=has_title)


def _judge_graphs(graphs: ExportedGraphs, tokenizer: Tokenizer, contents: Sequence[ListingContent]) -> np.ndarray:
    risks = graphs.head.judge(*Embedder(graphs.towers, tokenizer).embed(contents).inputs)
    return np.stack([risks.risk, risks.photo_risk, risks.title_risk], axis=1)
