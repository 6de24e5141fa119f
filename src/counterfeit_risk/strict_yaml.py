"""Reads YAML without its traps: `1e-5` is a number, and a key that stands twice is a mistake.

Knows no setting.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from counterfeit_risk.errors import SettingsError


def read_yaml(path: Path) -> dict[str, Any]:
    """Reads a YAML mapping in which no key stands twice.

    Raises:
        SettingsError: with every mistake found.
    """
    values, problems = read_strictly(path)
    if problems:
        raise SettingsError(str(path), problems)
    return values


class _Loader(yaml.SafeLoader):
    """YAML without two of its traps: `1e-5` is a number, and a key that stands twice is a mistake."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.problems: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if str(key) in seen:
                self.problems.append(f"line {line}: key {key!r} stands twice, first on line {seen[str(key)]}")
            seen.setdefault(str(key), line)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+"),
    list("-+.0123456789"),
)


def read_strictly(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The mapping in a file, and the mistakes that did not keep it from being read.

    Raises:
        SettingsError: if there is no mapping to read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(str(path), ["there is no such file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [f"cannot be read: {error}"]) from None
    try:
        values, problems = parse_strictly(text)
    except yaml.YAMLError as error:
        raise SettingsError(str(path), [f"is not YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(values, dict):
        raise SettingsError(str(path), [f"must be a mapping of sections, not {kind_of(values)}"])
    return values, problems


def parse_strictly(text: str) -> tuple[Any, list[str]]:
    """The value that a text stands for, and the keys in it that stand twice.

    Raises:
        yaml.YAMLError: if it is not YAML.
    """
    try:
        loader = _Loader(text)
        return loader.get_single_data(), loader.problems
    except (AttributeError, KeyError, RecursionError, ValueError) as error:
        # what int(), datetime() and their like raise goes through PyYAML as it is: 2024-13-45 looks like a date
        raise yaml.YAMLError(f"a value cannot be read: {error}") from None


def kind_of(value: object) -> str:
    """A value in words, for a message that says what stands where a mapping belongs."""
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else f"the value {value!r}"
