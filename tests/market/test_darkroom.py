import hashlib

import numpy as np
import pytest
from PIL import Image

from counterfeit_risk.market.brands import draw_brands
from counterfeit_risk.market.darkroom import develop, develop_photo
from counterfeit_risk.market.offers import PhotoFile
from counterfeit_risk.market.pictures.products import PRODUCTS
from counterfeit_risk.market.pictures.scenes import Place, Scene, View
from counterfeit_risk.market.signals import FileEvasion

BRAND = draw_brands(np.random.default_rng(0), 3)[0]


def scene(view=View.FRONT):
    return Scene(PRODUCTS["cap"], BRAND, view, Place.WHITE, "red", {}, goods_seed=1, seed=2)


def photo(*evasions, scenes=None, quality=80, seed=3):
    scenes = scenes or (scene(),)
    return PhotoFile(scenes, tuple(f"I-{place}" for place in range(len(scenes))), frozenset(evasions), quality, seed)


def test_the_same_scene_quality_and_seed_are_the_same_file(tmp_path):
    orders = [(tmp_path / f"{name}.jpg", photo(quality=quality)) for name, quality in (("a", 80), ("b", 80), ("c", 70))]
    develop(orders, workers=1, on_photos=lambda _: None)
    first, second, other = (hashlib.sha256(path.read_bytes()).hexdigest() for path, _ in orders)
    assert first == second != other


@pytest.mark.parametrize("evasion", [evasion for evasion in FileEvasion if evasion is not FileEvasion.COLLAGE])
def test_every_evasion_changes_the_photo(evasion):
    plain, evaded = np.asarray(develop_photo(photo())), np.asarray(develop_photo(photo(evasion)))
    assert plain.shape != evaded.shape or (plain != evaded).any()


def test_several_scenes_make_one_collage():
    collage = develop_photo(photo(scenes=(scene(), scene(View.LABEL), scene(View.BOX))))
    assert max(collage.size) == 320


def test_folders_are_made_and_photos_counted(tmp_path):
    counted = []
    develop([(tmp_path / "new" / f"{n}.jpg", photo(seed=n)) for n in range(3)], workers=1, on_photos=counted.append)
    assert sum(counted) == 3
    with Image.open(tmp_path / "new" / "2.jpg") as written:
        assert written.format == "JPEG"


def test_a_photo_that_cannot_be_written_ends_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        develop([(tmp_path / "file" / "a.jpg", photo())], workers=2, on_photos=lambda _: None)
