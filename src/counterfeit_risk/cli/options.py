"""Options that several commands share, each with its help."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.errors import UsageError

BundleArgument = Annotated[
    str, typer.Argument(metavar="BUNDLE", help="Bundle folder, or a registered one: models:/NAME@champion.")
]
ListingsArgument = Annotated[
    Path, typer.Argument(metavar="LISTINGS", help="Listing table: .csv, .jsonl or .parquet.", show_default=False)
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="MLflow run id, as `train` prints it.")]
ColumnMapOption = Annotated[
    Path | None, typer.Option("--column-map", help="YAML that maps a foreign dump's columns to ours.")
]
ImageRootOption = Annotated[
    Path | None,
    typer.Option(
        "--image-root",
        exists=True,
        file_okay=False,
        help="Where image paths start.  [default: the table's folder]",
    ),
]
TrackingOption = Annotated[
    str, typer.Option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow store of runs and models.")
]
PrecisionName = Literal["auto", "fp32", "bf16", "int8"]
PrecisionOption = Annotated[
    PrecisionName, typer.Option(help="What towers compute in; auto is the fastest that export found to be good enough.")
]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of embeddings, kept from night to night: what it holds is not encoded.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON lines, for programs.")]
DEFAULT_TRACKING_URI = "sqlite:///mlflow.db"


def to_precision(name: PrecisionName) -> Precision | None:
    """The precision that was asked for; None for auto."""
    return None if name == "auto" else Precision(name)


def bundle_folder(bundle: str, tracking_uri: str) -> Path:
    """Local folder of a bundle given as a folder or as an MLflow model URI."""
    if not bundle.startswith(("models:/", "runs:/")):
        return Path(bundle)
    try:
        from counterfeit_risk.tracking.registry import fetch_bundle
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{bundle} needs MLflow, which is not installed: pip install counterfeit-risk[train]"
        ) from error
    return fetch_bundle(bundle, tracking_uri)
