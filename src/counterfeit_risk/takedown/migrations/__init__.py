"""How the queue's tables became what they are, a revision a file, for Alembic."""
