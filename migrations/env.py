"""Alembic's way in: the connection comes from whoever runs the migration, or from -x url=… at a desk."""

from alembic import context
from sqlalchemy import create_engine

from hospital.records import Base

config = context.config


def migrate(connection):
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


if (given := config.attributes.get("connection")) is not None:
    migrate(given)
else:
    with create_engine(context.get_x_argument(as_dictionary=True)["url"]).begin() as connection:
        migrate(connection)
