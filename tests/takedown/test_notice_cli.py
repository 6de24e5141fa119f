import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from counterfeit_risk.cli.notice import app
from counterfeit_risk.errors import UsageError, WorkError

Run = Callable[..., str]

NOTICE = {
    "notice_id": "n1",
    "notifier": {"notifier_id": "h1", "name": "Norvell SA", "email": "ip@norvell.example", "kind": "authority"},
    "received_at": "2026-03-01T12:00:00Z",
    "brand": "Norvell",
    "right": "trademark",
    "explanation": "The clasp and the stitching are not ours.",
    "good_faith": True,
    "items": [{"platform": "bazaar", "listing_id": "L1", "url": "https://bazaar.example/L1"}],
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run_command(*arguments: object) -> str:
        environment = {"COUNTERFEIT_RISK_DB": f"sqlite:///{tmp_path / 'takedown.db'}"}
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)
        if result.exception:
            raise result.exception
        return result.stdout

    return run_command


@pytest.fixture
def notices(tmp_path: Path) -> Path:
    path = tmp_path / "notices.jsonl"
    path.write_text(json.dumps(NOTICE) + "\n")
    return path


def test_notices_are_taken_in_and_answered(run: Run, notices: Path) -> None:
    assert run("load", notices).splitlines() == [
        "1 notices taken in, 0 already known, 0 refused",
        "1 listings: more_information",
    ]
    assert run("load", notices).startswith("0 notices taken in, 1 already known")
    first, second = (json.loads(line) for line in run("messages", "--json").splitlines())
    assert (first["sequence"], second["sequence"], first["email"]) == (1, 2, "ip@norvell.example")
    assert "Dear Norvell SA" in run("messages", "--after", 1)


def test_an_incomplete_notice_is_named_and_costs_itself_alone(run: Run, notices: Path) -> None:
    broken = NOTICE | {"notice_id": "n2", "good_faith": False}
    notices.write_text(json.dumps(NOTICE) + "\n" + json.dumps(broken) + "\n")
    with pytest.raises(WorkError, match=r"1 notices of .* are not complete; the others were taken in"):
        run("load", notices)
    assert len(run("messages", "--json").splitlines()) == 2


def test_scores_come_with_their_listings(run: Run, notices: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="go together"):
        run("load", notices, "--scores", tmp_path)
