"""`counterfeit-risk evaluate`: judges a bundle on labelled listings, beside another one where two are given."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from counterfeit_risk.cli.options import (
    DEFAULT_TRACKING_URI,
    ColumnMapOption,
    ImageRootOption,
    TrackingOption,
    bundle_folder,
)
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.embeddings.fingerprint import file_hash
from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.evaluation.risk_bands import RiskBands
from counterfeit_risk.export.bundle import ModelBundle, open_bundle
from counterfeit_risk.listings.catalog import load_column_map
from counterfeit_risk.scoring.runner import Dump

_MOST_ARGUMENTS = 3


def evaluate(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL [OTHER] LISTINGS",
            help="A bundle folder or models:/NAME@champion; another to hold it against; a labelled table.",
            show_default=False,
        ),
    ],
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
    """Judge a bundle's risks on labelled listings that it has not learned from; of two bundles, say which is better.

    With OTHER, comparison.json and comparison.html hold the verdict, what would change in the queue, and every slice.

    Baselines stand in a run's own evaluation only: they learn from its training rows, which a bundle does not hold,
    and what they got on the run's test rows says nothing about these.
    """
    if not 1 < len(arguments) <= _MOST_ARGUMENTS:
        raise UsageError("name a MODEL, perhaps an OTHER to hold it against, and the LISTINGS")
    listings = Path(arguments[-1])
    models = [open_bundle(bundle_folder(name, tracking_uri)) for name in arguments[:-1]]
    for model in models:
        if listings.is_file() and file_hash(listings) == model.manifest.training_data["table_sha256"]:
            raise UsageError(
                f"{listings} is the table that model {model.manifest.model_id} learned from; its run holds the "
                "held-out evaluation"
            )
    dump = Dump(listings, load_column_map(column_map), image_root)
    settings = EvaluationSettings(review_capacity=capacity, true_posteriors=true_posteriors)
    predicted = {model.manifest.model_id: predict(model, dump) for model in models}
    typer.echo(_evaluate_one(models[0], predicted[models[0].manifest.model_id], settings, out, listings.name))
    if len(models) > 1:
        typer.echo(_compare(models, predicted, settings, out))


def predict(model: ModelBundle, dump: Dump) -> Predictions:
    """A bundle's predictions on a labelled table, with progress shown."""
    from counterfeit_risk.scoring.labelled import predict_labelled

    with progress(f"scoring with {model.manifest.model_id}") as advance:
        return predict_labelled(model, dump, on_progress=advance)


def _evaluate_one(
    model: ModelBundle, predictions: Predictions, settings: EvaluationSettings, out: Path, table: str
) -> str:
    """What was found, and where it is written."""
    from counterfeit_risk.evaluation.evaluate import evaluate as evaluate_predictions
    from counterfeit_risk.evaluation.reference import Reference
    from counterfeit_risk.evaluation.report import headline, write_report
    from counterfeit_risk.evaluation.truth import read_posteriors
    from counterfeit_risk.scoring.labelled import AS_SERVED

    posteriors = settings.true_posteriors
    reference = Reference(read_posteriors(posteriors, predictions.listing_ids) if posteriors else None)
    bands = RiskBands.from_dict(model.manifest.bands)
    evaluation = evaluate_predictions(predictions, AS_SERVED, bands, settings, seed=0, reference=reference)
    write_report(evaluation, out, title=f"Model {model.manifest.model_id} on {table}")
    return f"{headline(evaluation)}\n{out / 'report.html'}"


def _compare(
    models: list[ModelBundle], predicted: Mapping[str, Predictions], settings: EvaluationSettings, out: Path
) -> str:
    """The verdict, and where it is written."""
    from counterfeit_risk.evaluation.head_to_head import Contender, compare_models
    from counterfeit_risk.evaluation.head_to_head_report import verdict_in_words, write_comparison
    from counterfeit_risk.scoring.labelled import AS_SERVED

    contenders = []
    for model in models:
        predictions = predicted[model.manifest.model_id]
        risks = AS_SERVED.risks(predictions)[:, 0]
        bands = RiskBands.from_dict(model.manifest.bands).assign(risks, predictions.complete)
        contenders.append(Contender(model.manifest.model_id, predictions, risks, tuple(bands)))
    found = compare_models(
        *contenders,
        capacity=settings.review_capacity,
        smallest_slice=settings.smallest_slice,
        draws=settings.comparison_draws,
        seed=0,
    )
    write_comparison(found, out)
    return f"{verdict_in_words(found)}\n{out / 'comparison.html'}"
