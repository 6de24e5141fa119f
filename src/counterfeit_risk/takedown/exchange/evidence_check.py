"""Checks a bundle of evidence that somebody hands over: is it what was written, and does it say what its events say.

All in it is foreign: no path that it names is opened, only what lies in the folder, and what is wrong becomes a
sentence. Without the queue it cannot tell whether a whole history was made up, and which row a withheld record is of.
"""

import hashlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError
from sqlalchemy import Engine, select

from counterfeit_risk.errors import UsageError
from counterfeit_risk.takedown.audit import ERASED, Record, broken_links
from counterfeit_risk.takedown.case import Event
from counterfeit_risk.takedown.complaints.particulars import describe_problems
from counterfeit_risk.takedown.database import reading
from counterfeit_risk.takedown.display import plain_text
from counterfeit_risk.takedown.exchange import evidence
from counterfeit_risk.takedown.exchange.evidence import CASE, EXPLANATION, MANIFEST, PHOTOS, SHA256, Chains, Manifest
from counterfeit_risk.takedown.replay import primary_key
from counterfeit_risk.takedown.schema import RECORDED
from counterfeit_risk.takedown.states import Move
from counterfeit_risk.takedown.tables import EventRow

_PHOTO = re.compile(rf"{PHOTOS}/({SHA256.pattern})(\.(jpg|png|gif|webp))?")
_LARGEST = 2**63 - 1
"""Number that a database holds."""
_LONGEST_NAME = 300
_MOST_PROBLEMS = 20
"""That are told of what one file says."""
_TABLES = frozenset(table.__tablename__ for table in RECORDED)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Of a snapshot's record, what is worked with."""

    snapshot_id: StrictInt
    listing_key: StrictStr
    photo_hashes: list[StrictStr]


@dataclass(frozen=True, slots=True)
class _Decision:
    """Of a decision's record, what is worked with."""

    verdict: StrictStr
    decided_at: StrictStr
    snapshot_ids: list[StrictInt]
    spared: list[StrictStr]


_MANIFEST = TypeAdapter(Manifest)
_EVENT = TypeAdapter(Event)
_KEYS = TypeAdapter(list[StrictInt | StrictStr])
_RECORDS: dict[str, TypeAdapter[Any]] = {"snapshots": TypeAdapter(_Snapshot), "decisions": TypeAdapter(_Decision)}
"""Of the tables whose columns are not only shown."""


@dataclass(slots=True)
class BundleCheck:
    """What was found."""

    problems: list[str] = field(default_factory=list)
    manifest: Manifest | None = None
    """None where it cannot be read."""
    withheld: int = 0
    """Records of which only the hash is there."""

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Says of a file what makes it unreadable."""
        try:
            yield
        except ValidationError as error:
            self.problems += [f"{name}: {one}" for one in describe_problems(error)[:_MOST_PROBLEMS]]
        except RecursionError:
            self.problems.append(f"{name}: is nested too deeply to be read")
        except (ValueError, OverflowError) as error:  # an OverflowError is a time that no calendar has
            self.problems.append(f"{name}: {error}")
        except OSError as error:
            self.problems.append(f"{name}: cannot be read: {error.strerror}")


def check_bundle(folder: Path, engine: Engine | None = None) -> BundleCheck:
    """Checks a bundle, and against the queue that it is from, where that is given.

    Raises:
        UsageError: if there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; `counterfeit-risk queue evidence` writes one")
    check = BundleCheck()
    with check.reading(MANIFEST):
        check.manifest = _read_manifest(folder)
    if check.problems:
        return check
    texts = _check_files(folder, check.manifest, check)
    chains = _read_chains(texts, check.manifest, check)
    if chains:
        with check.reading(CASE):
            case = evidence.derive_case(chains)
            check.problems += _compare_photos(case["photos"], check.manifest)
            if texts.get(CASE, text := evidence.render(case)) != text:
                raise ValueError("is not what the events tell")
        check.problems += _compare_with_queue(engine, chains) if engine else ()
    return check


def _read_manifest(folder: Path) -> Manifest:
    data = _read_file(folder / MANIFEST)
    value = json.loads(data)
    if isinstance(value, dict) and value.get("format", evidence.FORMAT) != evidence.FORMAT:
        raise ValueError(f"is of format {_show(str(value['format']))}, and this release reads {evidence.FORMAT}")
    manifest = _MANIFEST.validate_python(value)
    if evidence.render_manifest(evidence.seal(manifest)) != data:
        raise ValueError("was changed: it is not as its seal says")
    return manifest


def _read_file(path: Path) -> bytes:
    """Reads a regular file that is not too large; following no link, and waiting for no pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is no regular file")
        if status.st_size > evidence.MOST_BYTES:
            raise ValueError(f"has {status.st_size:,} bytes, and {evidence.MOST_BYTES:,} are allowed")
        return file.read(evidence.MOST_BYTES)


def _check_files(folder: Path, manifest: Manifest, check: BundleCheck) -> dict[str, bytes]:
    """Compares what lies in the folder with what the manifest lists; returns the texts that tell of the case."""
    listed = {file.name: file for file in manifest.files}
    if len(listed) < len(manifest.files):
        check.problems.append(f"{MANIFEST}: lists a file twice")
    wanted = {CASE, *(evidence.chain_name(end.case_id, manifest.case_id) for end in (manifest.chain, *manifest.merged))}
    homeless = [name for name in listed if name not in wanted and not _has_place(name)]
    check.problems += [f"{_show(name)}: has no place in a bundle" for name in homeless]
    texts, found = {}, set()
    for name, path in _walk(folder):
        found.add(name)
        if name not in listed:
            check.problems += [f"{_show(name)}: is not in the manifest"] if name != MANIFEST else []
            continue
        with check.reading(_show(name)):
            data = _read_file(path)
            sha256 = hashlib.sha256(data).hexdigest()
            if (len(data), sha256) != (listed[name].size, listed[name].sha256):
                raise ValueError("is not what the manifest says: its bytes differ")
            if (photo := _PHOTO.fullmatch(name)) and photo[1] != sha256:
                raise ValueError("a photo is named by the sha256 of its bytes, and this one is not")
            if name in wanted:
                texts[name] = data
    check.problems += [f"{_show(name)}: is missing" for name in sorted((listed.keys() | wanted) - found)]
    return texts


def _has_place(name: str) -> bool:
    """Whether a bundle may hold a photo or an explanation of this name."""
    is_explanation = name.startswith(f"{EXPLANATION}/") and ".." not in re.split(r"[/\\]", name)
    return is_explanation or _PHOTO.fullmatch(name) is not None


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """All that lies in a folder but folders, in order; a link to one counts as a file."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted([*files, *(one for one in folders if (Path(place) / one).is_symlink())]):
            path = Path(place) / name
            yield path.relative_to(folder).as_posix(), path


def _read_chains(texts: Mapping[str, bytes], manifest: Manifest, check: BundleCheck) -> Chains:
    """Reads and follows the history of each case; returns none unless all of them can be worked with."""
    ends = {end.case_id: end for end in (manifest.chain, *manifest.merged)}
    before = len(check.problems)
    if manifest.chain.case_id != manifest.case_id or len(ends) <= len(manifest.merged):
        check.problems.append(f"{MANIFEST}: the histories are not those of the case and of others")
    if not all(1 <= number <= _LARGEST for number in ends):
        check.problems.append(f"{MANIFEST}: no case has such a number")
    chains = {}
    for number, end in ends.items():
        name = evidence.chain_name(number, manifest.case_id)
        with check.reading(name):
            chains[number] = _read_events(texts[name], number) if name in texts else []
            problem, count, last = broken_links(chains[number])
            if problem or (count, last) != (end.events, end.last_sha256) or not count:
                raise ValueError(problem or f"ends with event {count}, and not as the manifest says")
    if len(check.problems) == before:
        check.problems += _compare_chains(chains)
    records = (record for events in chains.values() for event in events for record in event.rows)
    check.withheld = sum(ERASED in record for record in records)
    return chains if len(check.problems) == before else {}


def _read_events(text: bytes, case_id: int) -> Sequence[Event]:
    events = []
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        value = json.loads(line)
        event = _EVENT.validate_python({**value, "event_id": 0} if isinstance(value, dict) else value)
        if event.case_id != case_id or evidence.render_event(event) != line:
            raise ValueError(f"line {number} is not as a queue writes an event of case {case_id}")
        if problem := next(_find_problems(event), None):
            raise ValueError(f"line {number} {problem}")
        events.append(event)
    return events


def _find_problems(event: Event) -> Iterator[str]:
    """What keeps an event from being worked with; that it is what was written, the chain tells."""
    for record in event.rows:
        yield from _find_problems_of(record)
    whole = [record for record in event.rows if ERASED not in record]
    if not any((record["table"], record.get("case_id")) == ("cases", event.case_id) for record in whole):
        yield "does not tell of its case"
    if event.move is Move.DECIDED and not any(record["table"] == "decisions" for record in whole):
        yield "does not tell of its decision"
    if "merged" in event.detail and type(event.detail["merged"]) is not int:
        yield "names no case that went into this one"


def _find_problems_of(record: Record) -> Iterator[str]:
    table = str(record.get("table"))
    if table not in _TABLES:
        yield f"tells of {_show(table)}, which is no table"
        return
    keys = primary_key(table)
    _KEYS.validate_python([record.get(key) for key in keys])
    if ERASED in record and record.keys() != {"table", ERASED, *keys}:
        yield f"tells more of {table} than is left of what was erased"
    if ERASED not in record and table in evidence.WITHHELD:
        yield f"tells of {table}, which are withheld"
    if ERASED not in record and table in _RECORDS:
        _RECORDS[table].validate_python(record)


def _compare_chains(chains: Chains) -> Iterator[str]:
    """Compares what histories tell of each other."""
    _, *others = chains
    if sorted(number for events in chains.values() for number in evidence.cases_merged(events)) != others:
        yield f"{MANIFEST}: the events tell that other cases went into this one"
    for (table, *key), record in evidence.last_told(chains).items():
        if ERASED in record and table not in evidence.WITHHELD:
            yield f"{evidence.EVENTS}: of {table} {key[0]} no event tells what is left"


def _compare_photos(shown: Sequence[str], manifest: Manifest) -> Iterator[str]:
    matches = (_PHOTO.fullmatch(file.name) for file in manifest.files)
    listed = Counter([*(match[1] for match in matches if match), *manifest.missing_photos])
    for key in (key for key in shown if listed[key] != 1):
        yield f"photo {_show(key)}: is {'listed twice' if listed[key] else 'not listed, as there or as missing'}"
    for key in listed.keys() - set(shown):
        yield f"photo {_show(key)}: no listing of the case shows it"


def _compare_with_queue(engine: Engine, chains: Chains) -> Iterator[str]:
    """Compares histories with those that a queue holds, up to the event that they end with."""
    with reading(engine) as session:
        for case_id, events in chains.items():
            history = select(EventRow).where(EventRow.case_id == case_id, EventRow.number <= events[-1].number)
            kept = session.scalars(history.order_by(EventRow.number)).all()
            problem, _, last = broken_links(kept)
            if problem or last != events[-1].sha256:
                ends = problem or f"it is {last or 'not there'}"
                yield f"case {case_id}: event {events[-1].number} is {events[-1].sha256}, and in the queue {ends}"
                continue
            records = (zip(event.rows, row.rows, strict=True) for event, row in zip(events, kept, strict=True))
            if not all(_says_the_same(told, evidence.withhold(row)) for pairs in records for told, row in pairs):
                yield f"case {case_id}: withholds what the queue does not, or says that it is of something else"


def _says_the_same(told: Record, kept: Record) -> bool:
    """Whether a record is as the queue has it; what was erased there since is only known by name."""
    return told == kept or (ERASED in kept and all(told.get(name) == kept[name] for name in kept if name != ERASED))


def _show(text: str) -> str:
    """Foreign text that names something, as a terminal can show it."""
    return plain_text(text[:_LONGEST_NAME]).plain
