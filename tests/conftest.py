"""What the rooms' tests share: tiny towers on disk, a tiny market, and one run taken through every stage.

All of it is random or synthetic and made on the spot; no network is touched. Heavy libraries are imported by the
fixtures that need them, so that the tests of torch-free rooms stay quick.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from counterfeit_risk.export.bundle import ModelBundle
    from counterfeit_risk.model.checkpoint import Checkpoint
    from counterfeit_risk.tracking.runs import TrackedRun

# before any of these libraries is imported: they read it then
os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}

IMAGE_SIZE = 32
PADDING = "[PAD]"
VOCABULARY = 300
CLIP_START, CLIP_END = 298, 299
SIGLIP_TOKENS = 16


@pytest.fixture(scope="session")
def _quiet_transformers() -> None:
    """The environment silences the hub's progress bars, but not those of transformers."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory, _quiet_transformers: None) -> Path:
    """A CLIP checkpoint folder: 32 pixels a side, 20 tokens, 24 dimensions, and byte tokens with no merges."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("towers") / "clip"
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"bos_token_id": CLIP_START, "eos_token_id": CLIP_END, "pad_token_id": CLIP_END}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config=tower | ids | {"vocab_size": VOCABULARY, "max_position_embeddings": 20, "projection_dim": 24},
        vision_config=tower | {"image_size": IMAGE_SIZE, "patch_size": 16, "projection_dim": 24},
        projection_dim=24,
    )
    CLIPModel(config).save_pretrained(folder)
    letters = sorted(ByteLevel.alphabet())
    last_letters = [f"{letter}</w>" for letter in "abcdefghijklmnopqrstuvwxyz"]
    vocab = {token: number for number, token in enumerate([*letters, *last_letters])}
    vocab |= {"<|startoftext|>": CLIP_START, "<|endoftext|>": CLIP_END}
    CLIPTokenizer(vocab=vocab, merges=[]).save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": IMAGE_SIZE}, crop_size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    ).save_pretrained(folder)
    expected = [CLIP_START, vocab["a"], vocab["b</w>"], CLIP_END]
    assert CLIPTokenizer.from_pretrained(folder)("AB").input_ids == expected, "the tokenizer was not saved as made"
    return folder


@pytest.fixture(scope="session")
def tiny_siglip(tmp_path_factory: pytest.TempPathFactory, _quiet_transformers: None) -> Path:
    """A SigLIP 2 folder: 32 pixels a side, exactly 16 tokens, 32 dimensions, and letters with a single merge."""
    import torch
    from transformers import GemmaTokenizer, PreTrainedTokenizerFast, SiglipConfig, SiglipImageProcessor, SiglipModel

    folder = tmp_path_factory.mktemp("towers") / "siglip"
    tower = {"intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {"hidden_size": 24, "projection_size": 32, "max_position_embeddings": SIGLIP_TOKENS}
    torch.manual_seed(5)
    config = SiglipConfig(
        text_config=tower | text | {"vocab_size": VOCABULARY},
        vision_config=tower | {"hidden_size": 32, "image_size": IMAGE_SIZE, "patch_size": 16},
    )
    SiglipModel(config).save_pretrained(folder)
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    pieces = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdefghijklmnopqrstuvwxyz", "sh"]
    vocab = {piece: number for number, piece in enumerate(pieces)}
    # the hub's tokenizer.json of SigLIP 2 is Gemma's: it ends titles but does not lower-case them
    options = {"add_bos_token": False, "add_eos_token": True, "padding_side": "right"}
    GemmaTokenizer(vocab=vocab, merges=[("s", "h")], **options).save_pretrained(folder)
    SiglipImageProcessor(size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}, resample=2).save_pretrained(folder)
    expected = [vocab["sh"], vocab["▁"], vocab["<0x41>"], vocab["<eos>"]]
    assert PreTrainedTokenizerFast.from_pretrained(folder)("sh A").input_ids == expected, "not saved as made"
    return folder


@pytest.fixture(scope="session")
def tiny_tokenizer() -> "Tokenizer":
    """Byte-level pairs learned from a few titles; `[PAD]` is 0."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PADDING],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["nike air shoe red", "adidas shirt blue", "genuine leather bag"], trainer)
    return tokenizer


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: "Tokenizer", _quiet_transformers: None) -> Path:
    """A BERT folder with a fast tokenizer: 48 tokens, 32 dimensions."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("towers") / "bert"
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=48,
        pad_token_id=0,
    )
    BertModel(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer, pad_token=PADDING).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_timm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A timm folder as the hub holds them: a vision transformer of 32 pixels a side with a head of five classes."""
    import timm
    import torch
    from timm.models import save_for_hf

    folder = tmp_path_factory.mktemp("towers") / "timm"
    torch.manual_seed(2)
    model = timm.create_model("test_vit", num_classes=5, img_size=IMAGE_SIZE)
    save_for_hf(
        model,
        str(folder),
        model_args={"img_size": IMAGE_SIZE},
        data_config={"input_size": (3, IMAGE_SIZE, IMAGE_SIZE)},
        safe_serialization=True,
    )
    return folder


@pytest.fixture(scope="session")
def tiny_timm_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of `timm:test_resnet`, with its head of a thousand classes, and nothing beside them."""
    import timm
    import torch
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("towers") / "test_resnet.safetensors"
    torch.manual_seed(3)
    save_file(timm.create_model("test_resnet").state_dict(), path)
    return path


@pytest.fixture
def tiny_classifier(tiny_tokenizer: "Tokenizer") -> "Checkpoint":
    """A classifier with random weights and its tokenizer, in evaluation mode, fresh for each test."""
    import torch
    from tokenizers import Tokenizer
    from transformers import BertConfig

    from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing, configure_tokenizer
    from counterfeit_risk.model.checkpoint import Checkpoint
    from counterfeit_risk.model.classifier import CounterfeitClassifier
    from counterfeit_risk.model.specification import ClassifierSpec, ImageEncoderSpec, TextEncoderSpec

    half = (0.5, 0.5, 0.5)
    preprocessing = ImagePreprocessing(
        image_size=IMAGE_SIZE, crop_share=1.0, interpolation="bicubic", mean=half, std=half
    )
    bert = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        pad_token_id=0,
    )
    spec = ClassifierSpec(
        image_encoder=ImageEncoderSpec(
            kind="timm",
            architecture={"name": "test_resnet", "options": {}},
            preprocessing=preprocessing,
            pretrained=False,
        ),
        text_encoder=TextEncoderSpec(kind="transformer", architecture=bert.to_dict(), max_tokens=16, pretrained=False),
        fusion_dim=16,
        dropout=0.1,
        shared_space=False,
        max_photos=3,
    )
    torch.manual_seed(4)
    classifier = CounterfeitClassifier.from_spec(spec).eval()
    with torch.no_grad():  # zeros, as they start, would hide where they are used
        classifier.head.evidence_weights.copy_(torch.tensor([0.7, 0.2, 0.3, 1.5]))
        classifier.head.evidence_offset.fill_(-0.4)
    tokenizer = Tokenizer.from_str(tiny_tokenizer.to_str())
    configure_tokenizer(tokenizer, max_tokens=16, pad_id=0, pad_token=PADDING)
    return Checkpoint(classifier, tokenizer)


@pytest.fixture(scope="session")
def tiny_market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic market of 150 labelled and 40 nightly listings; about the fewest that can be split."""
    from counterfeit_risk.market.drawing import MarketPlan
    from counterfeit_risk.market.market import write_market

    return write_market(tmp_path_factory.mktemp("tiny") / "market", MarketPlan(150, 40), workers=1).folder


@pytest.fixture(scope="session")
def tiny_run(
    tmp_path_factory: pytest.TempPathFactory, tiny_market: Path, tiny_timm_weights: Path, tiny_bert: Path
) -> "TrackedRun":
    """A finished training of two epochs on frozen towers, in an MLflow store of its own."""
    from counterfeit_risk.config import Settings
    from counterfeit_risk.tracking.runs import find_run
    from counterfeit_risk.training.train import train

    folder = tmp_path_factory.mktemp("run")
    settings = Settings.model_validate(
        {
            "data": {"listings": tiny_market / "labeled.parquet", "max_photos": 2, "splits": {"largest_group": 0.3}},
            "model": {
                "image_encoder": "timm:test_resnet",
                "image_weights": tiny_timm_weights,
                "image_size": IMAGE_SIZE,
                "text_encoder": f"hf:{tiny_bert}",
                "fusion_dim": 16,
            },
            "training": {"epochs": 2},
            "evaluation": {"bootstrap_draws": 20, "review_capacity": 10},
            "tracking": {"uri": f"sqlite:///{folder / 'mlflow.db'}", "folder": folder / "runs"},
        }
    )
    return find_run(settings.tracking.uri, train(settings))


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory, tiny_run: "TrackedRun") -> "ModelBundle":
    """The bundle of `tiny_run`."""
    from counterfeit_risk.export.export import export_run

    return export_run(tiny_run, tmp_path_factory.mktemp("tiny") / "bundle")


@pytest.fixture(scope="session")
def tiny_demo(tmp_path_factory: pytest.TempPathFactory, tiny_market: Path, tiny_bundle: "ModelBundle") -> Path:
    """A folder as `counterfeit-risk demo` leaves it, without the report and the MLflow store; three cases decided."""
    from counterfeit_risk.cli.demo import DemoPaths, read_true_labels
    from counterfeit_risk.listings.catalog import read_listings, write_labeled_listings
    from counterfeit_risk.scoring.risk_score import read_scores
    from counterfeit_risk.scoring.runner import Dump, score_dump
    from counterfeit_risk.takedown.loading import Night
    from counterfeit_risk.takedown.queue import open_queue
    from counterfeit_risk.takedown.states import Verdict

    paths = DemoPaths(tmp_path_factory.mktemp("tiny") / "demo")
    shutil.copytree(tiny_market, paths.market)
    shutil.copytree(tiny_bundle.folder, paths.bundle)
    table, root = paths.market / "nightly.parquet", paths.market.resolve()
    score_dump(tiny_bundle, Dump(table), paths.scores)
    truth = read_true_labels(paths.market / "truth.parquet")
    now = datetime.now(UTC)
    with open_queue(paths.queue_url, create=True) as queue:
        queue.load(read_scores(paths.scores), read_listings(table), now, night=Night(root))
        for _ in range(3):
            leased = queue.next_case("reviewer", now)
            assert leased, "the tiny model sends too little to review"
            case = leased.case
            queue.decide(
                case.case_id,
                "reviewer",
                Verdict(truth[case.riskiest.listing.listing_id].value),
                "as recorded",
                leased.token,
                now,
            )
        write_labeled_listings(paths.labels, queue.labels(relative_to=root))
    return paths.out
