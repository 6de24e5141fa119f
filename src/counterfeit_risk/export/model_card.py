"""Writes the model card that travels in a bundle: what the model is for, what it learned from, what its risks promise.

Knows only the manifest.
"""

from pathlib import Path
from typing import Any

from counterfeit_risk.export.bundle import Manifest

_CARD = """\
# Counterfeit risk model {model_id}

Reads a listing's photos and title and gives a calibrated probability that the listing offers a counterfeit.

**For:** opening cases that people decide. **Not for:** taking listings down without a person, judging sellers, or
markets unlike the one it learned from. A listing without photos or without a title is never acted on automatically.

- Run `{run_id}`, exported {created_at:%Y-%m-%d %H:%M} UTC
- Photos: the first {max_photos} readable ones, {image_size}×{image_size} pixels; titles: {max_title_tokens} tokens

## What it learned from

{data}

## How good it is

On the test split of its own data, which no threshold and no calibration has seen.

{metrics}

## How precisely it may compute

{precisions}

## What its risks promise

Risks are calibrated for a market in which {prevalence:.2%} of the listings are counterfeit.

{bands}
"""


def write_model_card(manifest: Manifest, path: Path) -> None:
    """Writes the card of a bundle."""
    splits: dict[str, Any] = manifest.training_data["splits"]
    data = _table(
        ("split", "listings", "counterfeits"),
        [(name, counts["listings"], counts["counterfeits"]) for name, counts in splits.items()],
    )
    metrics = _table(("metric", "value"), [(name, f"{value:.4g}") for name, value in sorted(manifest.metrics.items())])
    text = _CARD.format(
        model_id=manifest.model_id,
        run_id=manifest.run_id,
        created_at=manifest.created_at,
        max_photos=manifest.max_photos,
        image_size=manifest.image_preprocessing.image_size,
        max_title_tokens=manifest.max_title_tokens,
        data=data,
        metrics=metrics,
        precisions=_describe_precisions(manifest),
        prevalence=manifest.calibrations["fused"]["deployed_prevalence"],
        bands=_describe_bands(manifest.bands),
    )
    path.write_text(text, encoding="utf-8")


def _describe_precisions(manifest: Manifest) -> str:
    if not manifest.precisions:
        return "In fp32 only: lower precisions could not be checked."
    return "\n".join(
        f"- {name}, {'accepted' if check.accepted else 'refused'}: {check.describe()}."
        for name, check in sorted(manifest.precisions.items())
    )


def _describe_bands(bands: dict[str, Any]) -> str:
    automatic = bands["automatic_from"]
    lines = [
        f"- Review band: risk of {bands['review_from']:.3f} or more.",
        f"- Automatic band: risk of {automatic:.3f} or more."
        if automatic is not None
        else "- Automatic band: off, since the labels could not certify it.",
    ]
    evidence = [(name, value) for name, value in sorted(bands["evidence"].items())]
    return "\n".join(lines) + "\n\n" + _table(("evidence", "value"), evidence)


def _table(headers: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = [headers, tuple("---" for _ in headers), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
