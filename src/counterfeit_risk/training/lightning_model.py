"""The Lightning wrapper: loss, optimiser and validation of a classifier, or of those parts of it that learn.

Knows no file and no listing.
"""

import math
from collections.abc import Mapping
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.modules.batchnorm import _BatchNorm
from torchmetrics.classification import BinaryAveragePrecision

from counterfeit_risk.config import TrainingSettings
from counterfeit_risk.model.classifier import CounterfeitClassifier, EmbeddedBatch, ListingBatch, StoredPhotosBatch
from counterfeit_risk.model.fusion import Views
from counterfeit_risk.training.batches import TrainingBatch
from counterfeit_risk.training.contrastive import ContrastiveLoss

MONITORED = "validation/average_precision"
Inputs = ListingBatch | StoredPhotosBatch | EmbeddedBatch


def frozen_towers(classifier: CounterfeitClassifier, settings: TrainingSettings) -> tuple[str, ...]:
    """Names of the towers that do not learn: with `frozen`, those that come with weights."""
    if settings.towers == "full":
        return ()
    return ("image_encoder", "text_encoder") if classifier.spec.text_encoder.pretrained else ("image_encoder",)


class LearningParts(lightning.LightningModule):
    """What every stage shares: which parts learn, how fast, and that only those are kept in checkpoints."""

    def __init__(self, classifier: CounterfeitClassifier, settings: TrainingSettings, *, seed: int) -> None:
        super().__init__()
        self.model, self.settings, self.seed = classifier, settings, seed
        self.frozen = frozen_towers(classifier, settings)
        for name in ("image_encoder", "text_encoder"):
            getattr(classifier, name).requires_grad_(requires_grad=name not in self.frozen)
        self.strict_loading = False  # a frozen tower is in no checkpoint

    def encode(self, inputs: Inputs) -> EmbeddedBatch:
        """Runs the towers that a batch has not gone through."""
        if isinstance(inputs, ListingBatch):
            inputs = self.model.encode_photos(inputs)
        return self.model.encode_titles(inputs) if isinstance(inputs, StoredPhotosBatch) else inputs

    def on_train_epoch_start(self) -> None:
        """Draws depend on the seed and the epoch alone, so a resumed run repeats the uninterrupted one.

        Batch norms with pretrained statistics keep them: those of a small batch are worse.
        """
        torch.manual_seed(self.seed * 10_007 + self.current_epoch)
        for tower in (self.model.image_encoder, self.model.text_encoder):
            for module in tower.modules() if tower.spec.pretrained else ():
                if isinstance(module, _BatchNorm):
                    module.eval()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leaves the towers that do not learn out."""
        checkpoint["state_dict"] = {name: checkpoint["state_dict"][name] for name in self._learning_weights()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses a checkpoint that lacks a weight: strictness is off for the towers' sake only."""
        missing = self._learning_weights() - checkpoint["state_dict"].keys()
        if missing:
            raise RuntimeError(f"the checkpoint lacks {', '.join(sorted(missing)[:3])}")

    def _learning_weights(self) -> set[str]:
        frozen = tuple(f"model.{name}." for name in self.frozen)
        return {name for name in self.state_dict() if not name.startswith(frozen)}

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW; the rate rises linearly, then falls along a cosine. Pretrained towers learn at a rate of their own."""
        optimizer = torch.optim.AdamW(self._parameter_groups(), weight_decay=self.settings.weight_decay)
        steps = max(1, int(self.trainer.estimated_stepping_batches))
        warmup = max(1, round(steps * self.settings.warmup_share))

        def factor(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _parameter_groups(self) -> list[dict[str, Any]]:
        towers: Mapping[str, Any] = {"image_encoder": self.model.image_encoder, "text_encoder": self.model.text_encoder}
        pretrained = {id(one) for tower in towers.values() if tower.spec.pretrained for one in tower.parameters()}
        learning = [one for one in self.parameters() if one.requires_grad]
        fresh = [one for one in learning if id(one) not in pretrained]
        groups = [{"params": fresh, "lr": self.settings.learning_rate}]
        tuned = [one for one in learning if id(one) in pretrained]
        return [*groups, {"params": tuned, "lr": self.settings.tower_learning_rate}] if tuned else groups


class ClassifierTraining(LearningParts):
    """Trains the head, and the towers that learn, on labels."""

    def __init__(
        self, classifier: CounterfeitClassifier, settings: TrainingSettings, *, prevalence: float, seed: int
    ) -> None:
        """Wraps a classifier.

        Args:
            classifier: learns in place.
            settings: how.
            prevalence: weighted share of counterfeits among the train rows.
            seed: of every draw.
        """
        super().__init__(classifier, settings, seed=seed)
        self.prior_logit = math.log(prevalence) - math.log1p(-prevalence)
        self.contrastive = ContrastiveLoss("infonce")
        self.validation_average_precision = BinaryAveragePrecision()

    def forward(self, inputs: Inputs) -> tuple[Views, EmbeddedBatch]:
        """What the head sees in a batch, and the batch's embeddings."""
        embedded = self.encode(inputs)
        return self.model.head.look(*embedded[:3]), embedded

    def training_step(self, batch: TrainingBatch) -> Tensor:
        """Loss of the pair and of the two side heads, each where its parts are there, and the contrastive one."""
        views, embedded = self(batch.inputs)
        has_photo, has_title = embedded.photo_mask.any(dim=1), embedded.title_mask
        both = has_photo & has_title
        side = self._loss(views.photo, batch, has_photo) + self._loss(views.title, batch, has_title)
        loss = self._loss(views.pair, batch, both) + self.settings.side_loss_weight * side
        if self.settings.contrastive_weight:
            apart = self.contrastive(views.photo_in_space[both], views.title_in_space[both])
            loss = loss + self.settings.contrastive_weight * apart
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.labels), sync_dist=True)
        return loss

    def validation_step(self, batch: TrainingBatch) -> None:
        """Gathers the average precision of the fused logit."""
        fused = self.model.head(*self.encode(batch.inputs)).fused
        # torchmetrics would take logits that happen to lie in [0, 1] for probabilities, batch by batch
        self.validation_average_precision.update(fused.float().sigmoid(), batch.labels.int())
        self.log(MONITORED, self.validation_average_precision, batch_size=len(batch.labels))

    def predict_step(self, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
        """Rows (B,) and the evidence (B, 4) in them."""
        views, _ = self(batch.inputs)
        return batch.rows, views.evidence

    def _loss(self, logits: Tensor, batch: TrainingBatch, rows: Tensor) -> Tensor:
        """Mean logit-adjusted loss over some rows; 0 where there is none.

        The log odds of the train prevalence are added (Menon et al. 2021, arXiv:2007.07314, equation 10), so that the
        logit itself says what a listing shows, and rare counterfeits do not have to be unlearned from a bias of 0.
        """
        loss = binary_cross_entropy_with_logits(logits + self.prior_logit, batch.labels, reduction="none")
        weights = batch.weights * rows
        mean: Tensor = (loss * weights).sum() / weights.sum().clamp(min=1e-6)
        return mean
