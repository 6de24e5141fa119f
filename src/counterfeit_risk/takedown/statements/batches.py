"""Writes statements of reasons as the EU Transparency Database takes them: JSON, at most 100 in a file.

Knows no network: somebody sends the files. The database refuses all of a file for one statement that is wrong.
"""

import itertools
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from counterfeit_risk.errors import UsageError, WorkError
from counterfeit_risk.listings.seen_ids import SeenIds
from counterfeit_risk.scoring.writer import write_text_atomically
from counterfeit_risk.takedown.complaints.particulars import shorten
from counterfeit_risk.takedown.statements.rules import find_problems

MOST_STATEMENTS = 100
"""That the database takes at once."""

Payload = Mapping[str, Any]


class StatementError(WorkError):
    """A statement that the database would refuse; nothing was written."""

    def __init__(self, puid: str, problems: Sequence[str]) -> None:
        self.puid, self.problems = puid, tuple(problems)
        super().__init__(f"statement {shorten(puid)} is not valid: {'; '.join(problems)}")


def write_batches(payloads: Iterable[Payload], folder: Path) -> int:
    """Writes files of at most 100 statements each, `statements-0001.json` and so on; returns how many statements.

    All are checked before the first file gets its name, and each file appears whole or not at all.

    Raises:
        StatementError: if one is not valid, or has another's puid; no file is left then.
        UsageError: if the folder holds statements already: they may not have been sent.
        WorkError: if a file cannot be written; no file is left then.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if earlier := next(folder.glob("statements-*.json"), None):
            raise UsageError(f"{earlier} holds statements of an earlier export; name another folder, or move them away")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".statements-") as staging:
            written = _write_files(_checked(payloads), Path(staging))
            _move_files(Path(staging), folder)
    except OSError as error:
        raise WorkError(f"cannot write statements to {folder}: {error}") from None
    return written


def _checked(payloads: Iterable[Payload]) -> Iterator[Payload]:
    seen = SeenIds()
    for payload in payloads:
        puid = str(payload.get("puid", "without a puid"))
        if problems := find_problems(payload) or ([] if seen.add(puid) else ["puid: another statement has it"]):
            raise StatementError(puid, problems)
        yield payload


def _write_files(payloads: Iterator[Payload], folder: Path) -> int:
    written = 0
    while batch := list(itertools.islice(payloads, MOST_STATEMENTS)):
        number = written // MOST_STATEMENTS + 1
        text = json.dumps({"statements": batch}, ensure_ascii=False, indent=1)
        write_text_atomically(f"{text}\n", folder / f"statements-{number:04}.json")
        written += len(batch)
    return written


def _move_files(source: Path, folder: Path) -> None:
    names = sorted(path.name for path in source.iterdir())
    try:
        for name in names:
            (source / name).replace(folder / name)
    except OSError:
        for name in names:
            (folder / name).unlink(missing_ok=True)
        raise
