"""Statements of reasons, derived from what was done to a listing: for the EU Transparency Database and for the seller.

Knows no database and no network. It cannot tell a person's name from a company's, so whoever fills a `Restriction`
answers for names. Articles are those of the Digital Services Act.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, TypeAdapter, ValidationError

from counterfeit_risk.sections import Section
from counterfeit_risk.takedown.complaints.messages import COMPLAINT_MONTHS
from counterfeit_risk.takedown.complaints.particulars import Line, shorten
from counterfeit_risk.takedown.statements.personal_data import PHONE, find_personal_data
from counterfeit_risk.takedown.statements.rules import FIRST_CONTENT_DAY, check_field
from counterfeit_risk.takedown.statements.values import EU_COUNTRIES, LANGUAGES
from counterfeit_risk.takedown.states import ActionKind

_NAMESPACE = uuid.UUID("c0f76b5e-6d0e-4c1c-9a3c-0a8f5b7f2d4e")
"""Of all puids. It stays for ever: another one would report the same restriction twice."""
_LINE: TypeAdapter[str] = TypeAdapter(Line)


class StatementSource(StrEnum):
    """What led to the decision; a notice is one by Article 16, and an authority sends other notifications."""

    OWN_INITIATIVE = "own_initiative"
    NOTICE = "notice"
    TRUSTED_FLAGGER = "trusted_flagger"
    OTHER_NOTIFICATION = "other_notification"


@dataclass(frozen=True, slots=True)
class Restriction:
    """What was done to one listing, and the facts that its statement is derived from."""

    queue_id: int
    """Tells one queue from another."""
    decision_id: int
    listing_key: str
    """Goes into the puid, from which it cannot be read, and into what the seller is told."""
    platform: str | None
    brand: str | None
    category: str | None
    kind: ActionKind
    automated: bool
    """True if policy decided, and no person has yet."""
    flagged_by_model: bool
    source: StatementSource
    notifier: str | None
    """Name of a company or a body; never of a natural person."""
    language: str | None
    """Of the listing, such as `de` or `pt-BR`."""
    listed_on: date | None
    applied_at: datetime
    mark: str | None
    """Office and number of the mark that was relied on."""
    listings: int
    """Of the case, at least this one."""

    def __post_init__(self) -> None:
        if self.kind not in _VISIBILITIES:
            raise ValueError(f"kind: must be {' or '.join(_VISIBILITIES)}, since {self.kind} restricts nothing")

    @property
    def puid(self) -> str:
        """Names the statement for ever, the same however often it is exported."""
        return f"sor-{uuid.uuid5(_NAMESPACE, f'{self.queue_id}/{self.decision_id}/{self.listing_key}')}"

    @property
    def applied_on(self) -> date:
        """The day in UTC."""
        return self.applied_at.astimezone(UTC).date()


def _as_field(name: str) -> AfterValidator:
    """Checks a setting as the database checks the field that it becomes."""

    def check(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        # numbers of laws look like telephone numbers
        found = [f"seems to hold personal data: {kind}" for kind in find_personal_data(str(value)) if kind != PHONE]
        if problem := check_field(name, list(value) if isinstance(value, tuple) else value) or next(iter(found), None):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


class StatementSettings(Section):
    """What statements say alike; counsel has to read the two texts before the first one is sent."""

    legal_ground: Annotated[str, _as_field("illegal_content_legal_ground")] = (
        "Article 9(2) and 9(3)(b) of Regulation (EU) 2017/1001 on the European Union trade mark"
    )
    explanation: Annotated[str, _as_field("illegal_content_explanation")] = (
        "The goods are offered under a trade mark and do not appear to come from its owner, or from somebody with the "
        "owner's consent. To offer such goods in the course of trade infringes the exclusive right in the mark."
    )
    policy_url: Annotated[str, _as_field("decision_ground_reference_url")] | None = None
    """Address of the law or the terms that are relied on."""
    territorial_scope: Annotated[tuple[str, ...], _as_field("territorial_scope")] = EU_COUNTRIES
    """Where the restriction holds; two letters by ISO 3166 each."""
    default_language: Annotated[str, _as_field("content_language")] | None = "EN"
    """Of listings that say none, or one that is not known; None leaves it out."""


def draft_statement(restriction: Restriction, settings: StatementSettings) -> dict[str, object]:
    """The statement for the database; it may be sent once `find_problems` finds none.

    A name or category that cannot be published, for what it seems to hold, is left out. `content_date` is the day of
    application where the listing's own is not known, or cannot be right; `decision_facts` then says so. A person's
    decision on what the model flagged counts as partially automated, since people see the model's estimate.
    """
    payload = {
        "decision_visibility": [_VISIBILITIES[restriction.kind]],
        "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
        "decision_ground_reference_url": settings.policy_url,
        "illegal_content_legal_ground": settings.legal_ground,
        "illegal_content_explanation": settings.explanation,
        "content_type": ["CONTENT_TYPE_PRODUCT"],
        "category": "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
        "category_specification": ["KEYWORD_TRADEMARK_INFRINGEMENT"],
        "territorial_scope": list(settings.territorial_scope),
        "content_language": _language(restriction.language) or settings.default_language,
        "content_date": (_content_date(restriction) or restriction.applied_on).isoformat(),
        "application_date": restriction.applied_on.isoformat(),
        "decision_facts": " ".join(_describe_facts(restriction)),
        "source_type": _SOURCES[restriction.source][0],
        "source_identity": _notifier(restriction),
        "automated_detection": "Yes" if restriction.flagged_by_model else "No",
        "automated_decision": _automation(restriction),
        "puid": restriction.puid,
    }
    return {name: value for name, value in payload.items() if value is not None}


_VISIBILITIES = {
    ActionKind.HIDE: "DECISION_VISIBILITY_CONTENT_DISABLED",
    ActionKind.TAKE_DOWN: "DECISION_VISIBILITY_CONTENT_REMOVED",
}
_DONE = {ActionKind.HIDE: "hidden, which can be undone", ActionKind.TAKE_DOWN: "taken down"}
_SOURCES = {
    StatementSource.OWN_INITIATIVE: ("SOURCE_VOLUNTARY", "It was found on our own initiative."),
    StatementSource.NOTICE: ("SOURCE_ARTICLE_16", "A notice under Article 16 reported it."),
    StatementSource.TRUSTED_FLAGGER: ("SOURCE_TRUSTED_FLAGGER", "A notice of a trusted flagger reported it."),
    StatementSource.OTHER_NOTIFICATION: ("SOURCE_TYPE_OTHER_NOTIFICATION", "Another notification reported it."),
}


def _automation(restriction: Restriction) -> str:
    if restriction.automated:
        return "AUTOMATED_DECISION_FULLY"
    return "AUTOMATED_DECISION_PARTIALLY" if restriction.flagged_by_model else "AUTOMATED_DECISION_NOT_AUTOMATED"


def _describe_facts(restriction: Restriction) -> Iterator[str]:
    """Sentences without a word that a seller, a notifier or a reviewer wrote, but for the names in quotation marks."""
    said = {"of the brand": restriction.brand, "in the category": restriction.category, "on": restriction.platform}
    names = "".join(f' {words} "{name}"' for words, text in said.items() if (name := _publishable(text)))
    yield f"The listing offers goods{names}."
    yield _SOURCES[restriction.source][1]
    if restriction.flagged_by_model:
        yield "Automated means flagged it: they estimate from a listing whether its goods are counterfeit."
    if restriction.automated:
        yield "Automated means alone decided; a person has not confirmed it yet."
    else:
        yield "A person decided, who saw the listing and found its goods to be counterfeit."
    yield f"It was {_DONE[restriction.kind]}."
    if restriction.listings > 1:
        yield f"It is one of {restriction.listings:,} listings that show copies of the same photos and form one case."
    if not _content_date(restriction):
        yield "When it was listed is not known; the day of this restriction stands for that date."


def _publishable(text: str | None) -> str | None:
    """A name from a table of listings or notices; None where it should not go into a public record."""
    try:
        line = _LINE.validate_python(text)
    except ValidationError:
        return None
    return None if find_personal_data(line) else line


def _notifier(restriction: Restriction) -> str | None:
    return None if restriction.source is StatementSource.OWN_INITIATIVE else _publishable(restriction.notifier)


def _language(tag: str | None) -> str | None:
    code = re.split("[-_]", (tag or "").strip(), maxsplit=1)[0].upper()
    return code if code in LANGUAGES else None


def _content_date(restriction: Restriction) -> date | None:
    day = restriction.listed_on
    return day if day and FIRST_CONTENT_DAY <= day <= restriction.applied_on else None


def seller_notice(restriction: Restriction, settings: StatementSettings, appeal_window: timedelta) -> str:
    """Tells a seller what was done and why, and how to object, Article 17, in plain text.

    Unlike the database's record it names the listing and the mark. It does not know where the seller is reached.

    Args:
        restriction: what was done.
        settings: what statements say alike.
        appeal_window: how long the seller may complain.
    """
    platform, _, listing_id = restriction.listing_key.partition("/")
    until = restriction.applied_on + appeal_window
    listing = shorten(listing_id) + (f" on {shorten(unquote(platform))}" if platform else "")
    done = (
        f"On {restriction.applied_on:%d %B %Y} your listing {listing} was {_DONE[restriction.kind]}. This holds in "
        f"{', '.join(settings.territorial_scope)}, and has no end date. Our reference is {restriction.puid}."
    )
    notifier = _notifier(restriction)
    facts = " ".join(_describe_facts(restriction)) + (f" It was reported by {notifier}." if notifier else "")
    ground = (
        f"We take it to be illegal: {settings.explanation} The legal ground is {settings.legal_ground}."
        + (f" The mark relied on is {shorten(restriction.mark)}." if restriction.mark else "")
        + (f" See {settings.policy_url}" if settings.policy_url else "")
    )
    redress = (
        f"If you disagree, you can complain to us, free of charge, until {until:%d %B %Y}, which is {COMPLAINT_MONTHS} "
        "months or more (Article 20): reply to this message and say why. A person decides, and not one who did before. "
        "You can also turn to a certified body for out-of-court dispute settlement (Article 21), or to a court."
    )
    return "\n\n".join(["Dear seller,", done, facts, ground, redress]) + "\n"
