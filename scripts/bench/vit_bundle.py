"""A bundle with towers of the size of CLIP ViT-B/32 and random weights, for what has to be measured, not judged."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPVisionConfig

from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing, configure_tokenizer
from counterfeit_risk.embeddings.price_model import PriceModel
from counterfeit_risk.evaluation.calibration import Calibration, Calibrations
from counterfeit_risk.evaluation.risk_bands import RiskBands
from counterfeit_risk.export.bundle import (
    INT8_TOWERS,
    MANIFEST,
    MODEL_FILES,
    PRICE_MODEL,
    TOKENIZER,
    Manifest,
    ModelBundle,
    PrecisionCheck,
    hash_files,
    model_id,
    open_bundle,
    weights_of,
)
from counterfeit_risk.export.graphs import export_graphs
from counterfeit_risk.export.quantization import quantize_towers
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.model.checkpoint import Checkpoint
from counterfeit_risk.model.classifier import CounterfeitClassifier
from counterfeit_risk.model.specification import ClassifierSpec, ImageEncoderSpec, TextEncoderSpec

MAX_PHOTOS = 4
_MAX_TOKENS, _VOCABULARY, _WIDTH = 77, 49_408, 512
_QUANTIZED_BY = 64
_TAKEN_AS_GOOD = PrecisionCheck(
    accepted=True,
    rows=0,
    counterfeits=0,
    average_precision_lost=0.0,
    flips=0,
    largest_difference=0.0,
    average_precision_may_lose=0.0,
    flips_allowed=0.0,
)


def vit_checkpoint(titles: Sequence[str]) -> Checkpoint:
    """A classifier in evaluation mode, and a tokenizer that has read some titles."""
    torch.manual_seed(0)
    half = (0.5, 0.5, 0.5)
    preprocessing = ImagePreprocessing(image_size=224, crop_share=1.0, interpolation="bicubic", mean=half, std=half)
    vision = CLIPVisionConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, patch_size=32
    )
    text = CLIPTextConfig(hidden_size=512, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=8)
    spec = ClassifierSpec(
        image_encoder=ImageEncoderSpec(
            kind="clip", architecture=vision.to_dict(), preprocessing=preprocessing, pretrained=False
        ),
        text_encoder=TextEncoderSpec(
            kind="clip", architecture=text.to_dict(), max_tokens=_MAX_TOKENS, pretrained=False
        ),
        fusion_dim=256,
        dropout=0.1,
        shared_space=True,
        max_photos=MAX_PHOTOS,
    )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.train_from_iterator(
        titles, trainers.BpeTrainer(vocab_size=_VOCABULARY, special_tokens=["[PAD]"], show_progress=False)
    )
    configure_tokenizer(tokenizer, max_tokens=_MAX_TOKENS, pad_id=0, pad_token="[PAD]")
    return Checkpoint(CounterfeitClassifier.from_spec(spec).eval(), tokenizer)


def write_bundle(checkpoint: Checkpoint, folder: Path, listings: Sequence[Listing], image_root: Path) -> ModelBundle:
    """Writes the bundle of a checkpoint; its int8 towers are taken to be good enough, whatever they are."""
    classifier, tokenizer = checkpoint
    spec = classifier.spec
    preprocessing = spec.image_encoder.preprocessing
    folder.mkdir()
    calibrations = Calibrations(*[Calibration(1.0, 0.0, -6.0, 0.1, 0.1)] * 5)
    export_graphs(classifier, calibrations, folder)
    tokenizer.save(str(folder / TOKENIZER))
    (folder / PRICE_MODEL).write_text('{"usual": [], "distances": [], "log_odds": []}', encoding="utf-8")
    reader = ContentReader(image_root, preprocessing, MAX_PHOTOS, price_model=PriceModel())
    contents = [reader.read(listing) for listing in listings[:_QUANTIZED_BY]]
    quantize_towers(folder, contents, tokenizer, max_tokens=_MAX_TOKENS)
    files = hash_files(folder, [*MODEL_FILES, *INT8_TOWERS, *map(weights_of, INT8_TOWERS)])
    bands = RiskBands(review_from=0.5, automatic_from=None, evidence={}).to_dict()
    manifest = Manifest(
        model_id=model_id(files, preprocessing, MAX_PHOTOS, bands),
        run_id="none",
        created_at=datetime.now(UTC),
        files=files,
        precisions={"int8": _TAKEN_AS_GOOD, "bf16": _TAKEN_AS_GOOD},
        image_preprocessing=preprocessing,
        max_photos=MAX_PHOTOS,
        max_title_tokens=_MAX_TOKENS,
        calibrations=calibrations.to_dict(),
        bands=bands,
        training_data={},
        metrics={},
        libraries={},
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(), encoding="utf-8")
    return open_bundle(folder)
