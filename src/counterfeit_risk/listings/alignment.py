"""Finds, from a first guess, the window of one picture that another picture shows, and tells whether both agree there.

Knows no photo and no listing: pictures come as thumbnails in pairs. The window is found by Gauss-Newton steps on its
four edges, brightness and contrast (Baker and Matthews, Lucas-Kanade 20 Years On, IJCV 2004), from coarse to fine.
"""

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.listings.thumbnails import Floats, Thumbnails, resample

_COARSE, _COARSE_STEPS = 16, 4
_FINE, _FINE_STEPS = 32, 3
_LARGEST_STEP = 0.04
_SMALLEST_WINDOW = 0.15
_BLOCKS = 8
"""Blocks a side in which two pictures are compared."""
_BLOCK_CELLS = 6
_TEXTURE = 3.0
"""Standard deviation of brightness, of 255, above which a block shows something."""
_SAME_PATTERN = 0.6
_SAME_LIGHT, _SAME_TINT = 12.0, 4.0
"""Of 255, between the means of two blocks."""
_LARGEST_SHIFT = 2.5
"""Of light or tint, of the whole picture."""
_UNEVENNESS = 1.0
"""Median difference of light over all blocks, beside the shift."""
_SMALL_WINDOW = 0.7
"""Side below which a window has few pixels, of which more unevenness is allowed."""
_FEWEST_BLOCKS = 12
_MARGIN = 0.04
"""Left out at each edge, where a frame may still show."""
_HOPELESS = 0.8
"""Correlation after the coarse steps below which no copy was seen."""


def agreement(wholes: Thumbnails, copies: Thumbnails, windows: Floats) -> Floats:
    """Compares P pairs of pictures where they show the same.

    Args:
        wholes: the pictures in which the copies are looked for.
        copies: each shows a part of its whole, or more than it.
        windows: (P, 4) first guess of the window of the whole that the copy shows.

    Returns:
        (P,) share of the blocks with texture in both pictures that agree in pattern, brightness and colour: 1 is a
        copy, 0 is another picture, or one with too little texture to tell.
    """
    shares = np.zeros(len(windows), np.float32)
    small_wholes, small_copies = wholes.halve().luma, copies.halve().luma
    coarse = _fit(small_wholes, small_copies, windows, _COARSE, _COARSE_STEPS)
    hopeful = np.flatnonzero(_correlation(small_wholes, small_copies, coarse) > _HOPELESS)
    if hopeful.size:
        wholes, copies = wholes.pick(hopeful), copies.pick(hopeful)
        fine = _fit(wholes.luma, copies.luma, coarse[hopeful], _FINE, _FINE_STEPS)
        # a sticker on one of the two pulls the fit away from a guess that was right
        shares[hopeful] = np.maximum(
            _agreeing_blocks(wholes, copies, fine), _agreeing_blocks(wholes, copies, windows[hopeful])
        )
    return shares


def _fit(wholes: Floats, copies: Floats, windows: Floats, cells: int, steps: int) -> Floats:
    """Moves the edges of the windows to where the whole looks like the copy."""
    factor = copies.shape[-1] // cells
    wanted = copies.reshape(len(copies), cells, factor, cells, factor).mean(axis=(2, 4))
    for _ in range(steps):
        step = _step(resample(wholes, windows, cells), wanted, windows)
        windows = windows + np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        start, end = np.clip(windows[:, :2], -0.3, 0.9), np.clip(windows[:, 2:], 0.1, 1.3)
        windows = np.concatenate([start, np.maximum(end, start + _SMALLEST_WINDOW)], axis=1)
    return windows


def _step(seen: Floats, wanted: Floats, windows: Floats) -> Floats:
    """(P, 4): one Gauss-Newton step; `seen` and `wanted` are (P, M, M)."""
    pairs, cells, _ = seen.shape
    inside = _inside(windows, cells)
    width, height = (windows[:, 2:] - windows[:, :2]).T[:, :, None, None]
    slope_x, slope_y = np.gradient(seen, axis=2) * cells / width, np.gradient(seen, axis=1) * cells / height
    across = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    down = across[:, None]
    slopes = [slope_x * (1 - across), slope_y * (1 - down), slope_x * across, slope_y * down, seen, np.ones_like(seen)]
    jacobian = (np.stack(slopes, axis=1) * inside[:, None]).reshape(pairs, len(slopes), -1)
    residual = ((wanted - seen) * inside).reshape(pairs, -1, 1)
    normal = (jacobian @ jacobian.transpose(0, 2, 1)).astype(np.float64)
    damping = normal.diagonal(axis1=1, axis2=2) * 1e-3 + 1e-2
    normal += np.eye(len(slopes)) * damping[:, None, :]
    step: Floats = np.linalg.solve(normal, (jacobian @ residual).astype(np.float64))[:, :4, 0].astype(np.float32)
    return step


def _inside(windows: Floats, cells: int) -> NDArray[np.bool_]:
    """(P, M, M): cells that count: those whose middle lies within the picture, less the outermost."""
    middles = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    x = windows[:, 0, None] + (windows[:, 2] - windows[:, 0])[:, None] * middles
    y = windows[:, 1, None] + (windows[:, 3] - windows[:, 1])[:, None] * middles
    inside: NDArray[np.bool_] = ((y > 0) & (y < 1))[:, :, None] & ((x > 0) & (x < 1))[:, None, :]
    # the outermost cells may show a frame or a gutter, which would push the edge away
    inside[:, [0, -1], :] = inside[:, :, [0, -1]] = False
    return inside


def _shared(windows: Floats) -> tuple[Floats, Floats]:
    """The part of each window within the whole, once in the whole's and once in the copy's coordinates."""
    start, size = windows[:, :2], windows[:, 2:] - windows[:, :2]
    first, last = np.clip(start, 0, 1), np.clip(windows[:, 2:], 0, 1)
    margin = _MARGIN * (last - first)
    first, last = first + margin, np.maximum(last - margin, first + margin + np.float32(1e-3))
    return np.concatenate([first, last], axis=1), np.concatenate(
        [(first - start) / size, (last - start) / size], axis=1
    )


def _correlation(wholes: Floats, copies: Floats, windows: Floats) -> Floats:
    of_wholes, of_copies = _shared(windows)
    a = resample(wholes, of_wholes, _COARSE).reshape(len(windows), -1)
    b = resample(copies, of_copies, _COARSE).reshape(len(windows), -1)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    correlation: Floats = (a * b).sum(axis=1) / np.maximum(size, np.float32(1e-3))
    return correlation


def _agreeing_blocks(wholes: Thumbnails, copies: Thumbnails, windows: Floats) -> Floats:
    of_wholes, of_copies = _shared(windows)
    small = (windows[:, 2:] - windows[:, :2]).min(axis=1) < _SMALL_WINDOW
    a, b = _blocks(wholes.luma, of_wholes), _blocks(copies.luma, of_copies)
    level_a, level_b = a.mean(axis=2, keepdims=True), b.mean(axis=2, keepdims=True)
    a, b = a - level_a, b - level_b
    power_a, power_b = (a * a).mean(axis=2), (b * b).mean(axis=2)
    pattern = 1 - ((a - b) ** 2).mean(axis=2) / np.maximum(power_a + power_b, np.float32(1e-6))
    light = (level_a - level_b)[:, :, 0]
    colour_a, colour_b = (resample(c, w, _BLOCKS) for c, w in ((wholes.chroma, of_wholes), (copies.chroma, of_copies)))
    tint = (colour_a - colour_b).reshape(len(a), 2, -1)
    alike = (pattern > _SAME_PATTERN) & (np.abs(light) < _SAME_LIGHT) & (np.abs(tint).max(axis=1) < _SAME_TINT)
    # what shows in one of them only is mostly a shop's words on a plain ground
    textured = np.minimum(power_a, power_b) > _TEXTURE**2
    compared = textured.sum(axis=1)
    enough = (compared >= _FEWEST_BLOCKS) & _same_exposure(light, tint, small)
    share: Floats = np.where(enough, (alike & textured).sum(axis=1) / np.maximum(compared, 1), 0).astype(np.float32)
    return share


def _same_exposure(light: Floats, tint: Floats, small: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tells two shots of the same goods apart: no two have the same light on every spot, as copies of one file have.

    A small JPEG may shift all of a plain ground alike. A small window is made of few pixels, so more is allowed there.
    """
    shift = np.median(light, axis=1, keepdims=True)
    tint_shift = np.abs(np.median(tint, axis=2)).max(axis=1)
    unevenness = np.median(np.abs(light - shift), axis=1)
    even = unevenness < np.where(small, 2 * _UNEVENNESS, _UNEVENNESS)
    same: NDArray[np.bool_] = even & (np.abs(shift[:, 0]) < _LARGEST_SHIFT) & (tint_shift < _LARGEST_SHIFT)
    return same


def _blocks(luma: Floats, windows: Floats) -> Floats:
    """(P, blocks, cells of a block)."""
    cells = resample(luma, windows, _BLOCKS * _BLOCK_CELLS)
    split = cells.reshape(len(cells), _BLOCKS, _BLOCK_CELLS, _BLOCKS, _BLOCK_CELLS).transpose(0, 1, 3, 2, 4)
    return split.reshape(len(cells), _BLOCKS**2, _BLOCK_CELLS**2)
