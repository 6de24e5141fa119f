"""The table of what brands say of listings. Knows no rule."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.takedown.tables import Base, SnapshotRow


class BrandLabelRow(Base):
    """What a brand takes a listing for; never changed. A person's decision goes before it."""

    __tablename__ = "brand_labels"
    __table_args__ = (Index("brand_labels_of_listing", "listing_key", "brand_label_id"),)

    brand_label_id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), index=True)
    listing_key: Mapped[str]
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.snapshot_id"))
    """What the listing was when the brand was told of it."""
    brand: Mapped[str]
    label: Mapped[Label]
    note: Mapped[str]
    known_at: Mapped[datetime]

    snapshot: Mapped[SnapshotRow] = relationship()
