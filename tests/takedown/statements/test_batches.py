"""Files of statements appear whole and valid, or not at all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from counterfeit_risk.errors import UsageError, WorkError
from counterfeit_risk.takedown.statements.batches import StatementError, write_batches
from counterfeit_risk.takedown.statements.statement import (
    Restriction,
    StatementSettings,
    StatementSource,
    draft_statement,
)
from counterfeit_risk.takedown.states import ActionKind

SETTINGS = StatementSettings()
TAKEN_DOWN = Restriction(
    queue_id=7,
    decision_id=11,
    listing_key="bazaar/l1",
    platform="bazaar",
    brand="Norvell",
    category="bag",
    kind=ActionKind.TAKE_DOWN,
    automated=False,
    flagged_by_model=False,
    source=StatementSource.NOTICE,
    notifier="Norvell SpA",
    language="it",
    listed_on=date(2026, 2, 1),
    applied_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    mark="EUIPO 018123456",
    listings=1,
)


def drafts(count: int) -> list[dict[str, object]]:
    return [draft_statement(replace(TAKEN_DOWN, decision_id=number), SETTINGS) for number in range(count)]


def read_batch(path: Path) -> list[dict[str, Any]]:
    [(key, statements)] = json.loads(path.read_text(encoding="utf-8")).items()
    assert key == "statements"
    return list(statements)


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
def test_batches_hold_every_statement_once_in_order(tmp_path: Path, count: int, sizes: list[int]) -> None:
    folder = tmp_path / "new" / "statements"
    payloads = drafts(count)

    assert write_batches(iter(payloads), folder) == count

    paths = sorted(folder.iterdir())
    assert [path.name for path in paths] == [f"statements-{number:04}.json" for number in range(1, len(sizes) + 1)]
    batches = [read_batch(path) for path in paths]
    assert [len(batch) for batch in batches] == sizes
    assert [statement for batch in batches for statement in batch] == payloads


def test_a_second_export_is_the_same_to_the_byte(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_batches(drafts(3), tmp_path / name)

    first, second = (tmp_path / name / "statements-0001.json" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_one_broken_statement_keeps_all_from_being_written(tmp_path: Path) -> None:
    payloads = drafts(250)
    payloads[205] |= {"decision_facts": "x" * 6203, "puid": "sor-broken"}

    with pytest.raises(StatementError, match="sor-broken is not valid: decision_facts: has 6,203") as error:
        write_batches(payloads, tmp_path)

    assert error.value.puid == "sor-broken"
    assert error.value.problems == ("decision_facts: has 6,203 characters, and 5,000 are allowed",)
    assert error.value.exit_status == 1
    assert list(tmp_path.iterdir()) == []


def test_a_statement_without_a_puid_is_refused_for_it(tmp_path: Path) -> None:
    [payload] = drafts(1)
    del payload["puid"]

    with pytest.raises(StatementError, match="puid: is required"):
        write_batches([payload], tmp_path)


def test_a_puid_stands_once_in_an_export(tmp_path: Path) -> None:
    payloads = drafts(150)

    with pytest.raises(StatementError, match="puid: another statement has it"):
        write_batches([*payloads, payloads[3]], tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_an_application_before_the_act_is_refused_when_written(tmp_path: Path) -> None:
    early = replace(TAKEN_DOWN, applied_at=datetime(2019, 5, 1, tzinfo=UTC))

    with pytest.raises(StatementError, match="application_date: must lie between 2020-01-01"):
        write_batches([draft_statement(early, SETTINGS)], tmp_path)


def test_a_reader_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, object]]:
        yield from drafts(150)
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError, match="the database is gone"):
        write_batches(broken(), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_get_its_name_takes_the_others_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file = Path.replace

    def full_at_the_second(self: Path, target: Path) -> Path:
        if target == tmp_path / "statements-0002.json":
            raise OSError(28, "No space left on device")
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", full_at_the_second)
    with pytest.raises(WorkError, match=r"cannot write statements to .*No space left"):
        write_batches(drafts(250), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(WorkError, match="cannot write statements to"):
        write_batches(drafts(1), tmp_path / "file" / "folder")


def test_statements_of_an_earlier_export_are_left_alone(tmp_path: Path) -> None:
    write_batches(drafts(1), tmp_path)
    before = (tmp_path / "statements-0001.json").read_bytes()

    with pytest.raises(UsageError, match=r"statements-0001\.json holds statements of an earlier export"):
        write_batches(drafts(2), tmp_path)

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]
