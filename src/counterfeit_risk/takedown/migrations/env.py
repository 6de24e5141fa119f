"""Runs revisions on the connection that `migration` hands to Alembic, in its transaction."""

from alembic import context

from counterfeit_risk.takedown.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a column by making its table anew
)
context.run_migrations()
