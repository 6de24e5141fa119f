import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, normalizers
from transformers import AutoModel, AutoTokenizer, CLIPModel, PreTrainedTokenizerFast, SiglipModel

from counterfeit_risk.config import ModelSettings
from counterfeit_risk.embeddings.preprocessing import TokenizedTitles, tokenize
from counterfeit_risk.errors import CheckpointError
from counterfeit_risk.model.text_encoder import TextEncoder, load_text_encoder

Towers = Callable[..., ModelSettings]
Copy = Callable[[Path], Path]
Export = Callable[..., onnxruntime.InferenceSession]

TITLES = ["nike shoe", "b", "genuine leather bag, almost new"]


@torch.no_grad()
def encode(encoder: TextEncoder, titles: TokenizedTitles) -> np.ndarray:
    return encoder.eval()(torch.from_numpy(titles.input_ids), torch.from_numpy(titles.attention_mask)).numpy()


@pytest.fixture(params=["hf", "clip", "siglip", "scratch"])
def tower(
    request: pytest.FixtureRequest, towers: Towers, tiny_bert: Path, tiny_clip: Path, tiny_siglip: Path
) -> tuple[TextEncoder, str]:
    torch.manual_seed(0)
    folders = {"hf": tiny_bert, "clip": tiny_clip, "siglip": tiny_siglip}
    name = f"{request.param}:{folders[request.param]}" if request.param in folders else request.param
    return load_text_encoder(towers(text_encoder=name, max_title_tokens=16), TITLES * 3)


@pytest.fixture(scope="module")
def siglip(towers: Towers, tiny_siglip: Path) -> tuple[TextEncoder, Tokenizer]:
    encoder, tokenizer_json = load_text_encoder(towers(text_encoder=f"siglip:{tiny_siglip}", max_title_tokens=16), [])
    return encoder, Tokenizer.from_str(tokenizer_json)


def test_an_hf_folder_gives_the_mean_of_the_models_last_states(tiny_bert: Path, towers: Towers) -> None:
    encoder, tokenizer_json = load_text_encoder(towers(text_encoder=f"hf:{tiny_bert}", max_title_tokens=16), [])

    embeddings = encode(encoder, tokenize(Tokenizer.from_str(tokenizer_json), TITLES))

    model, tokenizer = AutoModel.from_pretrained(tiny_bert).eval(), AutoTokenizer.from_pretrained(tiny_bert)
    for embedding, title in zip(embeddings, TITLES, strict=True):
        inputs = tokenizer(title, max_length=16, truncation=True, return_tensors="pt")
        states = model(**inputs).last_hidden_state[0]
        np.testing.assert_allclose(embedding, states.mean(0).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("end_id", [299, 2], ids=["end named by its id", "end named 2, as older checkpoints do"])
def test_a_clip_folder_gives_the_text_embeddings_of_the_checkpoint(
    tiny_clip: Path, towers: Towers, copy_of: Copy, end_id: int
) -> None:
    folder = copy_of(tiny_clip)
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["eos_token_id"] = end_id
    (folder / "config.json").write_text(json.dumps(config))
    encoder, tokenizer_json = load_text_encoder(towers(text_encoder=f"clip:{folder}", max_title_tokens=16), [])

    embeddings = encode(encoder, tokenize(Tokenizer.from_str(tokenizer_json), TITLES))

    model, tokenizer = CLIPModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    assert encoder.embedding_dim == 24
    for embedding, title in zip(embeddings, TITLES, strict=True):
        inputs = tokenizer(title, max_length=16, truncation=True, return_tensors="pt")
        original = model.get_text_features(**inputs).pooler_output[0]
        np.testing.assert_allclose(embedding, original.detach().numpy(), atol=1e-5)


def test_a_siglip_folder_gives_the_text_embeddings_of_the_checkpoint(
    tiny_siglip: Path, siglip: tuple[TextEncoder, Tokenizer]
) -> None:
    encoder, tokenizer = siglip

    embeddings = encode(encoder, tokenize(tokenizer, TITLES))

    model, own = SiglipModel.from_pretrained(tiny_siglip).eval(), PreTrainedTokenizerFast.from_pretrained(tiny_siglip)
    inputs = own(TITLES, padding="max_length", max_length=16, truncation=True, return_tensors="pt")
    original = model.get_text_features(inputs.input_ids).pooler_output
    assert encoder.embedding_dim == 32
    np.testing.assert_allclose(embeddings, original.detach().numpy(), atol=1e-5)


def test_siglip_titles_have_the_ids_of_the_checkpoints_own_padded_to_one_length(
    tiny_siglip: Path, siglip: tuple[TextEncoder, Tokenizer]
) -> None:
    titles = tokenize(siglip[1], TITLES)

    own = PreTrainedTokenizerFast.from_pretrained(tiny_siglip)
    original = own(TITLES, padding="max_length", max_length=16, truncation=True)
    assert titles.input_ids.tolist() == original.input_ids
    assert titles.input_ids[1].tolist() == [own.get_vocab()["b"], own.eos_token_id, *[own.pad_token_id] * 14]
    assert titles.input_ids[2, -1] == own.eos_token_id
    assert titles.cut.tolist() == [False, False, True]


def test_siglip_titles_are_lower_cased(siglip: tuple[TextEncoder, Tokenizer]) -> None:
    upper, lower = tokenize(siglip[1], ["NIKE Shoe", "nike shoe"]).input_ids

    assert upper.tolist() == lower.tolist()


def test_a_siglip_tokenizer_that_lower_cases_by_itself_is_left_as_it_is(
    tiny_siglip: Path, towers: Towers, copy_of: Copy
) -> None:
    folder = copy_of(tiny_siglip)
    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace("-", ""), own.normalizer])
    own.save(str(folder / "tokenizer.json"))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"tokenizer_class": "SiglipTokenizer"}))

    _, tokenizer_json = load_text_encoder(towers(text_encoder=f"siglip:{folder}", max_title_tokens=16), [])

    tokenizer = Tokenizer.from_str(tokenizer_json)
    assert len(tokenizer.normalizer) == 3
    assert tokenize(tokenizer, ["T-Shirt"]).input_ids.tolist() == tokenize(tokenizer, ["tshirt"]).input_ids.tolist()


def test_a_siglip_graph_takes_the_mask_and_gives_the_embeddings_of_the_tower(
    siglip: tuple[TextEncoder, Tokenizer], export: Export
) -> None:
    encoder, tokenizer = siglip
    axes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("tokens", min=1)}
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    inputs = {"input_ids": torch.ones_like(mask), "attention_mask": mask}

    graph = export(encoder, inputs, {"input_ids": axes, "attention_mask": axes}, "text_embedding")

    for titles in (tokenize(tokenizer, TITLES[:1]), tokenize(tokenizer, TITLES)):
        (embeddings,) = graph.run(None, {"input_ids": titles.input_ids, "attention_mask": titles.attention_mask})
        np.testing.assert_allclose(embeddings, encode(encoder, titles), atol=1e-5)


def test_the_tokenizer_gives_the_ids_of_the_checkpoints_own(tiny_clip: Path, towers: Towers) -> None:
    _, tokenizer_json = load_text_encoder(towers(text_encoder=f"clip:{tiny_clip}", max_title_tokens=16), [])

    titles = tokenize(Tokenizer.from_str(tokenizer_json), TITLES)

    original = AutoTokenizer.from_pretrained(tiny_clip)(TITLES, max_length=16, truncation=True, padding=True)
    assert titles.input_ids.tolist() == original.input_ids
    assert titles.attention_mask.tolist() == original.attention_mask


def test_a_clip_title_that_is_cut_keeps_its_end_token(tiny_clip: Path, towers: Towers) -> None:
    _, tokenizer_json = load_text_encoder(towers(text_encoder=f"clip:{tiny_clip}", max_title_tokens=8), [])

    titles = tokenize(Tokenizer.from_str(tokenizer_json), ["shoes" * 9])

    assert titles.cut.tolist() == [True]
    assert titles.input_ids[0, [0, -1]].tolist() == [298, 299]


def test_the_length_of_other_titles_changes_nothing(tower: tuple[TextEncoder, str]) -> None:
    encoder, tokenizer_json = tower
    tokenizer = Tokenizer.from_str(tokenizer_json)

    together = encode(encoder, tokenize(tokenizer, TITLES))

    for row, title in enumerate(TITLES):
        np.testing.assert_allclose(together[row], encode(encoder, tokenize(tokenizer, [title]))[0], atol=1e-5)


@pytest.mark.parametrize("tower", ["hf", "clip", "scratch"], indirect=True)
def test_ids_under_padding_change_nothing_but_for_siglip(tower: tuple[TextEncoder, str]) -> None:
    encoder, tokenizer_json = tower
    titles = tokenize(Tokenizer.from_str(tokenizer_json), TITLES)
    other_ids = np.where(titles.attention_mask == 1, titles.input_ids, 7)

    np.testing.assert_allclose(
        encode(encoder, titles), encode(encoder, titles._replace(input_ids=other_ids)), atol=1e-5
    )


def test_other_titles_get_other_embeddings(tower: tuple[TextEncoder, str]) -> None:
    encoder, tokenizer_json = tower

    one, other, _ = encode(encoder, tokenize(Tokenizer.from_str(tokenizer_json), TITLES))

    assert np.abs(one - other).max() > 1e-3


def test_a_specification_builds_the_same_tower_again(tower: tuple[TextEncoder, str]) -> None:
    encoder, tokenizer_json = tower
    titles = tokenize(Tokenizer.from_str(tokenizer_json), TITLES)

    again = TextEncoder(type(encoder.spec).model_validate_json(encoder.spec.model_dump_json()))
    again.load_state_dict(encoder.state_dict())

    assert again.embedding_dim == encoder.embedding_dim
    np.testing.assert_array_equal(encode(again, titles), encode(encoder, titles))


def test_a_scratch_tower_spells_every_script(towers: Towers) -> None:
    encoder, tokenizer_json = load_text_encoder(towers(max_title_tokens=64), TITLES)

    titles = tokenize(Tokenizer.from_str(tokenizer_json), ["кроссовки", "鞋", "👟", "q" * 200])

    assert not encoder.spec.pretrained
    assert titles.input_ids.max() < encoder.spec.architecture["vocabulary"]
    assert len({tuple(ids) for ids in titles.input_ids.tolist()}) == 4
    assert np.isfinite(encode(encoder, titles)).all()


def test_a_scratch_tokenizer_can_learn_from_no_title(towers: Towers) -> None:
    encoder, tokenizer_json = load_text_encoder(towers(), [])

    assert np.isfinite(encode(encoder, tokenize(Tokenizer.from_str(tokenizer_json), TITLES))).all()


@pytest.mark.parametrize(("name", "limit"), [("hf", 48), ("clip", 20)])
def test_more_title_tokens_than_the_tower_reads_are_refused(
    towers: Towers, tiny_bert: Path, tiny_clip: Path, name: str, limit: int
) -> None:
    folder = {"hf": tiny_bert, "clip": tiny_clip}[name]

    load_text_encoder(towers(text_encoder=f"{name}:{folder}", max_title_tokens=limit), [])
    with pytest.raises(CheckpointError, match=rf"max_title_tokens is {limit + 1}, but .* reads {limit} tokens"):
        load_text_encoder(towers(text_encoder=f"{name}:{folder}", max_title_tokens=limit + 1), [])


@pytest.mark.parametrize("tokens", [15, 17])
def test_a_siglip_tower_takes_no_other_number_of_title_tokens(towers: Towers, tiny_siglip: Path, tokens: int) -> None:
    with pytest.raises(CheckpointError, match=rf"max_title_tokens is {tokens}, but .* reads exactly 16 tokens"):
        load_text_encoder(towers(text_encoder=f"siglip:{tiny_siglip}", max_title_tokens=tokens), [])


def test_a_siglip_folder_whose_photos_have_no_fixed_resolution_is_refused(
    tiny_siglip: Path, towers: Towers, copy_of: Copy
) -> None:
    folder = copy_of(tiny_siglip)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "siglip2"}))

    with pytest.raises(CheckpointError, match="a NaFlex variant of SigLIP 2"):
        load_text_encoder(towers(text_encoder=f"siglip:{folder}", max_title_tokens=16), [])


def test_the_pooler_may_be_missing(tiny_bert: Path, towers: Towers, copy_of: Copy) -> None:
    folder = copy_of(tiny_bert)
    weights = load_file(folder / "model.safetensors")
    kept = {key: value for key, value in weights.items() if not key.startswith("pooler.")}
    assert len(kept) < len(weights)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})

    encoder, _ = load_text_encoder(towers(text_encoder=f"hf:{folder}"), [])

    assert not any("pooler" in key for key in encoder.state_dict())


def test_a_missing_weight_is_refused(tiny_bert: Path, towers: Towers, copy_of: Copy) -> None:
    folder = copy_of(tiny_bert)
    weights = load_file(folder / "model.safetensors")
    del weights["embeddings.word_embeddings.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(CheckpointError, match=r"does not fit: 1 missing \(embeddings.word_embeddings.weight\)"):
        load_text_encoder(towers(text_encoder=f"hf:{folder}"), [])


def test_a_siglip_folder_without_one_of_its_weights_is_refused(
    tiny_siglip: Path, towers: Towers, copy_of: Copy
) -> None:
    folder = copy_of(tiny_siglip)
    weights = load_file(folder / "model.safetensors")
    del weights["text_model.head.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(CheckpointError, match=r"does not fit: 1 missing \(head.weight\)"):
        load_text_encoder(towers(text_encoder=f"siglip:{folder}", max_title_tokens=16), [])


def test_a_weight_of_another_shape_is_refused(tiny_bert: Path, towers: Towers, copy_of: Copy) -> None:
    folder = copy_of(tiny_bert)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 200}))

    with pytest.raises(CheckpointError, match=r"tower .*bert"):
        load_text_encoder(towers(text_encoder=f"hf:{folder}"), [])


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_file_is_refused(tiny_bert: Path, towers: Towers, copy_of: Copy, name: str) -> None:
    path = copy_of(tiny_bert) / name
    path.write_bytes(path.read_bytes()[:-50])

    with pytest.raises(CheckpointError, match=str(path.parent)):
        load_text_encoder(towers(text_encoder=f"hf:{path.parent}"), [])


def test_a_folder_without_a_tokenizer_is_refused(tiny_bert: Path, towers: Towers, copy_of: Copy) -> None:
    folder = copy_of(tiny_bert)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()

    with pytest.raises(CheckpointError, match="knows no word"):
        load_text_encoder(towers(text_encoder=f"hf:{folder}"), [])


def test_a_siglip_folder_without_a_fast_tokenizer_is_refused(tiny_siglip: Path, towers: Towers, copy_of: Copy) -> None:
    folder = copy_of(tiny_siglip)
    (folder / "tokenizer.json").rename(folder / "spiece.model")

    with pytest.raises(CheckpointError, match="cannot read the tokenizer"):
        load_text_encoder(towers(text_encoder=f"siglip:{folder}", max_title_tokens=16), [])


def test_a_tokenizer_without_a_padding_token_is_refused(tiny_bert: Path, towers: Towers, copy_of: Copy) -> None:
    folder = copy_of(tiny_bert)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))

    with pytest.raises(CheckpointError, match="no padding token"):
        load_text_encoder(towers(text_encoder=f"hf:{folder}"), [])


def test_a_hub_id_that_cannot_be_had_is_refused(towers: Towers) -> None:
    with pytest.raises(CheckpointError, match="nobody/nothing"):
        load_text_encoder(towers(text_encoder="hf:nobody/nothing"), [])
