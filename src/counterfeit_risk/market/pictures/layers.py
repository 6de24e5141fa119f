"""Things drawn at twice a photo's size, then cut out, rounded by light and laid with their shadow over what is behind.

Knows no goods, no brand and no place.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from counterfeit_risk.market.pictures.shapes import Colour
from counterfeit_risk.market.pictures.textures import Light, spread

SCALE = 2
"""Canvas pixels a photo pixel: edges come out smooth."""
_COARSE = 4
"""Shadows and rounding are soft, so they are worked out on every fourth pixel."""

Picture = NDArray[np.float32]
"""(3, H, W) RGB from 0 to 255; planes, because light (H, W) multiplies them ten times as fast as pixels."""


class Layer:
    """A canvas that is transparent where nothing was drawn."""

    def __init__(self, size: tuple[int, int], ground: Colour) -> None:
        """Starts an empty canvas.

        Args:
            size: width and height of the photo in pixels; the canvas has `SCALE` times as many.
            ground: the colour that fades in at smooth edges: that of most of what will be drawn.
        """
        self.image = Image.new("RGBA", (SCALE * size[0], SCALE * size[1]), (*ground, 0))
        self.pen = ImageDraw.Draw(self.image)

    def cut_out(self) -> "CutOut":
        """What was drawn, at the photo's size."""
        *colours, cover = (plane.reduce(SCALE) for plane in self.image.split())
        return CutOut(as_picture(Image.merge("RGB", colours)), cover)


@dataclass(frozen=True)
class CutOut:
    """A drawn layer at the photo's size."""

    picture: Picture
    cover: Image.Image
    """Grey: 0 where nothing was drawn, 255 where it hides what is behind."""

    def rounded(self, light_from: float, *, depth: float) -> Light:
        """Light on its form, as on a cushion: the edge towards the light is brighter, the other darker.

        Args:
            light_from: -1 is left, 1 is right; always from above too.
            depth: brightness added at most, about.

        Returns:
            (H, W), around 1.
        """
        height = np.asarray(self._coarse().filter(ImageFilter.BoxBlur(3)), np.float32) / 255
        down, right = np.gradient(height)
        light = 1 + depth * 6 * (0.8 * np.asarray(down) - light_from * np.asarray(right))
        return spread(light, self.cover.size)

    def shadow(self, shift: tuple[float, float], *, softness: float, strength: float) -> Light:
        """The shadow it throws, `shift` photo pixels to the right and down.

        Returns:
            (H, W): 1 in full light, 1 - strength in the core of the shadow.
        """
        coarse = self._coarse()
        moved = Image.new("L", coarse.size)
        moved.paste(coarse, (round(shift[0] / _COARSE), round(shift[1] / _COARSE)))
        soft = np.asarray(moved.filter(ImageFilter.BoxBlur(softness)).filter(ImageFilter.BoxBlur(softness)), np.float32)
        return spread(1 - strength * soft / 255, self.cover.size)

    def lay_on(self, behind: Picture, light: Light) -> Picture:
        """What is seen when it lies, lit so, on what is behind."""
        share = np.asarray(self.cover, np.float32) / 255
        return behind + share * (self.picture * light - behind)

    def _coarse(self) -> Image.Image:
        return self.cover.reduce(_COARSE)


def as_picture(image: Image.Image) -> Picture:
    """The planes of an RGB image."""
    return np.stack([np.asarray(plane, np.float32) for plane in image.split()])


def as_image(picture: Picture) -> Image.Image:
    """The RGB image of planes; what is brighter than white is white."""
    planes = picture.clip(0, 255).astype(np.uint8)
    return Image.merge("RGB", [Image.fromarray(plane) for plane in planes])
