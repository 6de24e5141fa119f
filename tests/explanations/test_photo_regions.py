import numpy as np
import pytest
import torch
from captum.attr import Occlusion

from counterfeit_risk.explanations.encoded_listing import encode_listing
from counterfeit_risk.explanations.photo_regions import map_photos


def test_each_photo_gets_a_heat_map_of_its_own_shape(planted_model, content_of, patch, marked, noise) -> None:
    model = planted_model(patch)
    heat_maps = map_photos(model, encode_listing(model, content_of("a bag", marked, noise, noise)))
    assert [heat_map.shape for heat_map in heat_maps] == [(32, 32)] * 3


def test_a_region_that_raises_the_risk_is_found(planted_model, content_of, patch, marked) -> None:
    model = planted_model(patch)
    (heat_map,) = map_photos(model, encode_listing(model, content_of("", marked)))
    assert patch[heat_map == heat_map.max()].all()
    assert heat_map.max() == pytest.approx(3, rel=0.02)  # less the little that its mean colour leaves
    assert heat_map[16:, :16] == pytest.approx(0, abs=1e-6)


def test_a_region_that_lowers_the_risk_is_negative(planted_model, content_of, patch, marked) -> None:
    model = planted_model(-patch)
    (heat_map,) = map_photos(model, encode_listing(model, content_of("", marked)))
    assert patch[heat_map == heat_map.min()].all()
    assert heat_map.max() <= 1e-6


def test_evidence_in_one_photo_leaves_the_others_pale(planted_model, content_of, patch, marked) -> None:
    model = planted_model(patch)
    plain = np.zeros_like(marked)
    before, found, after = map_photos(model, encode_listing(model, content_of("", plain, marked, plain)))
    assert found.max() > 2
    assert not before.any()
    assert not after.any()


def test_covering_cells_equals_covering_pixels(planted_model, content_of, noise) -> None:
    model = planted_model(np.random.default_rng(1).normal(size=(32, 32)))
    (heat_map,) = map_photos(model, encode_listing(model, content_of("", noise)))

    def judge(photos: torch.Tensor) -> torch.Tensor:
        pixels = photos.permute(0, 2, 3, 1).to(torch.uint8).numpy()
        return torch.from_numpy(model.encode_photos(pixels)[:, 0].astype(np.float64))

    photo = torch.tensor(noise, dtype=torch.float32).permute(2, 0, 1)[None]
    mean_colour = photo.mean(dim=(2, 3), keepdim=True).round().expand_as(photo)
    oracle = Occlusion(judge).attribute(photo, (3, 8, 8), strides=(3, 4, 4), baselines=mean_colour)
    assert heat_map == pytest.approx(oracle[0, 0].numpy(), abs=1e-4)


@pytest.mark.parametrize("size", [1, 7, 30, 33])
def test_any_photo_size_works(planted_model, content_of, size) -> None:
    model = planted_model(np.ones((size, size)))
    photo = np.random.default_rng(2).integers(256, size=(size, size, 3), dtype=np.uint8)
    (heat_map,) = map_photos(model, encode_listing(model, content_of("", photo)))
    assert heat_map.shape == (size, size)
    assert np.isfinite(heat_map).all()


def test_a_photo_of_one_colour_has_no_region_that_matters(planted_model, content_of, patch) -> None:
    model = planted_model(patch)
    (heat_map,) = map_photos(model, encode_listing(model, content_of("", np.full((32, 32, 3), 200, np.uint8))))
    assert not heat_map.any()
