"""Text tower: token ids (B, L) to embeddings (B, D), from any transformers encoder, CLIP, SigLIP, or scratch.

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
    SiglipTextConfig,
    SiglipTextModel,
)

from counterfeit_risk.config import ModelSettings
from counterfeit_risk.embeddings.preprocessing import configure_tokenizer
from counterfeit_risk.errors import CheckpointError
from counterfeit_risk.model.phrase_encoder import PhraseEncoder
from counterfeit_risk.model.pretrained import read_transformer, require_siglip
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
        elif spec.kind == "siglip":
            self.tower = SiglipTextModel(SiglipTextConfig.from_dict(spec.architecture))
            self.embedding_dim = int(self.tower.config.projection_size)
        else:
            self.tower = _without_pooler(AutoModel.from_config(AutoConfig.for_model(**spec.architecture)))
            self.embedding_dim = int(self.tower.config.hidden_size)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Encodes (B, L) token ids as (B, D) embeddings; padding, where the (B, L) mask is 0, changes nothing.

        SigLIP alone reads the padding too, as it did in training: its L is always `max_tokens`.
        """
        if self.spec.kind == "siglip":
            pooled: Tensor = self.tower(input_ids=input_ids).pooler_output
            return pooled
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
    model = _read_tower(kind, source)
    _check_token_limit(model.config, settings, exactly=kind == "siglip")
    model.config.dtype = "float32"  # a tower that was saved in half precision is widened, like its weights
    spec = TextEncoderSpec(
        kind="transformer" if kind == "hf" else kind,
        architecture=model.config.to_dict() if kind == "hf" else model.config.to_diff_dict(),
        max_tokens=settings.max_title_tokens,
        pretrained=True,
    )
    encoder = TextEncoder(spec)
    encoder.tower.load_state_dict(model.state_dict())
    return encoder, _read_tokenizer(source, settings.max_title_tokens, siglip=kind == "siglip")


def _read_tower(kind: str, source: str) -> Any:
    if kind == "clip":
        return read_transformer(CLIPTextModelWithProjection, source)
    if kind == "siglip":
        require_siglip(source)
        return read_transformer(SiglipTextModel, source)
    return _without_pooler(read_transformer(AutoModel, source, unused=("pooler.",)))


def _check_token_limit(config: Any, settings: ModelSettings, *, exactly: bool) -> None:
    limit = getattr(config, "max_position_embeddings", None)
    if limit is None:
        raise CheckpointError(f"{settings.text_encoder} is no text encoder with a token limit ({config.model_type})")
    tokens = settings.max_title_tokens
    if tokens > limit or (exactly and tokens < limit):
        allowed = f"exactly {limit} tokens, padding among them" if exactly else f"{limit} tokens at most"
        raise CheckpointError(f"model.max_title_tokens is {tokens}, but {settings.text_encoder} reads {allowed}")


def _read_tokenizer(source: str, max_tokens: int, *, siglip: bool) -> str:
    # SigLIP folders name tokenizer classes that rebuild what tokenizer.json says, or need sentencepiece
    tokenizer_class = PreTrainedTokenizerFast if siglip else AutoTokenizer
    try:
        tokenizer = tokenizer_class.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read the tokenizer of {source}: {error}") from None
    if not isinstance(tokenizer, PreTrainedTokenizerFast) or tokenizer.pad_token is None:
        raise CheckpointError(f"the tokenizer of {source} has no fast form (tokenizer.json) or no padding token")
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        # transformers makes up an empty one where a folder holds none
        raise CheckpointError(f"the tokenizer of {source} knows no word; does {source} hold its tokenizer.json?")
    if siglip:
        _lower_case(tokenizer.backend_tokenizer)
    return configure_tokenizer(
        tokenizer.backend_tokenizer,
        max_tokens=max_tokens,
        pad_id=tokenizer.pad_token_id,
        pad_token=tokenizer.pad_token,
        fixed_length=siglip,
    )


def _lower_case(tokenizer: Tokenizer) -> None:
    """SigLIP was trained on lower-cased titles, which the tokenizer.json of SigLIP 2 leaves to its caller."""
    own = tokenizer.normalizer
    if own is None:
        tokenizer.normalizer = normalizers.Lowercase()
    elif "A" in own.normalize_str("A"):
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), own])


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
