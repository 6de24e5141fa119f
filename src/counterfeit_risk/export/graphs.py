"""Writes a classifier as three ONNX graphs; the head's ends in calibrated risks, so no caller can forget to calibrate.

Knows no listing and no run.
"""

import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from counterfeit_risk.evaluation.calibration import Calibration, Calibrations
from counterfeit_risk.export.bundle import IMAGE_ENCODER, RISK_HEAD, TEXT_ENCODER
from counterfeit_risk.model.classifier import CounterfeitClassifier
from counterfeit_risk.model.fusion import RiskHead
from counterfeit_risk.model.image_encoder import ImageEncoder


class PixelEncoder(nn.Module):
    """The image tower with its normalisation: (N, S, S, 3) uint8 to (N, D), so that no caller touches a pixel."""

    mean: Tensor
    std: Tensor

    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        preprocessing = encoder.spec.preprocessing
        for name in ("mean", "std"):
            self.register_buffer(name, 255 * torch.tensor(getattr(preprocessing, name)).reshape(1, 3, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        """Encodes photos."""
        values = pixels.permute(0, 3, 1, 2).to(torch.float32)
        embeddings: Tensor = self.encoder((values - self.mean) / self.std)
        return embeddings


class CalibratedHead(nn.Module):
    """The risk head with its calibrations: what `RiskHead` takes to `risk`, `photo_risk`, `title_risk` and `logit`."""

    def __init__(self, head: RiskHead, calibrations: Calibrations) -> None:
        super().__init__()
        self.head = head
        self.calibrations = calibrations

    def forward(
        self,
        photo_embeddings: Tensor,
        photo_mask: Tensor,
        title_embedding: Tensor,
        title_mask: Tensor,
        price_evidence: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Judges B listings; arguments as in `RiskHead.forward`."""
        logits = self.head(photo_embeddings, photo_mask, title_embedding, title_mask, price_evidence)
        heads, has_photo = self.calibrations, photo_mask.any(dim=-1)
        without = torch.where(has_photo, _risk(heads.no_title, logits.fused), _risk(heads.no_photo, logits.fused))
        risk = torch.where(has_photo & title_mask, _risk(heads.fused, logits.fused), without)
        return risk, _risk(heads.photo, logits.photo), _risk(heads.title, logits.title), logits.fused


def _risk(calibration: Calibration, logit: Tensor) -> Tensor:
    line = calibration.slope * logit + calibration.intercept
    # log(exp(floor) + exp(line)), which the exporter would write as it stands, and let overflow
    log_odds = calibration.floor + softplus(line - calibration.floor)
    return torch.sigmoid(log_odds + calibration.prior_shift)


def export_graphs(classifier: CounterfeitClassifier, calibrations: Calibrations, folder: Path) -> None:
    """Writes the image encoder, the text encoder and the calibrated head into a folder."""
    classifier.eval()
    size = classifier.spec.image_encoder.preprocessing.image_size
    image_dim, text_dim = classifier.image_encoder.embedding_dim, classifier.text_encoder.embedding_dim
    batch, photos, tokens = (torch.export.Dim(name, min=1) for name in ("batch", "photos", "tokens"))
    # examples are longer than 1 in every dynamic direction: a length of 1 would be taken for a constant
    _export(
        PixelEncoder(classifier.image_encoder).eval(),
        {"pixels": torch.zeros(2, size, size, 3, dtype=torch.uint8)},
        {"pixels": {0: batch}},
        ["image_embedding"],
        folder / IMAGE_ENCODER,
    )
    _export(
        classifier.text_encoder,
        _example_titles(classifier),
        {"input_ids": {0: batch, 1: tokens}, "attention_mask": {0: batch, 1: tokens}},
        ["text_embedding"],
        folder / TEXT_ENCODER,
    )
    _export(
        CalibratedHead(classifier.head, calibrations).eval(),
        {
            "photo_embeddings": torch.zeros(2, 3, image_dim),
            "photo_mask": torch.ones(2, 3, dtype=torch.bool),
            "title_embedding": torch.zeros(2, text_dim),
            "title_mask": torch.ones(2, dtype=torch.bool),
            "price_evidence": torch.zeros(2),
        },
        {
            "photo_embeddings": {0: batch, 1: photos},
            "photo_mask": {0: batch, 1: photos},
            "title_embedding": {0: batch},
            "title_mask": {0: batch},
            "price_evidence": {0: batch},
        },
        ["risk", "photo_risk", "title_risk", "logit"],
        folder / RISK_HEAD,
    )


def _example_titles(classifier: CounterfeitClassifier) -> dict[str, Tensor]:
    """Two titles, one of them padded: transformers leaves out the mask where it sees nothing to mask."""
    length = min(5, classifier.spec.text_encoder.max_tokens)
    mask = torch.ones(2, length, dtype=torch.int64)
    mask[1, length // 2 :] = 0
    return {"input_ids": torch.ones_like(mask), "attention_mask": mask}


def _export(
    module: nn.Module, inputs: dict[str, Tensor], dynamic: dict[str, Any], outputs: list[str], path: Path
) -> None:
    with warnings.catch_warnings():
        # two inputs may share a named axis; the exporter warns that one name of the two is enough
        warnings.filterwarnings("ignore", message=".*The axis name")
        torch.onnx.export(
            module,
            kwargs=inputs,
            f=path,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=dynamic,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    _strip_metadata(path)


def _strip_metadata(path: Path) -> None:
    """Takes out notes of where the source lay on the exporting machine: equal models must have equal hashes."""
    model = onnx.load(path)
    del model.metadata_props[:]
    for node in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        del node.metadata_props[:]
    for function in model.functions:
        del function.metadata_props[:]
        for node in function.node:
            del node.metadata_props[:]
    del model.graph.metadata_props[:]
    onnx.save(model, path)
