"""What a notifier is told, in plain text: that a notice came in, and where it led.

Knows no mail server, and of the estimate only its outcomes and reasons: neither a risk nor a threshold is told.
Articles are those of the Digital Services Act.
"""

from collections.abc import Sequence

from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem
from counterfeit_risk.takedown.complaints.validity import Assessment, NoticeOutcome

COMPLAINT_MONTHS = 6
"""For at least so long a complaint is open to a notifier, Article 20(1)."""

_MEANINGS = {
    NoticeOutcome.FAST_LANE: "A person decides, before other cases; you will be told what was decided.",
    NoticeOutcome.REVIEW: "A person decides; you will be told what was decided.",
    NoticeOutcome.MORE_INFORMATION: "Nothing can be decided yet. Reply to this message with what is missing.",
    NoticeOutcome.UNFOUNDED: "Nothing will be done about this. It was decided by automated means alone.",
}

_AUTOMATION = (
    "Automated means are used (Article 16(6)): a computer checks that a notice is complete, and estimates from the "
    "listing, the registered marks, the seller's authorisation and how earlier notices from you turned out whether it "
    "is right. The estimate settles the order in which people see notices, and turns away those that it finds "
    "unfounded. Only a person takes a listing down for good."
)
_REDRESS = (
    f"If you disagree, you can complain to us, free of charge, within {COMPLAINT_MONTHS} months of this message "
    "(Article 20): reply to it and say why. A person decides on complaints. You can also turn to a certified body for "
    "out-of-court dispute settlement (Article 21), or to a court."
)


def acknowledgement(notice: Notice) -> str:
    """Confirms at once that a notice came in, Article 16(4)."""
    return _letter(
        notice,
        f"We received your notice {notice.notice_id} on {notice.received_at:%d %B %Y at %H:%M} UTC. It reports "
        f"{_count(len(notice.items))} for infringing a {notice.right} of {notice.brand}{_number(notice)}.",
        "You will be told where it leads for each listing.",
        _AUTOMATION,
    )


def outcome_message(notice: Notice, assessments: Sequence[Assessment]) -> str:
    """Tells where a notice led, and what can be done about it, Article 16(5).

    Args:
        notice: the notice.
        assessments: one for each of its items, in their order; items with the same outcome and reasons are told of
            together, the most urgent outcome first.
    """
    groups: dict[tuple[NoticeOutcome, tuple[str, ...]], list[NoticeItem]] = {}
    for item, assessment in zip(notice.items, assessments, strict=True):
        groups.setdefault((assessment.outcome, assessment.reasons), []).append(item)
    order = list(NoticeOutcome)
    told = sorted(groups.items(), key=lambda group: order.index(group[0][0]))
    return _letter(
        notice,
        f"This is where your notice {notice.notice_id} of {notice.received_at:%d %B %Y} led.",
        *(_tell(outcome, reasons, items) for (outcome, reasons), items in told),
        _AUTOMATION,
        _REDRESS,
    )


def decision_message(name: str, notice_id: str, found: Sequence[tuple[str, str, bool]]) -> str:
    """Tells what a person decided on listings that a notice names.

    Args:
        name: the notifier's.
        notice_id: of the notice.
        found: listing id, platform, and whether the listing was taken down.
    """
    places = [
        f"- {listing_id} on {platform}: {'taken down' if down else 'left'}" for listing_id, platform, down in found
    ]
    decided = "\n".join([f"A person has decided on what your notice {notice_id} names:", *places])
    return _paragraphs(name, decided, _REDRESS)


def _letter(notice: Notice, *paragraphs: str) -> str:
    return _paragraphs(notice.notifier.name, *paragraphs)


def _paragraphs(name: str, *paragraphs: str) -> str:
    return "\n\n".join([f"Dear {name},", *paragraphs]) + "\n"


def _tell(outcome: NoticeOutcome, reasons: Sequence[str], items: Sequence[NoticeItem]) -> str:
    places = (f"- {item.listing_id} on {item.platform}, {item.url}" for item in items)
    heading = f"{outcome.replace('_', ' ').capitalize()}, {_count(len(items))}:"
    return "\n".join([heading, " ".join((*reasons, _MEANINGS[outcome])), *places])


def _number(notice: Notice) -> str:
    return f" (number {notice.mark_number})" if notice.mark_number else ""


def _count(listings: int) -> str:
    return "1 listing" if listings == 1 else f"{listings} listings"
