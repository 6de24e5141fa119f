"""Which of the two spoke, photos or title: the logit is divided between them.

Knows no model: it is given four logits.
"""

from typing import NamedTuple


class ModalityLogits(NamedTuple):
    """The logit with each modality as it is, or missing."""

    both: float
    photos_only: float
    title_only: float
    neither: float


class ModalityShares(NamedTuple):
    """Logits; `photos` and `title` sum to `both - neither`."""

    photos: float
    """Positive where the photos raise the risk."""
    title: float
    """Positive where the title raises the risk."""
    interaction: float
    """What only shows in photos and title together; half of it is in each share.

    Large and positive where they contradict each other, 0 where each speaks for itself.
    """


def divide(logits: ModalityLogits) -> ModalityShares:
    """Shapley values of a game of two players.

    Source: Shapley (1953), "A value for n-person games": a player's mean contribution over both orders of arrival.
    """
    both, photos_only, title_only, neither = logits
    return ModalityShares(
        photos=((both - title_only) + (photos_only - neither)) / 2,
        title=((both - photos_only) + (title_only - neither)) / 2,
        interaction=both - photos_only - title_only + neither,
    )
