"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes all of them."""
    op.create_table(
        "appeals",
        sa.Column("appeal_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("listing_key", sa.Text(), nullable=False),
        sa.Column("by", sa.String(20), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("appeal_id"),
    )
    op.create_index("appeals_of_case", "appeals", ["case_id"], unique=False)
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parent_case_id", sa.Integer(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("lane", sa.String(20), nullable=False),
        sa.Column("inclusion_probability", sa.Double(), nullable=False),
        sa.Column("known_answer", sa.String(20), nullable=True),
        sa.Column("risk", sa.Double(), nullable=False),
        sa.Column("band", sa.String(20), nullable=False),
        sa.Column("harm", sa.Double(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("last_sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
        sa.UniqueConstraint("leased_by"),
    )
    op.create_index("cases_by_due", "cases", ["state", "escalated", "due_at", "case_id"], unique=False)
    op.create_index("cases_by_harm", "cases", ["state", "escalated", sa.text("harm DESC"), "case_id"], unique=False)
    op.create_index("cases_by_lane", "cases", ["state", "lane", "case_id"], unique=False)
    op.create_index(op.f("ix_cases_load_id"), "cases", ["load_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("move", sa.String(20), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_state", sa.String(20), nullable=True),
        sa.Column("to_state", sa.String(20), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.UniqueConstraint("case_id", "number"),
    )
    op.create_index("events_by_actor", "events", ["actor", "move", "case_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_table(
        "notice_items",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("listing_key", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("validity", sa.Double(), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("result", sa.String(20), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("notice_id", "number"),
    )
    op.create_index("items_of_case", "notice_items", ["case_id"], unique=False)
    op.create_index(op.f("ix_notice_items_listing_key"), "notice_items", ["listing_key"], unique=False)
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("notifier_id", sa.Text(), nullable=False),
        sa.Column("notifier_name", sa.Text(), nullable=False),
        sa.Column("notifier_email", sa.Text(), nullable=False),
        sa.Column("notifier_kind", sa.String(20), nullable=False),
        sa.Column("notifier_is_organisation", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("right", sa.String(20), nullable=False),
        sa.Column("mark_number", sa.Text(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("notice_id"),
    )
    op.create_index(op.f("ix_notices_notifier_id"), "notices", ["notifier_id"], unique=False)
    op.create_table(
        "queue_numbers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "snapshots",
        sa.Column("snapshot_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("listing_key", sa.Text(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("seller_id", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("price", sa.Double(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("photo_paths", sa.JSON(), nullable=False),
        sa.Column("photo_hashes", sa.JSON(), nullable=False),
        sa.Column("image_root", sa.Text(), nullable=True),
        sa.Column("risk", sa.Double(), nullable=False),
        sa.Column("band", sa.String(20), nullable=False),
        sa.Column("photo_risk", sa.Double(), nullable=True),
        sa.Column("title_risk", sa.Double(), nullable=True),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("snapshot_id"),
    )
    op.create_index(op.f("ix_snapshots_load_id"), "snapshots", ["load_id"], unique=False)
    op.create_index("snapshots_of_listing", "snapshots", ["listing_key", "snapshot_id"], unique=False)
    op.create_table(
        "brand_labels",
        sa.Column("brand_label_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("listing_key", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("label", sa.String(20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.snapshot_id"],
        ),
        sa.PrimaryKeyConstraint("brand_label_id"),
    )
    op.create_index("brand_labels_of_listing", "brand_labels", ["listing_key", "brand_label_id"], unique=False)
    op.create_index(op.f("ix_brand_labels_case_id"), "brand_labels", ["case_id"], unique=False)
    op.create_table(
        "case_members",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("listing_key", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.snapshot_id"],
        ),
        sa.PrimaryKeyConstraint("case_id", "listing_key"),
    )
    op.create_index("members_by_listing", "case_members", ["listing_key"], unique=False)
    op.create_table(
        "case_photos",
        sa.Column("photo_key", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.PrimaryKeyConstraint("photo_key", "case_id"),
    )
    op.create_index(op.f("ix_case_photos_case_id"), "case_photos", ["case_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("automated", sa.Boolean(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot_ids", sa.JSON(), nullable=False),
        sa.Column("spared", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.PrimaryKeyConstraint("decision_id"),
        sa.UniqueConstraint("case_id", "token"),
    )
    op.create_table(
        "actions",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("listing_key", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decisions.decision_id"],
        ),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("actions_of_listing", "actions", ["listing_key", "sequence"], unique=False)
    op.create_index(op.f("ix_actions_decision_id"), "actions", ["decision_id"], unique=False)
    op.create_table(
        "labels",
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.Column("listing_key", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(20), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inclusion_probability", sa.Double(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decisions.decision_id"],
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.snapshot_id"],
        ),
        sa.PrimaryKeyConstraint("label_id"),
    )
    op.create_index(op.f("ix_labels_decision_id"), "labels", ["decision_id"], unique=False)
    op.create_index("labels_of_listing", "labels", ["listing_key", "label_id"], unique=False)
    op.create_table(
        "statements",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("puid", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("listing_key", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("seller_text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.ForeignKeyConstraint(
            ["sequence"],
            ["actions.sequence"],
        ),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("puid"),
    )
    op.create_index(op.f("ix_statements_case_id"), "statements", ["case_id"], unique=False)
