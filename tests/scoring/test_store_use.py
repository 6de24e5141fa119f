"""A store and a recorded run change what a night costs, and no risk."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lmdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from counterfeit_risk.embeddings import content
from counterfeit_risk.embeddings.store import EmbeddingStore
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.errors import ListingTableError, StoreError, UsageError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.export.onnx_head import OnnxHead, Risks
from counterfeit_risk.export.runtimes import OnnxTowers, OpenVinoTowers, open_towers
from counterfeit_risk.scoring.rescoring import rescore
from counterfeit_risk.scoring.risk_score import RiskScore, read_scores
from counterfeit_risk.scoring.runner import Dump, score_dump

WriteDump = Callable[..., Path]


def risks(out: Path) -> dict[str, tuple[float, float | None, float | None, str]]:
    return {s.listing_id: (s.risk, s.photo_risk, s.title_risk, s.band) for s in read_scores(out)}


@pytest.fixture
def dump(write_dump: WriteDump) -> Dump:
    rows = [{"listing_id": "bare", "title": "a bag"}, {"listing_id": "nothing"}, {"title": "no id"}]
    return Dump(write_dump(rows))


def test_a_second_night_encodes_nothing_and_gives_the_same_risks(
    tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_dump(tiny_bundle, dump, tmp_path / "without")
    first = score_dump(tiny_bundle, dump, tmp_path / "first", store=tmp_path / "store")
    monkeypatch.setattr(content, "decode_image", lambda *_, **__: pytest.fail("a known photo was decoded"))
    second = score_dump(tiny_bundle, dump, tmp_path / "second", store=tmp_path / "store")
    assert first.embeddings["photos_encoded"] > 0
    assert (second.embeddings["photos_encoded"], second.embeddings["titles_encoded"]) == (0, 0)
    assert risks(tmp_path / "first") == risks(tmp_path / "second") == risks(tmp_path / "without")


def test_only_what_is_new_is_encoded(tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path) -> None:
    score_dump(tiny_bundle, Dump(write_dump([])), tmp_path / "first", store=tmp_path / "store")
    more = write_dump([{"listing_id": "new", "title": "an entirely new title"}], name="more.csv")
    found = score_dump(tiny_bundle, Dump(more), tmp_path / "second", store=tmp_path / "store").embeddings
    assert (found["photos_encoded"], found["titles_encoded"]) == (0, 1)


def test_damaged_entries_are_made_anew(tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path) -> None:
    store = tmp_path / "store"
    score_dump(tiny_bundle, dump, tmp_path / "first", store=store)
    with EmbeddingStore(store) as opened:
        towers = [one.fingerprint for one in opened.contents()]
    with lmdb.open(str(store), max_dbs=8) as environment:
        for tower in towers:
            with environment.begin(write=True, db=environment.open_db(tower.encode())) as transaction:
                for key, value in list(transaction.cursor())[::2]:
                    transaction.put(key, value[:-1] + bytes([value[-1] ^ 255]))
    second = score_dump(tiny_bundle, dump, tmp_path / "second", store=store)
    assert second.embeddings["photos_encoded"] > 0
    assert risks(tmp_path / "second") == risks(tmp_path / "first")


def test_precisions_do_not_mix_in_a_store(tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path) -> None:
    fp32, int8 = Precision.FP32, Precision.INT8
    score_dump(tiny_bundle, dump, tmp_path / "exact", store=tmp_path / "store", precision=fp32)
    found = score_dump(tiny_bundle, dump, tmp_path / "int8", store=tmp_path / "store", precision=int8)
    assert found.embeddings["photos_encoded"] > 0
    score_dump(tiny_bundle, dump, tmp_path / "alone", precision=int8)
    assert risks(tmp_path / "int8") == risks(tmp_path / "alone")


def test_a_recorded_run_is_scored_again_without_a_photo(
    tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = score_dump(tiny_bundle, dump, tmp_path / "first", store=tmp_path / "store")
    monkeypatch.setattr(content, "read_photo", lambda *_: pytest.fail("a photo was opened"))
    again = rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "store")
    assert (again.rows_in, again.scored, again.rejected) == (first.rows_in, first.scored, first.rejected)
    assert again.bands == first.bands
    assert again.embeddings["photos_found"] > 0
    one, other = (list(read_scores(tmp_path / name)) for name in ("first", "again"))
    for score, rescored in zip(one, other, strict=True):
        assert rescored.risk == pytest.approx(score.risk, abs=1e-6)
        assert (rescored.photo_risk is None, rescored.title_risk is None) == (
            score.photo_risk is None,
            score.title_risk is None,
        )
        assert _kept(rescored) == _kept(score)


def _kept(score: RiskScore) -> RiskScore:
    """What no head changes."""
    same = {"risk": 0.0, "photo_risk": None, "title_risk": None, "scored_at": None, "model_id": ""}
    return replace(score, **same)


def test_another_head_gives_its_own_risks(
    tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_dump(tiny_bundle, dump, tmp_path / "first", store=tmp_path / "store")
    judge = OnnxHead.judge

    def doubting(self: OnnxHead, *inputs: np.ndarray) -> Risks:
        found = judge(self, *inputs)
        return found._replace(risk=np.where(np.arange(len(found.risk)) == 2, np.nan, found.risk / 2))

    monkeypatch.setattr(OnnxHead, "judge", doubting)
    again = rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "store")
    before, after = risks(tmp_path / "first"), risks(tmp_path / "again")
    assert again.rejected["risk_not_a_number"] == 1
    assert len(after) == len(before) - 1
    assert all(after[key][0] == pytest.approx(before[key][0] / 2, abs=1e-6) for key in after)


def test_rescoring_resumes_and_is_done_once(
    tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("runner", "rescoring"):
        monkeypatch.setattr(f"counterfeit_risk.scoring.{module}.ROWS_PER_PART", 6)
    score_dump(tiny_bundle, dump, tmp_path / "first", store=tmp_path / "store")
    whole = rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "store")
    expected = risks(tmp_path / "again")
    assert rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "store") == whole
    for path in ("manifest.json", "scores/part-000001.parquet"):
        (tmp_path / "again" / path).unlink()
    resumed = rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "store")
    assert resumed.resumed
    assert risks(tmp_path / "again") == expected


def test_an_embedding_that_is_not_there_fails_the_rescoring(
    tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path
) -> None:
    score_dump(tiny_bundle, dump, tmp_path / "first", store=tmp_path / "store")
    with EmbeddingStore(tmp_path / "store", alone=True) as store:
        store.prune(towers=None, contents=set())
    with pytest.raises(StoreError, match="score the dump itself"):
        rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "store")
    with pytest.raises(StoreError, match="no embedding store"):
        rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "elsewhere")
    with pytest.raises(ListingTableError, match="no finished run"):
        rescore(tiny_bundle, tmp_path / "store", tmp_path / "again", store=tmp_path / "store")


def test_a_precision_that_was_refused_is_refused_with_its_measure(tiny_bundle: ModelBundle, tmp_path: Path) -> None:
    checks = {
        name: check.model_copy(update={"accepted": False, "flips": 7})
        for name, check in tiny_bundle.manifest.precisions.items()
    }
    refusing = replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update={"precisions": checks}))
    with pytest.raises(UsageError, match="flips 7 bands"):
        open_towers(refusing, Precision.INT8)
    assert open_towers(refusing).precision is Precision.FP32
    unchecked = replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update={"precisions": {}}))
    with pytest.raises(UsageError, match="could not compare"):
        open_towers(unchecked, Precision.INT8)


def test_without_openvino_towers_run_on_onnxruntime(tiny_bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfeit_risk.export.runtimes.find_spec", lambda _: None)
    assert isinstance(open_towers(tiny_bundle).towers, OnnxTowers)
    with pytest.raises(UsageError, match="not installed"):
        open_towers(tiny_bundle, Precision.INT8)


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.INT8])
def test_an_embedding_does_not_depend_on_what_is_encoded_beside_it(
    tiny_bundle: ModelBundle, precision: Precision
) -> None:
    towers = open_towers(tiny_bundle, precision).towers
    assert isinstance(towers, OpenVinoTowers)
    size = tiny_bundle.manifest.image_preprocessing.image_size
    pixels = np.random.default_rng(0).integers(256, size=(37, size, size, 3), dtype=np.uint8)
    together = towers.encode_photos(pixels)
    for row in (0, 15, 16, 36):
        assert np.array_equal(towers.encode_photos(pixels[row : row + 1])[0], together[row])
    assert np.array_equal(towers.encode_photos(pixels[::-1]), together[::-1])
    assert towers.encode_photos(pixels[:0]).shape == (0, towers.image_dim)


def test_openvino_in_fp32_gives_what_onnxruntime_gives(tiny_bundle: ModelBundle) -> None:
    towers = open_towers(tiny_bundle, Precision.FP32).towers
    portable = OnnxTowers(tiny_bundle.folder, max_tokens=tiny_bundle.manifest.max_title_tokens)
    size = tiny_bundle.manifest.image_preprocessing.image_size
    pixels = np.random.default_rng(1).integers(256, size=(5, size, size, 3), dtype=np.uint8)
    np.testing.assert_allclose(towers.encode_photos(pixels), portable.encode_photos(pixels), atol=1e-4)
    ids = np.array([[5, 6, 7, 8], [9, 10, 0, 0]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0]])
    np.testing.assert_allclose(towers.encode_titles(ids, mask), portable.encode_titles(ids, mask), atol=1e-4)


def test_a_run_that_recorded_nothing_is_not_rescored(tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path) -> None:
    score_dump(tiny_bundle, dump, tmp_path / "first", store=tmp_path / "store")
    part = next((tmp_path / "first" / "scores").glob("*.parquet"))
    pq.write_table(pq.read_table(part).drop_columns(["photo_hashes", "title_hash"]), part)
    with pytest.raises(ListingTableError, match="recorded no hashes"):
        rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "store")


def test_a_run_of_another_version_is_not_rescored(tiny_bundle: ModelBundle, dump: Dump, tmp_path: Path) -> None:
    score_dump(tiny_bundle, dump, tmp_path / "first", store=tmp_path / "store")
    manifest = tmp_path / "first" / "manifest.json"
    values = json.loads(manifest.read_text())
    del values["precision"]
    manifest.write_text(json.dumps(values))
    with pytest.raises(ListingTableError, match="this version"):
        rescore(tiny_bundle, tmp_path / "first", tmp_path / "again", store=tmp_path / "store")
