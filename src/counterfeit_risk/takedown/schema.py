"""All tables of the queue, and the revision of their schema. Knows no row."""

from counterfeit_risk.takedown.complaints.tables import AppealRow, MessageRow, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.exchange.tables import BrandLabelRow
from counterfeit_risk.takedown.statements.tables import StatementRow
from counterfeit_risk.takedown.tables import (
    ActionRow,
    Base,
    CasePhotoRow,
    CaseRow,
    DecisionRow,
    EventRow,
    LabelRow,
    MemberRow,
    QueueNumber,
    SnapshotRow,
)

REVISION = "0001"
"""The newest in `migrations/versions`."""
VERSION_TABLE = "alembic_version"

RECORDED: tuple[type[Base], ...] = (
    *(SnapshotRow, CaseRow, MemberRow, CasePhotoRow, DecisionRow, ActionRow, StatementRow, LabelRow),
    *(NoticeRow, NoticeItemRow, MessageRow, AppealRow, BrandLabelRow),
)
"""All tables whose rows events carry, each after those that it refers to."""
ALL: tuple[type[Base], ...] = (QueueNumber, *RECORDED, EventRow)

NUMBERS = {
    "cases": CaseRow.case_id,
    "snapshots": SnapshotRow.snapshot_id,
    "loads": SnapshotRow.load_id,
    "actions": ActionRow.sequence,
    "messages": MessageRow.sequence,
}
"""Named numbers, and the column that each counts."""
IDENTITY = "identity"
"""The named number that tells one queue from another."""
METADATA = Base.metadata
