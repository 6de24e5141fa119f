"""Why a listing has its risk, in numbers.

Knows no model and no figure. Letters: S pixels a side.
"""

from dataclasses import asdict, dataclass
from typing import Any

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.explanations.photo_regions import HeatMap
from counterfeit_risk.explanations.title_words import WordWeight

_DECIMALS = 4


@dataclass(frozen=True, eq=False)
class Explanation:
    """What raised and what lowered one listing's risk. All but `risk` is in logits, positive where it raises the risk.

    `photo_share + title_share + price_share == logit - base_logit`; heat maps and words are measured one by one and sum
    to nothing.
    """

    listing_id: str
    risk: float
    """Calibrated probability of being counterfeit, in [0, 1]."""
    band: Band
    logit: float
    base_logit: float
    """The logit of a listing with neither photo nor title, and no price."""
    photo_heat_maps: tuple[HeatMap, ...]
    """One (S, S) array for each usable photo."""
    words: tuple[WordWeight, ...]
    """The normalised title's words in their order."""
    photo_share: float
    title_share: float
    price_share: float
    """0 where there is no price, or none to compare it with."""
    interaction: float
    """What only shows in photos and title together; large and positive where they contradict each other."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; heat maps as rows of pixels, rounded to 4 decimals."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {
            "band": self.band.value,
            "photo_heat_maps": [heat_map.round(_DECIMALS).tolist() for heat_map in self.photo_heat_maps],
            "words": [asdict(word) for word in self.words],
        }
