import torch
from torch.nn import BatchNorm2d

from counterfeit_risk.config import TrainingSettings
from counterfeit_risk.model.checkpoint import Checkpoint
from counterfeit_risk.model.classifier import CounterfeitClassifier, ListingBatch
from counterfeit_risk.training.batches import TrainingBatch
from counterfeit_risk.training.lightning_model import ClassifierTraining, frozen_towers


def with_pretrained_photos(checkpoint: Checkpoint) -> CounterfeitClassifier:
    spec = checkpoint.classifier.spec
    image = spec.image_encoder.model_copy(update={"pretrained": True})
    return CounterfeitClassifier.from_spec(spec.model_copy(update={"image_encoder": image}))


def module_of(classifier: CounterfeitClassifier, **settings: object) -> ClassifierTraining:
    module = ClassifierTraining(classifier, TrainingSettings.model_validate(settings), prevalence=0.2, seed=0)
    module.log = lambda *_, **__: None  # type: ignore[method-assign] # no trainer is there to take it
    return module


def batch_of(titles: list[bool], photos: list[bool]) -> TrainingBatch:
    random = torch.Generator().manual_seed(0)
    rows = len(titles)
    inputs = ListingBatch(
        pixel_values=torch.randn(rows, 3, 32, 32, generator=random),
        photo_index=torch.arange(rows)[:, None],
        photo_mask=torch.tensor(photos)[:, None],
        input_ids=torch.randint(1, 250, (rows, 5), generator=random),
        attention_mask=torch.ones(rows, 5, dtype=torch.int64),
        title_mask=torch.tensor(titles),
    )
    return TrainingBatch(inputs, torch.tensor([1.0, 0.0] * (rows // 2)), torch.ones(rows), torch.arange(rows))


def test_a_tower_from_scratch_learns_beside_a_frozen_one(tiny_classifier: Checkpoint) -> None:
    classifier = with_pretrained_photos(tiny_classifier)

    module = module_of(classifier, towers="frozen")

    assert frozen_towers(classifier, module.settings) == ("image_encoder",)
    assert not any(one.requires_grad for one in classifier.image_encoder.parameters())
    assert all(one.requires_grad for one in classifier.text_encoder.parameters())


def test_a_checkpoint_holds_what_learns_and_nothing_else(tiny_classifier: Checkpoint) -> None:
    module = module_of(with_pretrained_photos(tiny_classifier), towers="frozen")
    checkpoint = {"state_dict": module.state_dict()}

    module.on_save_checkpoint(checkpoint)

    kept = {name.split(".")[1] for name in checkpoint["state_dict"] if name.startswith("model.")}
    assert kept == {"text_encoder", "head"}
    module.on_load_checkpoint(checkpoint)


def test_pretrained_batch_norms_keep_their_statistics(tiny_classifier: Checkpoint) -> None:
    classifier = with_pretrained_photos(tiny_classifier)
    norms = [one for one in classifier.image_encoder.modules() if isinstance(one, BatchNorm2d)]
    module = module_of(classifier, towers="full").train()
    module.on_train_epoch_start()

    before = norms[0].running_mean.clone()
    module.training_step(batch_of([True] * 4, [True] * 4))

    assert norms
    assert classifier.head.training
    torch.testing.assert_close(norms[0].running_mean, before)


def test_batch_norms_from_scratch_learn_theirs(tiny_classifier: Checkpoint) -> None:
    norms = [one for one in tiny_classifier.classifier.image_encoder.modules() if isinstance(one, BatchNorm2d)]
    module = module_of(tiny_classifier.classifier, towers="full").train()
    module.on_train_epoch_start()

    before = norms[0].running_mean.clone()
    module.training_step(batch_of([True] * 4, [True] * 4))

    assert (norms[0].running_mean - before).abs().sum() > 0


def test_a_row_of_no_weight_teaches_nothing(tiny_classifier: Checkpoint) -> None:
    module = module_of(tiny_classifier.classifier, towers="full", contrastive_weight=0.0).eval()
    batch = batch_of([True] * 4, [True] * 4)
    other = batch._replace(labels=torch.tensor([1.0, 0.0, 1.0, 1.0]))
    weights = torch.tensor([1.0, 1.0, 1.0, 0.0])

    one, two = (module.training_step(each._replace(weights=weights)) for each in (batch, other))

    torch.testing.assert_close(one, two)


def test_a_missing_part_has_no_loss_of_its_own(tiny_classifier: Checkpoint) -> None:
    module = module_of(tiny_classifier.classifier, towers="full").train()

    module.training_step(batch_of([True] * 4, [False] * 4)).backward()

    reached = [one.grad for one in tiny_classifier.classifier.head.photo_head.parameters()]
    assert all(grad is None or grad.abs().sum() == 0 for grad in reached)
    learned = [one.grad for one in tiny_classifier.classifier.head.title_head.parameters()]
    assert any(grad is not None and grad.abs().sum() > 0 for grad in learned)
