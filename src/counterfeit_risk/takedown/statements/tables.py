"""The table of statements of reasons. Knows no rule."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from counterfeit_risk.takedown.case import Statement
from counterfeit_risk.takedown.tables import Base


class StatementRow(Base):
    """What the public database and the seller are told of one restriction; never changed but to erase personal data."""

    __tablename__ = "statements"

    sequence: Mapped[int] = mapped_column(ForeignKey("actions.sequence"), primary_key=True, autoincrement=False)
    """Of the action that it is about."""
    puid: Mapped[str] = mapped_column(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), index=True)
    listing_key: Mapped[str]
    seller_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    """As the EU Transparency Database takes it."""
    seller_text: Mapped[str]
    created_at: Mapped[datetime]

    def to_statement(self) -> Statement:
        """The row as a value."""
        return Statement(
            self.sequence,
            self.puid,
            self.case_id,
            self.listing_key,
            self.seller_id,
            self.payload,
            self.seller_text,
            self.created_at,
        )
