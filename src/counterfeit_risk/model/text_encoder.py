"""Text tower: token ids (B, L) to embeddings (B, D), from any transformers encoder, the text half of CLIP, or scratch.

A tower comes with its tokenizer: the JSON of a `tokenizers.Tokenizer` that holds the token limit and the padding.
Knows no listing and no photo.
"""

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
)

from counterfeit_risk.config import ModelSettings
from counterfeit_risk.embeddings.preprocessing import configure_tokenizer
from counterfeit_risk.errors import CheckpointError
from counterfeit_risk.model.phrase_encoder import PhraseEncoder
from counterfeit_risk.model.pretrained import read_transformer
from counterfeit_risk.model.specification import TextEncoderSpec

_SCRATCH_WIDTH = 128
_SCRATCH_VOCABULARY = 4000


class TextEncoder(nn.Module):
    """A text tower, built from its specification alone; its weights are random until some are loaded."""

    def __init__(self, spec: TextEncoderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.tower: Any
        if spec.kind == "phrases":
            self.tower = PhraseEncoder(**spec.architecture)
            self.embedding_dim = self.tower.embedding_dim
        elif spec.kind == "clip":
            self.tower = CLIPTextModelWithProjection(CLIPTextConfig.from_dict(spec.architecture))
            self.embedding_dim = int(self.tower.config.projection_dim)
        else:
            self.tower = _without_pooler(AutoModel.from_config(AutoConfig.for_model(**spec.architecture)))
            self.embedding_dim = int(self.tower.config.hidden_size)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Encodes (B, L) token ids as (B, D) embeddings; padding, where the (B, L) mask is 0, changes nothing."""
        output = self.tower(input_ids=input_ids, attention_mask=attention_mask)
        if self.spec.kind == "phrases":
            phrases: Tensor = output
            return phrases
        if self.spec.kind == "clip":
            embedding: Tensor = output.text_embeds
            return embedding
        weights = attention_mask.unsqueeze(-1).to(output.last_hidden_state.dtype)
        mean: Tensor = (output.last_hidden_state * weights).sum(1) / weights.sum(1).clamp(min=1)
        return mean


def load_text_encoder(settings: ModelSettings, titles: Iterable[str]) -> tuple[TextEncoder, str]:
    """Builds the text tower that the settings name, with its weights, and returns its tokenizer's JSON beside it.

    Args:
        settings: names the tower.
        titles: normalised titles that a `scratch` tower's tokenizer is trained on.

    Raises:
        CheckpointError: if the weights or the tokenizer are not there or do not fit.
    """
    kind, _, source = settings.text_encoder.partition(":")
    if kind == "scratch":
        return _scratch(settings, titles)
    if kind == "clip":
        model: Any = read_transformer(CLIPTextModelWithProjection, source)
        spec_kind = "clip"
    else:
        model = _without_pooler(read_transformer(AutoModel, source, unused=("pooler.",)))
        spec_kind = "transformer"
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is None:
        raise CheckpointError(f"{source} is no text encoder with a token limit ({model.config.model_type})")
    if settings.max_title_tokens > limit:
        raise CheckpointError(
            f"model.max_title_tokens is {settings.max_title_tokens}, but {source} reads {limit} tokens at most"
        )
    model.config.dtype = "float32"  # a tower that was saved in half precision is widened, like its weights
    spec = TextEncoderSpec(
        kind=spec_kind,
        architecture=model.config.to_dict() if spec_kind == "transformer" else model.config.to_diff_dict(),
        max_tokens=settings.max_title_tokens,
        pretrained=True,
    )
    encoder = TextEncoder(spec)
    encoder.tower.load_state_dict(model.state_dict())
    return encoder, _read_tokenizer(source, settings.max_title_tokens)


def _read_tokenizer(source: str, max_tokens: int) -> str:
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read the tokenizer of {source}: {error}") from None
    if not isinstance(tokenizer, PreTrainedTokenizerFast) or tokenizer.pad_token is None:
        raise CheckpointError(f"the tokenizer of {source} has no fast form (tokenizer.json) or no padding token")
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        # transformers makes up an empty one where a folder holds none
        raise CheckpointError(f"the tokenizer of {source} knows no word; does {source} hold its tokenizer.json?")
    return configure_tokenizer(
        tokenizer.backend_tokenizer,
        max_tokens=max_tokens,
        pad_id=tokenizer.pad_token_id,
        pad_token=tokenizer.pad_token,
    )


def _scratch(settings: ModelSettings, titles: Iterable[str]) -> tuple[TextEncoder, str]:
    tokenizer = _train_tokenizer(titles)
    spec = TextEncoderSpec(
        kind="phrases",
        architecture={"vocabulary": tokenizer.get_vocab_size(), "width": _SCRATCH_WIDTH},
        max_tokens=settings.max_title_tokens,
        pretrained=False,
    )
    tokenizer_json = configure_tokenizer(
        tokenizer,
        max_tokens=settings.max_title_tokens,
        pad_id=0,
        pad_token="[PAD]",
    )
    return TextEncoder(spec), tokenizer_json


def _train_tokenizer(titles: Iterable[str]) -> Tokenizer:
    """Byte-level pairs: every script is spelt without an unknown token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_SCRATCH_VOCABULARY,
        min_frequency=2,
        special_tokens=["[PAD]"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(titles, trainer)
    return tokenizer


def _without_pooler(model: Any) -> Any:
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # titles are mean-pooled, and a weight that nothing uses would be one to carry
    return model
