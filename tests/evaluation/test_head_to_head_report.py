from pathlib import Path

import pytest
from tests.evaluation.test_gates import GOOD

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.head_to_head_report import read_comparison, verdict_in_words, write_comparison


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_comparison(GOOD, tmp_path / "out")

    assert read_comparison(tmp_path / "out" / "comparison.json") == GOOD
    assert (tmp_path / "out" / "differences.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_says_the_verdict_and_what_changes_in_the_queue(tmp_path: Path) -> None:
    write_comparison(GOOD, tmp_path)
    text = (tmp_path / "comparison.html").read_text(encoding="utf-8")

    assert "new ranks better, and catches no fewer counterfeits at capacity" in text
    assert "<td>the 100 riskiest</td><td>100</td><td>100</td><td>20</td><td>15</td><td>20</td><td>3</td>" in text


def test_the_verdict_comes_with_the_difference_and_its_interval() -> None:
    assert "+0.100 [+0.090, +0.110]" in verdict_in_words(GOOD)


@pytest.mark.parametrize("content", [None, "no JSON", "{}", "[]", '{"metrics": 1}'])
def test_a_file_that_is_no_comparison_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "comparison.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match="is no comparison of two models"):
        read_comparison(path)
