"""Makes int8 towers with NNCF, and says whether towers of a lower precision are good enough to act on.

Knows no run: it is given labelled listings that no weight was fitted on.
"""

import logging
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.embedder import Embedder
from counterfeit_risk.embeddings.preprocessing import tokenize
from counterfeit_risk.embeddings.towers import Towers, batch_titles, filled
from counterfeit_risk.evaluation.metrics import average_precision
from counterfeit_risk.evaluation.risk_bands import RiskBands
from counterfeit_risk.export.bundle import IMAGE_ENCODER, INT8_TOWERS, TEXT_ENCODER, PrecisionCheck
from counterfeit_risk.export.labelled_rows import LabelledContents
from counterfeit_risk.export.onnx_head import OnnxHead

_MOST_PHOTOS, _MOST_TITLES, _AT_ONCE = 320, 320, 16
_MAY_LOSE = 0.005
"""Average precision; some tenth of what a data set of thousands can tell two models apart by."""
_FLIPS_ALLOWED = 0.01
"""Share of the listings whose band may differ."""
_JUDGED_AT_ONCE = 64


def quantize_towers(folder: Path, contents: Sequence[ListingContent], tokenizer: Tokenizer, *, max_tokens: int) -> None:
    """Writes int8 towers beside those of a bundle.

    Args:
        folder: the bundle's.
        contents: real listings, on which the ranges of activations are measured.
        tokenizer: of the text tower.
        max_tokens: tokens of the longest title.
    """
    pixels = np.array([one for content in contents for one in content.pixels][:_MOST_PHOTOS], np.uint8)
    titles = tokenize(tokenizer, [content.title for content in contents if content.title][:_MOST_TITLES])
    photo_batches = [filled(pixels[start : start + _AT_ONCE], _AT_ONCE) for start in range(0, len(pixels), _AT_ONCE)]
    title_batches = [
        {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        for batch in batch_titles(titles.input_ids, titles.attention_mask, max_tokens=max_tokens, at_once=_AT_ONCE)
    ]
    image, text = INT8_TOWERS
    _quantize(folder / IMAGE_ENCODER, photo_batches, folder / image)
    _quantize(folder / TEXT_ENCODER, title_batches, folder / text)


def check_precision(
    reference: Towers, towers: Towers, tokenizer: Tokenizer, head: OnnxHead, bands: RiskBands, rows: LabelledContents
) -> PrecisionCheck:
    """Judges the same listings on two pairs of towers, the first of them in fp32."""
    exact, found = (_risks(one, tokenizer, head, rows.contents) for one in (reference, towers))
    complete = np.array([bool(content.title and content.photo_hashes) for content in rows.contents])
    ones = np.ones(rows.labels.size)
    lost = average_precision(rows.labels, exact, ones) - average_precision(rows.labels, found, ones)
    flips = sum(a is not b for a, b in zip(bands.assign(exact, complete), bands.assign(found, complete), strict=True))
    return PrecisionCheck(
        accepted=bool(lost <= _MAY_LOSE and flips <= _FLIPS_ALLOWED * rows.labels.size),
        rows=rows.labels.size,
        counterfeits=int(rows.labels.sum()),
        average_precision_lost=round(float(lost), 6),
        flips=flips,
        largest_difference=round(float(np.abs(exact - found).max()), 6),
        average_precision_may_lose=_MAY_LOSE,
        flips_allowed=_FLIPS_ALLOWED,
    )


def _risks(
    towers: Towers, tokenizer: Tokenizer, head: OnnxHead, contents: Sequence[ListingContent]
) -> NDArray[np.float64]:
    embedder = Embedder(towers, tokenizer)
    parts = [contents[start : start + _JUDGED_AT_ONCE] for start in range(0, len(contents), _JUDGED_AT_ONCE)]
    return np.concatenate([head.judge(*embedder.embed(part).inputs).risk for part in parts]).astype(np.float64)


def _quantize(graph: Path, batches: Sequence[object], out: Path) -> None:
    import nncf
    import openvino

    model = openvino.Core().read_model(graph)
    attends = any(node.get_type_name() == "Softmax" for node in model.get_ordered_ops())
    nncf.set_log_level(logging.ERROR)
    with redirect_stdout(StringIO()):  # it draws progress bars, on a terminal or not
        quantized = nncf.quantize(
            model,
            nncf.Dataset(batches),
            preset=nncf.QuantizationPreset.MIXED,
            model_type=nncf.ModelType.TRANSFORMER if attends else None,
            subset_size=len(batches),
        )
    for number, node in enumerate(quantized.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{number}")  # a count of all that the process ever made, before
    openvino.save_model(quantized, out, compress_to_fp16=False)
