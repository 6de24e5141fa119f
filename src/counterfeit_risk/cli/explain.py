"""`counterfeit-risk explain`: why one listing has its risk, as a sheet for a reviewer and as JSON for programs."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfeit_risk.cli.options import (
    DEFAULT_TRACKING_URI,
    ColumnMapOption,
    ImageRootOption,
    ListingsArgument,
    StoreOption,
    TrackingOption,
    bundle_folder,
)
from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.store import EmbeddingStore
from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.catalog import load_column_map, read_listings
from counterfeit_risk.listings.listing import Listing, RejectedRow
from counterfeit_risk.scoring.runner import Dump

if TYPE_CHECKING:
    from counterfeit_risk.explanations.explanation import Explanation
    from counterfeit_risk.explanations.model import ExplainedModel

_RUN_ID = re.compile("[0-9a-f]{32}")
_LONGEST_NAME = 80


def explain(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Bundle folder, models:/NAME@champion, or an MLflow run id.", show_default=False
        ),
    ],
    listings: ListingsArgument,
    listing: Annotated[str, typer.Option(metavar="ID", help="The listing to explain.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for ID.png and ID.json.", show_default=False)],
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    store: StoreOption = None,
    tracking_uri: TrackingOption = DEFAULT_TRACKING_URI,
) -> None:
    """Show why a listing has its risk: photo regions, title words, the price, and which of them spoke."""
    dump = Dump(listings, load_column_map(column_map), image_root)
    found = find_listing(dump, listing)
    try:
        from counterfeit_risk.evaluation.plots import to_png
        from counterfeit_risk.explanations.explain import explain as explain_listing
        from counterfeit_risk.explanations.figures import case_sheet

        model = _open_model(source, tracking_uri)
    except ModuleNotFoundError as error:
        message = f"explain needs {error.name}, which is not installed: pip install counterfeit-risk[train]"
        raise UsageError(message) from error
    content = read_for(model, dump.root, found, store)
    explanation = explain_listing(model, found.listing_id, content)
    out.mkdir(parents=True, exist_ok=True)
    sheet, numbers = (out / f"{file_name(found.listing_id)}{suffix}" for suffix in (".png", ".json"))
    sheet.write_bytes(to_png(case_sheet(explanation, found.title, content)))
    numbers.write_text(json.dumps(explanation.to_dict()), encoding="utf-8")
    typer.echo(f"{sheet}\n{numbers}\n{summary(explanation)}")


def find_listing(dump: Dump, listing_id: str) -> Listing:
    """Finds a listing in its table.

    Raises:
        UsageError: if there is none of this id, or its row was rejected.
    """
    for row in read_listings(dump.table, dump.columns):
        if row.listing_id != listing_id:
            continue
        if isinstance(row, RejectedRow):
            raise UsageError(f"row {row.row_number} of {dump.table} cannot be explained: {row.reason}: {row.detail}")
        return row
    raise UsageError(f"{dump.table} has no listing {listing_id!r}; --listing takes an id from its listing_id column")


def file_name(listing_id: str) -> str:
    """A name that any file system takes: the id itself where it is plain, else what is plain of it and a hash."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", listing_id)[:_LONGEST_NAME]
    if plain == listing_id:
        return plain
    return f"{plain}-{hashlib.sha256(listing_id.encode(errors='surrogatepass')).hexdigest()[:8]}"


def summary(explanation: "Explanation") -> str:
    """One line: the risk, and what spoke."""
    return (
        f"risk {explanation.risk:.1%} ({explanation.band.value}); in logits: photos {explanation.photo_share:+.2f}, "
        f"title {explanation.title_share:+.2f}, in combination {explanation.interaction:+.2f}, "
        f"price {explanation.price_share:+.2f}"
    )


def read_for(model: "ExplainedModel", image_root: Path, listing: Listing, folder: Path | None) -> ListingContent:
    """Reads a listing as a model sees it; its photos' embeddings come from a store, where that knows them.

    Raises:
        UsageError: if a store is named for a training run.
        StoreError: if it cannot be opened.
    """
    from counterfeit_risk.explanations.model import BundleModel

    reader = ContentReader(image_root, model.preprocessing, model.max_photos, price_model=model.price_model)
    if folder is None:
        return reader.read(listing)
    if not isinstance(model, BundleModel):
        raise UsageError("--store holds what bundles encode; a run is explained without it")
    with EmbeddingStore(folder, create=False) as store:
        return replace(reader, store=model.photos_of(store), decode_stored=True).read(listing)


def _open_model(source: str, tracking_uri: str) -> "ExplainedModel":
    from counterfeit_risk.explanations.model import load_run_model, open_bundle_model

    if _RUN_ID.fullmatch(source) and not Path(source).is_dir():
        from counterfeit_risk.tracking.runs import find_run

        return load_run_model(find_run(tracking_uri, source))
    return open_bundle_model(bundle_folder(source, tracking_uri))
