"""Which regions of a photo raise or lower the risk: each is covered in turn, and the change in the logit measured.

Knows neither how photos are encoded nor how heat maps are drawn. Letters: N variants, S pixels a side.

Source: occlusion sensitivity in Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks",
section 4.2; the scan itself is Captum's.
"""

import numpy as np
import torch
from captum.attr import Occlusion
from numpy.typing import NDArray
from torch import Tensor

from counterfeit_risk.explanations.encoded_listing import EncodedListing
from counterfeit_risk.explanations.model import ExplainedModel

HeatMap = NDArray[np.float64]
"""(S, S) logits."""

_CELLS_A_SIDE = 8
_WINDOW_CELLS = 2
_PHOTOS_AT_ONCE = 16


def map_photos(model: ExplainedModel, listing: EncodedListing) -> tuple[HeatMap, ...]:
    """One heat map a photo, pixel for pixel.

    A pixel's value is the mean change in logit over the windows that cover it: positive where the region raises the
    risk, negative where it lowers it. A window is a quarter of the photo a side, moves by an eighth, and is filled with
    the photo's mean colour; the listing's other photos and its title stay as they are.
    """
    return tuple(_map_photo(model, listing, place) for place in range(len(listing.content.pixels)))


def _map_photo(model: ExplainedModel, listing: EncodedListing, place: int) -> HeatMap:
    photo = listing.content.pixels[place]
    mean_colour = photo.mean(axis=(0, 1)).round().astype(np.uint8)
    cell_of_pixel = np.arange(len(photo)) * _CELLS_A_SIDE // len(photo)

    def judge(visible: Tensor) -> Tensor:
        """The (N,) logits with only the (N, 8, 8) visible cells of this photo shown."""
        shown = visible.numpy().astype(bool)[:, cell_of_pixel][:, :, cell_of_pixel]
        head_input = listing.repeat(len(shown))
        head_input.photo_embeddings[:, place] = model.encode_photos(np.where(shown[..., None], photo, mean_colour))
        return torch.from_numpy(model.judge(head_input).logits)

    # cells are covered, not pixels: on whole photos, Captum's own arithmetic would cost as much as the model
    heat = Occlusion(judge).attribute(
        torch.ones(1, _CELLS_A_SIDE, _CELLS_A_SIDE),
        sliding_window_shapes=(_WINDOW_CELLS, _WINDOW_CELLS),
        baselines=0,
        perturbations_per_eval=_PHOTOS_AT_ONCE,
    )
    return np.asarray(heat[0].numpy(), np.float64)[np.ix_(cell_of_pixel, cell_of_pixel)]
