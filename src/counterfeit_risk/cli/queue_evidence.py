"""Evidence bundles for brands and authorities: written, and checked; and the whole queue checked.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

import logging
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from counterfeit_risk.cli.options import JsonOption
from counterfeit_risk.cli.queue_load import default_archive
from counterfeit_risk.cli.queue_options import DEFAULT_DB, CaseArgument, DbOption, PhotosOption, opened, utc_now
from counterfeit_risk.cli.queue_records import print_lines
from counterfeit_risk.errors import WorkError
from counterfeit_risk.takedown.exchange.evidence import PHOTOS, write_evidence
from counterfeit_risk.takedown.exchange.evidence_check import check_bundle
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.queue import open_queue

logger = logging.getLogger(__name__)


def evidence(
    case: CaseArgument,
    out: Annotated[Path, typer.Option(help="Folder to write, which must not be there yet.", show_default=False)],
    photos: PhotosOption = None,
    explanation: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="File or folder that `explain` wrote; may be repeated.", show_default=False),
    ] = None,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Write what a brand or an authority receives of a case: its history, what was decided on and why, and the photos.

    Nobody who complained is named. Whoever receives it can check it with `verify`.
    """
    archive = PhotoArchive(photos) if photos else default_archive(db)
    if archive is None:
        logger.warning("no photo goes along: name their folder with --photos")
    with opened(db) as engine:
        manifest = write_evidence(engine, case, out, archive=archive, explanations=explanation or (), now=utc_now())
    shown = sum(file.name.startswith(f"{PHOTOS}/") for file in manifest.files)
    missing = len(manifest.missing_photos)
    if json_lines:
        ends = {"events": manifest.chain.events, "last_sha256": manifest.chain.last_sha256, "seal": manifest.seal}
        counts = {"files": len(manifest.files), "photos": shown, "missing_photos": missing}
        print_lines([{"case_id": case, "out": str(out), **counts, **ends}])
        return
    typer.echo(f"case {case}: {len(manifest.files)} files in {out}, with {shown} photos; {missing} are kept no longer")
    typer.echo(f"its {manifest.chain.events} events end with {manifest.chain.last_sha256}; seal {manifest.seal}")


def verify(
    context: typer.Context,
    bundle: Annotated[
        Path | None,
        typer.Argument(metavar="[BUNDLE]", help="Folder that `evidence` wrote; without it, the whole queue."),
    ] = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Check that no history of a case was changed, and that the tables, or a bundle, say what the histories say.

    A bundle is checked by itself; with --db, against the queue that it is from, too.
    """
    if bundle is None:
        _verify_queue(db)
        return
    source = context.get_parameter_source("db")
    if source is not None and source.name == "COMMANDLINE":  # whoever works at another queue has it in the environment
        with opened(db) as engine:
            _verify_bundle(bundle, engine)
    else:
        _verify_bundle(bundle, None)


def _verify_queue(db: str) -> None:
    with open_queue(db) as queue:
        problems = list(queue.find_damage())
        cases, last = queue.last_event()
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise WorkError(f"{len(problems)} things in {db} are not as the queue left them")
    typer.echo(f"every case's history is whole; the last of {cases:,} cases ends with {last or 'nothing'}")


def _verify_bundle(bundle: Path, engine: Engine | None) -> None:
    check = check_bundle(bundle, engine)
    for problem in check.problems:
        typer.echo(problem)
    if check.problems or check.manifest is None:
        raise WorkError(f"{len(check.problems)} things in {bundle} are not as they were written: it is no evidence")
    manifest = check.manifest
    typer.echo(
        f"the evidence of case {manifest.case_id} is whole; its {manifest.chain.events:,} events, with "
        f"{check.withheld:,} records withheld, end with {manifest.chain.last_sha256}; seal {manifest.seal}"
    )


COMMANDS = (evidence, verify)
