"""Explains one listing's risk by perturbation: hide a part, judge again, and note what changed.

Asks a model for nothing but judgements, so a bundle and the checkpoint that it came from are explained alike.
"""

import numpy as np

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.errors import UsageError, WorkError
from counterfeit_risk.explanations.encoded_listing import EncodedListing, encode_listing
from counterfeit_risk.explanations.explanation import Explanation
from counterfeit_risk.explanations.modality_shares import ModalityLogits, divide
from counterfeit_risk.explanations.model import ExplainedModel, Judgements
from counterfeit_risk.explanations.photo_regions import map_photos
from counterfeit_risk.explanations.title_words import weigh_words


def explain(model: ExplainedModel, listing_id: str, content: ListingContent) -> Explanation:
    """Explains a listing.

    Args:
        model: what judges.
        listing_id: names the listing.
        content: what it shows, read for this model.

    Raises:
        UsageError: if there is neither a usable photo nor a title.
        WorkError: if the model gives no finite logit.
    """
    if content.is_empty:
        lost = "; ".join(content.photos_lost) or "it has no photo and no title"
        raise UsageError(f"listing {listing_id!r} has nothing to explain: {lost}")
    listing = encode_listing(model, content)
    judged = _judge_parts(model, listing)
    if not np.isfinite(judged.logits).all():
        raise WorkError(f"the model gives no finite risk for listing {listing_id!r}, so there is nothing to explain")
    whole, *unpriced = (float(logit) for logit in judged.logits)
    logits = ModalityLogits(*unpriced)
    shares = divide(logits)
    return Explanation(
        listing_id=listing_id,
        risk=float(judged.risks[0]),
        band=model.bands.assign(judged.risks[:1], np.array([listing.is_complete]))[0],
        logit=whole,
        base_logit=logits.neither,
        photo_heat_maps=map_photos(model, listing),
        words=weigh_words(model, listing),
        photo_share=shares.photos,
        title_share=shares.title,
        price_share=whole - logits.both,
        interaction=shares.interaction,
    )


def _judge_parts(model: ExplainedModel, listing: EncodedListing) -> Judgements:
    """Judges the listing whole and, without its price: photos and title, its photos, its title, and neither."""
    head_input = listing.repeat(1 + len(ModalityLogits._fields))
    head_input.price_evidence[1:] = 0
    head_input.photo_mask[[3, 4]] = False
    head_input.title_mask[[2, 4]] = False
    return model.judge(head_input)
