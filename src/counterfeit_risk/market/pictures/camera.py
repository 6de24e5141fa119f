"""What light, lens and sensor do to a picture.

Knows nothing of what is in it: only where it is taken.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from counterfeit_risk.market.chance import happens, pick
from counterfeit_risk.market.pictures.layers import Picture, as_image, as_picture
from counterfeit_risk.market.pictures.scenes import Place
from counterfeit_risk.market.pictures.textures import Light, spread

_SIZES = ((320, 320), (320, 240), (240, 320), (256, 320), (320, 256), (320, 214), (214, 320))
_GRID = 40
"""Light changes slowly: it is worked out on a grid of so many points a side."""
_IN_STUDIO = frozenset({Place.WHITE, Place.STUDIO})


@dataclass(frozen=True)
class Camera:
    """One shot's light and camera."""

    size: tuple[int, int]
    """Width and height of the photo in pixels; the longer is 320."""
    light_from: float
    """-1 is left, 1 is right."""
    slope: float
    """How unevenly the light falls."""
    exposure: float
    """1 is right; less is darker."""
    cast: tuple[float, float, float]
    """What the white balance got wrong, as factors on red, green and blue."""
    vignette: float
    """How much darker the corners are."""
    glare: float
    """Strength of a reflected lamp or flash; 0 is none."""
    window: bool
    """Light falls in through a window."""
    noise: float
    """Standard deviation, in levels of 255."""
    blur: float
    """Radius in pixels."""


def draw_camera(place: Place, rng: np.random.Generator) -> Camera:
    """A shop's camera in a studio, a phone elsewhere."""
    size = pick(rng, _SIZES)
    light_from = float(rng.uniform(0.4, 1.0) * (1 if happens(rng, 0.5) else -1))
    if place in _IN_STUDIO:
        warm = rng.uniform(-0.012, 0.012)
        return Camera(
            size,
            light_from,
            slope=0.025,
            exposure=float(rng.uniform(0.99, 1.04)),
            cast=(float(1 + warm), 1.0, float(1 - warm)),
            vignette=float(rng.uniform(0, 0.04)),
            glare=0.0,
            window=False,
            noise=float(rng.uniform(0.6, 1.6)),
            blur=0.0,
        )
    warm = rng.uniform(-0.05, 0.1)
    return Camera(
        size,
        light_from,
        slope=float(rng.uniform(0.04, 0.09)),
        exposure=float(rng.uniform(0.86, 1.1)),
        cast=(float(1 + warm), float(1 + rng.uniform(-0.02, 0.02)), float(1 - warm)),
        vignette=float(rng.uniform(0.04, 0.22)),
        glare=float(rng.uniform(0.2, 0.55)) if happens(rng, 0.25) else 0.0,
        window=happens(rng, 0.25),
        noise=float(rng.uniform(1.5, 5.0)),
        blur=float(rng.uniform(0.4, 1.0)) if happens(rng, 0.3) else 0.0,
    )


def expose(picture: Picture, camera: Camera, rng: np.random.Generator) -> Image.Image:
    """Takes the photo.

    Args:
        picture: (3, H, W), what stands before the camera.
        camera: the light, lens and sensor.
        rng: decides where the light falls, and the noise.

    Returns:
        RGB.
    """
    gains = np.array(camera.cast, np.float32) * camera.exposure
    seen = picture * _ambient(camera, rng) * gains[:, None, None]
    if camera.glare:
        seen += _glare(camera, rng) * (255 - seen)
    if camera.blur:
        seen = as_picture(as_image(seen).filter(ImageFilter.BoxBlur(camera.blur)))
    return as_image(seen + camera.noise * _grain(camera.size, rng))


def _grain(size: tuple[int, int], rng: np.random.Generator) -> Light:
    """Noise of unit variance; the sum of two bytes is near enough to normal, and twenty times as fast."""
    first, second = rng.integers(0, 255, (2, size[1], size[0]), dtype=np.uint8, endpoint=True).astype(np.float32)
    noise: Light = (first + second - 255) / 104.5
    return noise


def _ambient(camera: Camera, rng: np.random.Generator) -> Light:
    """Brighter towards the light, darker in the corners, and with a window's panes where there is one."""
    y, x = np.mgrid[-1 : 1 : _GRID * 1j, -1 : 1 : _GRID * 1j]
    light = 1 + camera.slope * (camera.light_from * x - 0.6 * y) - camera.vignette * (x**2 + y**2) / 2
    if camera.window:
        light = light * (0.9 + 0.28 * _panes(x, y, rng))
    return spread(light, camera.size)


def _panes(x: NDArray[np.float64], y: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Two slanted bright panes with the bar between them; 0 outside, 1 inside."""
    slant, middle = rng.uniform(-0.6, 0.6), rng.uniform(-0.4, 0.4)
    across = x + slant * y - middle
    panes: NDArray[np.float64] = ((0.5 - np.abs(across)) * 12).clip(0, 1) * ((np.abs(across) - 0.03) * 12).clip(0, 1)
    return panes


def _glare(camera: Camera, rng: np.random.Generator) -> Light:
    """A soft bright spot."""
    y, x = np.mgrid[-1 : 1 : _GRID * 1j, -1 : 1 : _GRID * 1j]
    left, top = rng.uniform(-0.7, 0.7, 2)
    distance = (x - left) ** 2 + (y - top) ** 2
    spot = camera.glare * np.exp(-distance / rng.uniform(0.02, 0.12))
    return spread(spot, camera.size)
