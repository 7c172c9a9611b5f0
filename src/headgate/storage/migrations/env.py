"""Alembic's entry: runs the migrations on the connection that `storage.migrate` hands in."""

from alembic import context

from headgate.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
