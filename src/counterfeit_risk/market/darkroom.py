"""Draws the photos of a market in several processes and writes them as JPEG.

Knows no listing: what a photo shows, and where it goes.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from counterfeit_risk.market.offers import PhotoFile
from counterfeit_risk.market.pictures.copies import apply_evasions, make_collage
from counterfeit_risk.market.pictures.photos import render_photo

_PHOTOS_A_TASK = 32
_TASKS_AHEAD = 4

Order = tuple[Path, PhotoFile]


def develop(orders: Iterable[Order], *, workers: int | None = None, on_photos: Callable[[int], None]) -> None:
    """Draws and writes photos; the bytes do not depend on how many processes do it.

    Args:
        orders: files to write, in folders that exist or can be made, and what they show.
        workers: processes; as many as there are cores where it is not given. With 1, this process does the work.
        on_photos: called with how many photos were just written.

    Raises:
        OSError: if a file cannot be written.
    """
    tasks = _batched(orders)
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        for task in tasks:
            on_photos(_develop_task(task))
        return
    # a fresh interpreter: what this one has loaded may hold locks and threads that do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: deque[Future[int]] = deque()
        for task in tasks:
            waiting.append(pool.submit(_develop_task, task))
            if len(waiting) > workers * _TASKS_AHEAD:
                on_photos(waiting.popleft().result())
        for future in waiting:
            on_photos(future.result())


def develop_photo(photo: PhotoFile) -> Image.Image:
    """Draws one photo with all that was done to its file but the JPEG compression."""
    rng = np.random.default_rng(photo.seed)
    pictures = [render_photo(scene) for scene in photo.scenes]
    picture = make_collage(pictures, rng) if len(pictures) > 1 else pictures[0]
    return apply_evasions(picture, photo.evasions, rng)


def _develop_task(task: list[Order]) -> int:
    for path, photo in task:
        path.parent.mkdir(parents=True, exist_ok=True)
        develop_photo(photo).save(path, "JPEG", quality=photo.quality)
    return len(task)


def _batched(orders: Iterable[Order]) -> Iterator[list[Order]]:
    remaining = iter(orders)
    while task := list(islice(remaining, _PHOTOS_A_TASK)):
        yield task
