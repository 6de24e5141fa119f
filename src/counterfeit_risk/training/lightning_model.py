"""The Lightning wrapper: loss, optimiser and validation of a classifier, or of its head alone.

Knows no file and no listing.
"""

import math

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torchmetrics.classification import BinaryAveragePrecision

from counterfeit_risk.config import TrainingSettings
from counterfeit_risk.model.classifier import CounterfeitClassifier, EmbeddedBatch, ListingBatch
from counterfeit_risk.model.fusion import RiskLogits
from counterfeit_risk.training.batches import TrainingBatch

MONITORED = "validation/average_precision"


class ClassifierTraining(lightning.LightningModule):
    """Trains both towers and the head, or the head alone on stored embeddings."""

    def __init__(self, classifier: CounterfeitClassifier, settings: TrainingSettings, *, seed: int) -> None:
        super().__init__()
        # frozen towers stay out of the module, and so out of its checkpoints
        self.model: nn.Module = classifier if settings.towers == "full" else classifier.head
        self.settings, self.seed = settings, seed
        self.validation_average_precision = BinaryAveragePrecision()

    def forward(self, inputs: ListingBatch | EmbeddedBatch) -> RiskLogits:
        """Judges a batch."""
        logits: RiskLogits = self.model(inputs) if isinstance(inputs, ListingBatch) else self.model(*inputs)
        return logits

    def on_train_epoch_start(self) -> None:
        """Draws depend on the seed and the epoch alone, so a resumed run repeats the uninterrupted one."""
        torch.manual_seed(self.seed * 10_007 + self.current_epoch)

    def training_step(self, batch: TrainingBatch) -> Tensor:
        """Loss of the fused head and of the two side heads, each where its modality is there."""
        photo_mask, title_mask = drop_modalities(
            batch.inputs.photo_mask, batch.inputs.title_mask, self.settings.modality_dropout
        )
        inputs = batch.inputs._replace(photo_mask=photo_mask, title_mask=title_mask)
        logits = self(inputs)
        fused = binary_cross_entropy_with_logits(logits.fused, batch.labels)
        photo = _masked_loss(logits.photo, batch.labels, inputs.photo_mask.any(dim=1))
        title = _masked_loss(logits.title, batch.labels, inputs.title_mask)
        loss: Tensor = fused + self.settings.side_loss_weight * (photo + title)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.labels))
        return loss

    def validation_step(self, batch: TrainingBatch) -> None:
        """Gathers average precision and loss of the fused head."""
        logits = self(batch.inputs).fused
        # torchmetrics would take logits that happen to lie in [0, 1] for probabilities, batch by batch
        self.validation_average_precision.update(logits.float().sigmoid(), batch.labels.int())
        loss = binary_cross_entropy_with_logits(logits, batch.labels)
        self.log("validation/loss", loss, batch_size=len(batch.labels))
        self.log(MONITORED, self.validation_average_precision, batch_size=len(batch.labels))

    def predict_step(self, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
        """Rows (B,) and their logits (B, 3): fused, photo, title."""
        return batch.rows, torch.stack(self(batch.inputs), dim=1)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW; the rate rises linearly, then falls along a cosine. Towers learn at a rate of their own."""
        head = self.model.head if isinstance(self.model, CounterfeitClassifier) else self.model
        in_head = {id(parameter) for parameter in head.parameters()}
        towers = [parameter for parameter in self.model.parameters() if id(parameter) not in in_head]
        groups = [{"params": list(head.parameters()), "lr": self.settings.learning_rate}]
        if towers:
            groups.append({"params": towers, "lr": self.settings.tower_learning_rate})
        optimizer = torch.optim.AdamW(groups, weight_decay=self.settings.weight_decay)
        steps = max(1, int(self.trainer.estimated_stepping_batches))
        warmup = max(1, round(steps * self.settings.warmup_share))

        def factor(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def drop_modalities(photo_mask: Tensor, title_mask: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """Takes all photos from some listings and the title from others.

    Args:
        photo_mask: (B, K) bool.
        title_mask: (B,) bool.
        probability: with which a listing that has both loses its photos, and the same for its title; never both.

    Returns:
        The two masks that are left.
    """
    draw = torch.rand(title_mask.shape, device=title_mask.device)
    has_both = title_mask & photo_mask.any(dim=1)
    lose_photos = has_both & (draw < probability)
    lose_title = has_both & (draw > 1 - probability)
    return photo_mask & ~lose_photos.unsqueeze(1), title_mask & ~lose_title


def _masked_loss(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Mean loss over the rows in the mask; 0 where there is none."""
    loss = binary_cross_entropy_with_logits(logits, labels, reduction="none")
    masked: Tensor = (loss * mask).sum() / mask.sum().clamp(min=1)
    return masked
