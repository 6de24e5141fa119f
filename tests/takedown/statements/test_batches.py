"""Files of statements appear whole and valid, or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterfeit_risk.errors import UsageError, WorkError
from counterfeit_risk.takedown.statements.batches import StatementError, write_batches


def drafts(count: int) -> list[dict[str, object]]:
    """Valid statements, each with a puid of its own."""
    said = {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
        "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
        "illegal_content_legal_ground": "Article 9 of Regulation (EU) 2017/1001",
        "illegal_content_explanation": "The goods do not come from the owner of the mark.",
        "content_type": ["CONTENT_TYPE_PRODUCT"],
        "category": "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
        "territorial_scope": ["DE", "FR"],
        "content_date": "2026-02-01",
        "application_date": "2026-03-01",
        "decision_facts": 'The listing offers goods of the brand "Né & Söhne".',
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "Yes",
        "automated_decision": "AUTOMATED_DECISION_PARTIALLY",
    }
    return [{**said, "puid": f"sor-{number}"} for number in range(count)]


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
    [payload] = drafts(1)

    with pytest.raises(StatementError, match="application_date: must lie between 2020-01-01"):
        write_batches([{**payload, "application_date": "2019-05-01"}], tmp_path)


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
