"""`counterfeit-risk evaluate`: judges a bundle on labelled listings."""

from pathlib import Path
from typing import Annotated

import typer

from counterfeit_risk.cli.options import (
    DEFAULT_TRACKING_URI,
    BundleArgument,
    ColumnMapOption,
    ImageRootOption,
    ListingsArgument,
    TrackingOption,
    bundle_folder,
)
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.embeddings.fingerprint import file_hash
from counterfeit_risk.errors import UsageError
from counterfeit_risk.export.bundle import open_bundle
from counterfeit_risk.listings.catalog import load_column_map
from counterfeit_risk.scoring.runner import Dump


def evaluate(
    bundle: BundleArgument,
    listings: ListingsArgument,
    out: Annotated[Path, typer.Option(help="Folder for evaluation.json, report.html and plots.", show_default=False)],
    capacity: Annotated[int, typer.Option(min=1, help="Listings that people can review out of these.")] = 100,
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    true_posteriors: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Parquet of a made-up market's truth: shows what can be reached."
        ),
    ] = None,
    tracking_uri: TrackingOption = DEFAULT_TRACKING_URI,
) -> None:
    """Judge a bundle's risks on labelled listings that it has not learned from.

    Baselines stand in a run's own evaluation only: they learn from its training rows, which a bundle does not hold,
    and what they got on the run's test rows says nothing about these.
    """
    from counterfeit_risk.evaluation.evaluate import evaluate as evaluate_predictions
    from counterfeit_risk.evaluation.reference import Reference
    from counterfeit_risk.evaluation.report import headline, write_report
    from counterfeit_risk.evaluation.risk_bands import RiskBands
    from counterfeit_risk.evaluation.truth import read_posteriors
    from counterfeit_risk.scoring.labelled import AS_SERVED, predict_labelled

    model = open_bundle(bundle_folder(bundle, tracking_uri))
    dump = Dump(listings, load_column_map(column_map), image_root)
    if listings.is_file() and file_hash(listings) == model.manifest.training_data["table_sha256"]:
        raise UsageError(f"{listings} is the table that this model learned from; its run holds the held-out evaluation")
    with progress("scoring") as advance:
        predictions = predict_labelled(model, dump, on_progress=advance)
    settings = EvaluationSettings(review_capacity=capacity, true_posteriors=true_posteriors)
    reference = Reference(read_posteriors(true_posteriors, predictions.listing_ids) if true_posteriors else None)
    bands = RiskBands.from_dict(model.manifest.bands)
    evaluation = evaluate_predictions(predictions, AS_SERVED, bands, settings, seed=0, reference=reference)
    write_report(evaluation, out, title=f"Model {model.manifest.model_id} on {listings.name}")
    typer.echo(headline(evaluation))
    typer.echo(out / "report.html")
