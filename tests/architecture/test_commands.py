"""Every command says what it does, and every option what it changes."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from counterfeit_risk.cli.main import app


def commands(command: Any, name: str = "counterfeit-risk") -> Iterator[tuple[str, Any]]:
    yield name, command
    for child_name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{name} {child_name}")


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_stage_has_its_command() -> None:
    stages = {"market", "train", "evaluate", "export", "score", "explain", "demo", "queue"}

    assert {f"counterfeit-risk {stage}" for stage in stages} <= COMMANDS.keys()
    assert "counterfeit-risk queue decide" in COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help(name: str) -> None:
    assert (COMMANDS[name].help or "").strip().endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_argument_has_help(name: str) -> None:
    silent = [parameter.name for parameter in COMMANDS[name].params if not (parameter.help or "").strip()]

    assert silent == []
