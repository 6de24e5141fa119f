"""The contrastive stage: photos and titles of unlabelled listings are brought into one space.

Knows no label. What was learned here is where the stage with labels starts from.
"""

from torch import Tensor

from counterfeit_risk.config import TrainingSettings
from counterfeit_risk.model.classifier import CounterfeitClassifier
from counterfeit_risk.training.batches import TrainingBatch
from counterfeit_risk.training.contrastive import ContrastiveLoss
from counterfeit_risk.training.lightning_model import LearningParts

MONITORED_ALIGNMENT = "validation/contrastive_loss"


class AlignmentTraining(LearningParts):
    """Draws photos and title of each listing together, over the projections and the towers that learn."""

    def __init__(self, classifier: CounterfeitClassifier, settings: TrainingSettings, *, seed: int) -> None:
        super().__init__(classifier, settings, seed=seed)
        self.contrastive = ContrastiveLoss(settings.alignment.loss)

    def forward(self, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
        """Unit vectors of the photos and the titles of those listings that have both."""
        embedded = self.encode(batch.inputs)
        views = self.model.head.look(*embedded[:3])
        both = embedded.photo_mask.any(dim=1) & embedded.title_mask
        return views.photo_in_space[both], views.title_in_space[both]

    def training_step(self, batch: TrainingBatch) -> Tensor:
        """Contrastive loss of a batch."""
        loss: Tensor = self.contrastive(*self(batch))
        self.log("train/contrastive_loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def validation_step(self, batch: TrainingBatch) -> None:
        """The same on pairs that are not learned from: a stage that learns its pairs by heart has to be stopped."""
        loss = self.contrastive(*self(batch))
        self.log(MONITORED_ALIGNMENT, loss, batch_size=len(batch.labels), sync_dist=True)
