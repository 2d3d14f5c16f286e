"""What Alembic runs: the migrations, on the connection and in the transaction that it was handed."""

from alembic import context
from sqlmodel import SQLModel

import models.tables  # noqa: F401 (fills the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    # SQLite can do it; Alembic leaves it off there for the sake of older drivers.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
