"""Writes what a brand or an authority receives of one case: its history, what that says, photos, explanations.

What `case.json` says is derived from the events alone, so that whoever holds the bundle can derive it again. Who
complained, what they were told and why somebody appealed is withheld; the chain of hashes can be followed all the same.
Knows no model: how an explanation was made is not its concern. How a bundle is checked, `evidence_check` knows.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import QueueError, UnknownCaseError, UsageError, WorkError
from counterfeit_risk.listings.images import UnreadableImageError, decode_image
from counterfeit_risk.takedown.audit import ERASED, Record, broken_links, erase_record
from counterfeit_risk.takedown.case import Event
from counterfeit_risk.takedown.complaints.tables import AppealOutcome
from counterfeit_risk.takedown.database import reading
from counterfeit_risk.takedown.exchange.whole_folder import whole_folder
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.replay import primary_key
from counterfeit_risk.takedown.states import Lane, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, EventRow

FORMAT = 1
CASE, EVENTS, MANIFEST = "case.json", "events.jsonl", "manifest.json"
PHOTOS, EXPLANATION, MERGED = "photos", "explanation", "merged"
MOST_BYTES = 2**28
"""Of one file of a bundle."""
SHA256 = re.compile("[0-9a-f]{64}")
WITHHELD = frozenset({"notices", "messages", "appeals"})
_SIGNATURES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n": ".png", b"GIF8": ".gif", b"RIFF": ".webp"}
"""How the formats begin that are decoded."""
_TOLD = ("snapshots", "decisions", "actions", "statements", "labels", "brand_labels")
"""Tables that `case.json` tells of, beside the case's own."""
_LEFT_OUT = {"table", "image_root", "token", "seller_text", "harm", "known_answer", "leased_by", "lease_expires_at"}
"""Columns that it does not: what only the queue works by, and letters to sellers."""


Chains = Mapping[int, Sequence[Event]]
"""By number the histories of a case, which comes first, and of those that went into it, without what is withheld."""


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """Where a case's history ends."""

    case_id: int
    events: int
    last_sha256: str


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A file of a bundle; its name is its path there, with slashes, and its size is in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle holds."""

    format: int
    case_id: int
    made_at: datetime
    chain: ChainEnd
    merged: list[ChainEnd]
    """Of the cases that went into this one, by number: some of its listings are told of there."""
    missing_photos: list[str]
    """Hashes of photos that were judged and are not kept any longer, or never were."""
    files: list[BundledFile]
    """All but the manifest."""
    seal: str = ""
    """sha256 over all of the above, as the manifest's text has it with an empty seal, in hex."""


def write_evidence(
    engine: Engine,
    case_id: int,
    out: Path,
    *,
    archive: PhotoArchive | None,
    explanations: Iterable[Path],
    now: datetime,
) -> Manifest:
    """Writes the folder `out` with what the queue holds of a case at one moment; whole, or not at all.

    Without an archive all photos are missing; `explanations` are files, and folders of files, to copy.

    Raises:
        QueueError: if there is no such case, or nothing follows from it, as its answer was known before.
        UsageError: if `out` is there already, or an explanation cannot be copied.
        WorkError: if the case's history is damaged, or the folder cannot be written.
    """
    copies = _find_explanations(explanations)
    with reading(engine) as session:
        chains = _read_chains(session, case_id)
    case = derive_case(chains)
    with whole_folder(out, "evidence") as folder:
        texts = {chain_name(one, case_id): b"".join(map(render_event, events)) for one, events in chains.items()}
        files = [_write(folder, name, text) for name, text in ({CASE: render(case)} | texts).items()]
        missing = []
        for key in case["photos"]:
            if (data := archive.read(key) if archive and SHA256.fullmatch(key) else None) is None:
                missing.append(key)
            else:
                files.append(_write(folder, f"{PHOTOS}/{key}{_suffix(data)}", data))
        files += [_write(folder, name, path.read_bytes()) for name, path in copies]
        ends = [ChainEnd(one, len(events), events[-1].sha256) for one, events in chains.items()]
        manifest = seal(Manifest(FORMAT, case_id, now.astimezone(UTC), ends[0], ends[1:], missing, files))
        _write(folder, MANIFEST, render_manifest(manifest))
    return manifest


def withhold(record: Record) -> Record:
    """A record as it goes out: of a table that is withheld, its key and its hash."""
    if ERASED in record or record["table"] not in WITHHELD:
        return record
    return erase_record(record, primary_key(record["table"]))


def derive_case(chains: Chains) -> Record:
    """What the histories of a case, and of those that went into it, say: each row as it was last told of."""
    case_id, *merged = chains
    rows = last_told(chains)
    told = {name: [_shown(row) for row in rows.values() if _is_whole(row, name)] for name in _TOLD}
    told["appeals"] = list(
        _derive_appeals(chains, {one["snapshot_id"]: one["listing_key"] for one in told["snapshots"]})
    )
    photos = dict.fromkeys(key for snapshot in told["snapshots"] for key in snapshot["photo_hashes"])
    return {"case": _shown(rows["cases", case_id]) | {"merged": merged}, **told, "photos": list(photos)}


def last_told(chains: Chains) -> dict[tuple[Any, ...], Record]:
    """Each row that histories tell of, as it was last told, by its table and its primary key."""
    records = (record for events in chains.values() for event in events for record in event.rows)
    return {(one["table"], *(one[column] for column in primary_key(one["table"]))): one for one in records}


def cases_merged(events: Iterable[Event]) -> list[int]:
    """Numbers of the cases that went into one, by its events."""
    return [event.detail["merged"] for event in events if event.move is Move.JOINED and "merged" in event.detail]


def chain_name(number: int, case_id: int) -> str:
    """The file in a case's bundle in which the history of one number stands."""
    return EVENTS if number == case_id else f"{MERGED}/{number}.jsonl"


def render(value: Any) -> bytes:
    """JSON for people, too."""
    return f"{json.dumps(value, ensure_ascii=False, indent=1)}\n".encode()


def render_manifest(manifest: Manifest) -> bytes:
    """A manifest's text."""
    return render(asdict(manifest) | {"made_at": manifest.made_at.isoformat()})


def seal(manifest: Manifest) -> Manifest:
    """A manifest with its seal."""
    return replace(manifest, seal=hashlib.sha256(render_manifest(replace(manifest, seal=""))).hexdigest())


def render_event(event: Event) -> bytes:
    """An event's line: all that its hash is over, and the hash."""
    record = asdict(event) | {"at": event.at.astimezone(UTC).isoformat()}
    del record["event_id"]  # where it stands in one database
    return f"{json.dumps(record, ensure_ascii=False)}\n".encode()


def _read_chains(session: Session, case_id: int) -> Chains:
    case = session.get(CaseRow, case_id)
    if case is None:
        raise UnknownCaseError(case_id)
    if case.lane is Lane.KNOWN_ANSWER:
        raise QueueError(f"case {case_id} is about no listing that is on sale: there is no evidence to give")
    found: dict[int, Sequence[Event]] = {}
    wanted = [case_id]
    while wanted:
        number = wanted.pop()
        found[number] = _read_chain(session, number)
        wanted += [one for one in cases_merged(found[number]) if one not in found]
    return {case_id: found.pop(case_id)} | dict(sorted(found.items()))


def _read_chain(session: Session, case_id: int) -> Sequence[Event]:
    history = select(EventRow).where(EventRow.case_id == case_id).order_by(EventRow.number)
    told = map(EventRow.to_event, session.scalars(history))
    events = [replace(event, rows=[withhold(record) for record in event.rows]) for event in told]
    problem, number, last = broken_links(events)
    end = session.execute(select(CaseRow.event_count, CaseRow.last_sha256).where(CaseRow.case_id == case_id)).all()
    if problem or end != [(number, last)]:
        problem = problem or "its last event is not the one that it had"
        raise WorkError(f"case {case_id}: {problem}; its history is no evidence, see `counterfeit-risk queue verify`")
    return events


def _derive_appeals(chains: Chains, listing_keys: Mapping[int, str]) -> Iterator[Record]:
    """Appeals and their outcome, by the verdicts before and after: their own records are withheld."""
    later: dict[int, Sequence[Event]] = {}
    for case_id, own in chains.items():  # the older one of two that were merged comes first, and goes on with both
        line = [*own, *later.get(case_id, ())]
        later |= {merged: line[place:] for place, event in enumerate(own) for merged in cases_merged([event])}
        standing: list[Event] = []
        for event in line:
            if event.move is Move.UNDONE:
                del standing[-1:]  # the decision that was taken back
            elif event.move in {Move.APPEALED, Move.DECIDED, Move.GONE}:
                standing.append(event)
        for before, event, after in zip([None, *standing], standing, [*standing[1:], None], strict=False):
            if event.move is Move.APPEALED and event.case_id == case_id:
                yield _derive_appeal(before, event, after, listing_keys)


def _derive_appeal(before: Event | None, appeal: Event, after: Event | None, keys: Mapping[int, str]) -> Record:
    rows = [
        next((row for row in one.rows if _is_whole(row, "decisions")), {}) if one else {} for one in (before, after)
    ]
    old, new = (_verdict_on(decision, appeal.detail.get("listing"), keys) for decision in rows)
    outcome = AppealOutcome.UPHELD if new in {old, None} else AppealOutcome.OVERTURNED
    return {
        "case_id": appeal.case_id,
        "decision_id": rows[0].get("decision_id"),
        **{name: appeal.detail.get(name) for name in ("listing", "by")},
        "filed_at": appeal.at.isoformat(),
        "outcome": (AppealOutcome.MOOT if after.move is Move.GONE else outcome) if after else None,
        "decided_at": after and after.at.isoformat(),
    }


def _verdict_on(decision: Record, listing: object, listing_keys: Mapping[int, str]) -> str | None:
    if listing not in [listing_keys.get(one) for one in decision.get("snapshot_ids", ())]:
        return None
    return Verdict.GENUINE if listing in decision["spared"] else str(decision["verdict"])


def _shown(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in _LEFT_OUT}


def _is_whole(record: Record, table: str) -> bool:
    return record["table"] == table and ERASED not in record


def _suffix(data: bytes) -> str:
    """How a photo's name ends; nothing where it cannot be decoded."""
    with suppress(UnreadableImageError):
        decode_image(data, smallest_side=1)
        return next((suffix for start, suffix in _SIGNATURES.items() if data.startswith(start)), "")
    return ""


def _find_explanations(paths: Iterable[Path]) -> Iterable[tuple[str, Path]]:
    """Files to copy, each with its name in the bundle."""
    found: dict[str, tuple[str, Path]] = {}
    for root in paths:
        is_folder = root.is_dir()
        for path in sorted(path for path in root.rglob("*") if path.is_file()) if is_folder else [root]:
            name = f"{EXPLANATION}/{path.relative_to(root if is_folder else root.parent).as_posix()}"
            if not path.is_file() or path.stat().st_size > MOST_BYTES or not name.isprintable() or "\\" in name:
                message = f"is no file, has more than {MOST_BYTES:,} bytes, or no name that every system takes"
                raise UsageError(f"{str(path)!r} cannot be copied: it {message}")
            if found.setdefault(name.casefold(), (name, path)) != (name, path):  # some systems take A for a
                raise UsageError(f"{found[name.casefold()][1]} and {path} would have one name in the bundle")
    return found.values()


def _write(folder: Path, name: str, data: bytes) -> BundledFile:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return BundledFile(name, hashlib.sha256(data).hexdigest(), len(data))
