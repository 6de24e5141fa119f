import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from counterfeit_risk.cli.demo import DemoPaths
from counterfeit_risk.cli.main import app
from counterfeit_risk.errors import ListingTableError, UsageError
from counterfeit_risk.listings.catalog import read_labeled_listings, write_labeled_listings
from counterfeit_risk.listings.images import read_photo
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing, Photo

Run = Callable[..., str]

JANUARY, JUNE = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 6))


@pytest.fixture
def run() -> Run:
    """Runs `labels` and returns what it prints."""

    def run_labels(*arguments: object) -> str:
        done = CliRunner().invoke(app, ["labels", *map(str, arguments)], env={"COLUMNS": "500"})
        if done.exception:
            raise done.exception
        return done.stdout

    return run_labels


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    """Three genuine listings, imported in January, each with a photo that is there."""
    folder = tmp_path / "imported"
    return write_table(folder / "labeled.csv", *(labeled(f"L{number}", Label.GENUINE) for number in range(3)))


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    """Two counterfeits, reviewed in June: one of the imported listings, and a new one."""
    rows = [labeled(listing_id, Label.COUNTERFEIT, "review", JUNE) for listing_id in ("L1", "N1")]
    return write_table(tmp_path / "queue" / "labels.csv", *rows)


def labeled(
    listing_id: str, label: Label, source: str | None = None, labelled_at: datetime | None = JANUARY
) -> LabeledListing:
    return LabeledListing(Listing(listing_id, "bag", (Photo(f"images/{listing_id}.jpg"),)), label, source, labelled_at)


def write_table(table: Path, *rows: LabeledListing) -> Path:
    (table.parent / "images").mkdir(parents=True, exist_ok=True)
    for row in rows:
        (table.parent / "images" / f"{row.listing.listing_id}.jpg").write_bytes(b"photo")
    write_labeled_listings(table, rows)
    return table


def add_line(table: Path, line: str) -> None:
    with table.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def rows_of(table: Path) -> dict[str, LabeledListing]:
    rows = list(read_labeled_listings(table))
    assert all(isinstance(row, LabeledListing) for row in rows)
    return {row.listing.listing_id: row for row in rows if isinstance(row, LabeledListing)}


def photos_are_found(table: Path, image_root: Path) -> bool:
    return all(read_photo(photo, image_root) for row in rows_of(table).values() for photo in row.listing.photos)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_tables_become_one(run: Run, imported: Path, reviewed: Path, tmp_path: Path, suffix: str) -> None:
    merged = tmp_path / f"merged{suffix}"

    run(imported, reviewed, "--out", merged)

    labels = {listing_id: row.label for listing_id, row in rows_of(merged).items()}
    assert labels == {"L0": "genuine", "L1": "counterfeit", "L2": "genuine", "N1": "counterfeit"}


def test_photos_are_found_beside_the_merged_table(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    printed = run(imported, reviewed, "--out", tmp_path / "merged.csv")

    assert rows_of(tmp_path / "merged.csv")["N1"].listing.photos == (Photo("queue/images/N1.jpg"),)
    assert photos_are_found(tmp_path / "merged.csv", tmp_path)
    assert "no file" not in printed
    assert "image_root" not in printed


def test_where_photos_do_not_lie_beside_it_their_folder_is_named(
    run: Run, imported: Path, reviewed: Path, tmp_path: Path
) -> None:
    merged = tmp_path / "merged" / "merged.csv"
    merged.parent.mkdir()

    printed = run(imported, reviewed, "--out", merged)

    assert f"train with --set data.image_root={tmp_path}" in printed
    assert photos_are_found(merged, tmp_path)


def test_each_table_may_have_its_own_image_root(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    elsewhere = reviewed.rename(tmp_path / "labels.csv")
    merged = tmp_path / "merged.csv"

    run(imported, elsewhere, "--image-root", imported.parent, "--image-root", reviewed.parent, "--out", merged)

    assert photos_are_found(merged, tmp_path)


def test_photos_without_a_file_are_counted(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    (reviewed.parent / "images" / "N1.jpg").unlink()

    printed = run(imported, reviewed, "--out", tmp_path / "merged.csv")

    assert f"{reviewed}: no file for 1 photos, images/N1.jpg for one" in printed
    assert rows_of(tmp_path / "merged.csv")["N1"].listing.photos == (Photo("queue/images/N1.jpg"),)


@pytest.mark.parametrize("path", ["../queue/images/N1.jpg", "/etc/hostname"])
def test_a_photo_that_leaves_its_root_is_not_reached_under_a_wider_one(
    run: Run, imported: Path, reviewed: Path, tmp_path: Path, path: str
) -> None:
    write_labeled_listings(imported, [LabeledListing(Listing("L0", "bag", (Photo(path),)), Label.GENUINE)])

    printed = run(imported, reviewed, "--out", tmp_path / "merged.csv")

    assert rows_of(tmp_path / "merged.csv")["L0"].listing.photos == ()
    assert f"{imported}: no file for 1 photos, {path} for one" in printed


def test_bytes_of_photos_stay_as_they_are(run: Run, tmp_path: Path) -> None:
    photo = Photo("a.jpg", b"photo")
    table = write_table(
        tmp_path / "in" / "labeled.parquet", LabeledListing(Listing("L0", "bag", (photo,)), Label.GENUINE)
    )

    printed = run(table, "--out", tmp_path / "merged.parquet")

    assert rows_of(tmp_path / "merged.parquet")["L0"].listing.photos == (photo,)
    assert "no file" not in printed


def test_each_table_is_accounted_for(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    printed = run(imported, reviewed, "--out", tmp_path / "merged.csv").splitlines()

    cells = [line.split() for line in printed]
    assert ["table", "rows", "rejected", "kept", "overridden"] in cells
    assert [str(imported), "3", "0", "2", "1"] in cells
    assert [str(reviewed), "2", "0", "2", "0"] in cells
    assert printed[-1].startswith(f"4 labelled listings in {tmp_path / 'merged.csv'}, 2 of them counterfeit")


def test_labels_of_later_are_left_out(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    printed = run(imported, reviewed, "--out", tmp_path / "merged.csv", "--as-of", "2025-05-31")

    assert set(rows_of(tmp_path / "merged.csv")) == {"L0", "L1", "L2"}
    assert "as of 2025-05-31 00:00 UTC" in printed
    assert "not yet known" in printed


def test_rejected_rows_are_named_with_their_reason(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    add_line(imported, "L9,bag,,,,,,,,,,perhaps,,,,")

    printed = run(imported, reviewed, "--out", tmp_path / "merged.csv")

    (line,) = (line for line in printed.splitlines() if "unknown_label" in line)
    assert line.split()[:3] == [str(imported), "4", "unknown_label"]
    assert "the label is 'perhaps'" in line


def test_values_that_cannot_be_read_are_counted(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    add_line(imported, "L9,bag,,,,,,,,cheap,,genuine,,someday,,")

    printed = run(imported, reviewed, "--out", tmp_path / "merged.csv")

    assert f"{imported}: values that cannot be read count as absent: labelled_at 1, price 1" in printed


def test_disagreements_are_printed(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    printed = run(imported, reviewed, "--out", tmp_path / "merged.csv")

    assert printed.splitlines()[-1].endswith("labels of 1 disagree")
    (line,) = (line for line in printed.splitlines() if line.strip().startswith("L1 "))
    assert "counterfeit (review, 2025-06-01 00:00)" in line
    assert "genuine (no source, 2025-01-01 00:00)" in line


def test_ten_disagreements_are_printed_and_the_others_counted(run: Run, tmp_path: Path) -> None:
    tables = [
        write_table(tmp_path / name / "labels.csv", *(labeled(f"L{number}", label) for number in range(12)))
        for name, label in (("one", Label.GENUINE), ("other", Label.COUNTERFEIT))
    ]

    printed = run(*tables, "--out", tmp_path / "merged.csv")

    assert sum(line.strip().startswith("L") for line in printed.splitlines()) - 1 == 10
    assert "and 2 more" in printed


def test_all_claims_are_written(run: Run, imported: Path, reviewed: Path, tmp_path: Path) -> None:
    run(imported, reviewed, "--out", tmp_path / "merged.csv", "--disagreements", tmp_path / "claims.csv")

    with (tmp_path / "claims.csv").open(encoding="utf-8", newline="") as file:
        claims = list(csv.reader(file))
    assert claims == [
        ["listing_id", "holds", "label", "label_source", "labelled_at", "table"],
        ["L1", "yes", "counterfeit", "review", "2025-06-01T00:00:00+00:00", str(reviewed)],
        ["L1", "no", "genuine", "", "2025-01-01T00:00:00+00:00", str(imported)],
    ]


def test_text_from_a_table_steers_no_terminal(run: Run, tmp_path: Path) -> None:
    rows = [labeled("[bold]\x1b[31mL0", label) for label in Label]
    tables = [tmp_path / "one.csv", tmp_path / "other.csv"]
    for table, row in zip(tables, rows, strict=True):
        write_labeled_listings(table, [row])

    printed = run(*tables, "--out", tmp_path / "merged.csv")

    assert "[bold]\ufffd[31mL0" in printed
    assert "\x1b" not in printed


def test_one_table_of_a_foreign_dump_is_renamed(run: Run, tmp_path: Path) -> None:
    dump, columns = tmp_path / "dump.csv", tmp_path / "map.yaml"
    dump.write_text("item,name,picture,verdict\n7,bag,a.jpg,1\n", encoding="utf-8")
    columns.write_text(
        "columns: {listing_id: item, title: name, image_path: picture, label: verdict}\nlabels: {1: counterfeit}\n",
        encoding="utf-8",
    )

    run(dump, "--out", tmp_path / "ours.csv", "--column-map", columns)

    expected = LabeledListing(Listing("7", "bag", (Photo("a.jpg"),)), Label.COUNTERFEIT)
    assert rows_of(tmp_path / "ours.csv") == {"7": expected}


def test_nothing_is_written_where_nothing_is_left(run: Run, reviewed: Path, tmp_path: Path) -> None:
    with pytest.raises(ListingTableError, match="no labelled listing is left"):
        run(reviewed, "--out", tmp_path / "merged.csv", "--as-of", "2020-01-01")

    assert not (tmp_path / "merged.csv").exists()


@pytest.mark.parametrize("option", ["--out", "--disagreements"])
def test_no_table_is_written_over_itself(run: Run, imported: Path, reviewed: Path, tmp_path: Path, option: str) -> None:
    before = imported.read_bytes()
    options = {"--out": tmp_path / "merged.csv"} | {option: imported.parent / ".." / "imported" / "labeled.csv"}

    with pytest.raises(UsageError, match="one of the tables to merge"):
        run(imported, reviewed, *(word for pair in options.items() for word in pair))

    assert imported.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["{imported}"], "the same table is named more than once"),
        (["--as-of", "yesterday"], "'yesterday' is no time"),
        (["--as-of", ""], "'' is no time"),
        (["--image-root", "{root}"] * 3, "3 --image-root for 2 tables"),
        (["--disagreements", "{root}/claims.xlsx"], "ends in .csv"),
        (["--disagreements", "{root}/merged.csv"], "--out and --disagreements both name"),
        (["--disagreements", "{root}/nowhere/claims.csv"], "there is no folder"),
    ],
)
def test_a_mistake_is_named_before_anything_is_read(
    run: Run, imported: Path, reviewed: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    reviewed.unlink()
    words = [word.format(imported=imported, root=tmp_path) for word in options]

    with pytest.raises(UsageError, match=message):
        run(imported, reviewed, "--out", tmp_path / "merged.csv", *words)


def test_a_table_that_is_not_there_is_named(run: Run, imported: Path, tmp_path: Path) -> None:
    with pytest.raises(ListingTableError, match=r"there is no file .*labels\.csv"):
        run(imported, tmp_path / "labels.csv", "--out", tmp_path / "merged.csv")


def test_what_the_queue_writes_merges_with_what_the_model_learned_from(
    run: Run, tiny_demo: Path, tmp_path: Path
) -> None:
    paths = DemoPaths(tiny_demo)
    learned_from = paths.market / "labeled.parquet"
    merged = tmp_path / "merged.parquet"

    run(learned_from, paths.labels, "--image-root", paths.market, "--out", merged)

    rows = rows_of(merged)
    assert rows.keys() == rows_of(learned_from).keys() | rows_of(paths.labels).keys()
    assert sum(row.label_source == "review" for row in rows.values()) == len(rows_of(paths.labels)) == 3
    assert photos_are_found(merged, paths.market)
