"""Alembic's environment: the connection and schema that `migrate` hands over."""

from alembic import context

_attributes = context.config.attributes
context.configure(connection=_attributes["connection"], version_table_schema=_attributes["schema"], transactional_ddl=True)
context.run_migrations()
