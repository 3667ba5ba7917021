"""Where alembic finds its environment; the revisions themselves lie with each service."""
