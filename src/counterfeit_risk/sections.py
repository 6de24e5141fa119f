"""Frozen groups of settings, checked as a whole, with every mistake said in words.

Knows no setting and no file.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from counterfeit_risk.errors import SettingsError
from counterfeit_risk.strict_yaml import kind_of

SectionT = TypeVar("SectionT", bound="Section")


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def validated(
    section: type[SectionT],
    values: Mapping[str, Any],
    problems: Sequence[str] = (),
    *,
    source: str,
    context: Mapping[str, Any] | None = None,
) -> SectionT:
    """The values as settings.

    Args:
        section: the kind of settings.
        values: what a file holds.
        problems: mistakes found before.
        source: the file's name, for the message.
        context: what the validators need to know.

    Raises:
        SettingsError: with every mistake found.
    """
    mistakes = list(problems)
    try:
        settings = section.model_validate(values, context=context)
    except ValidationError as error:
        mistakes += [_describe(detail, section) for detail in error.errors()]
    if mistakes:
        raise SettingsError(source, mistakes)
    return settings


def _describe(detail: ErrorDetails, root: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in detail["loc"]) or "settings"
    if detail["type"] == "extra_forbidden":
        return f"{where}: unknown key{_suggest_key(detail, root)}"
    if detail["type"] == "missing":
        return f"{where}: is required"
    if detail["type"] == "model_type":
        return f"{where}: must be a mapping, not {kind_of(detail['input'])}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where}: {message[0].lower()}{message[1:]}" + (
        "" if detail["type"] == "value_error" else f", not {detail['input']!r}"
    )


def _suggest_key(detail: ErrorDetails, root: type[BaseModel]) -> str:
    *sections, key = detail["loc"]
    section: type[BaseModel] = root
    for name in sections:
        annotation = section.model_fields[str(name)].annotation if str(name) in section.model_fields else None
        if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
            return ""  # inside a mapping or a list of sections
        section = annotation
    close = difflib.get_close_matches(str(key), section.model_fields, n=1)
    return f"; did you mean {close[0]}?" if close else f"; allowed are {', '.join(section.model_fields)}"
