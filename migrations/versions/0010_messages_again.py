"""Refused messages can be tried again: where each came from, and an index of them.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_REFUSED = sa.text("verdict = 'refused'")


def upgrade() -> None:
    op.add_column("message", sa.Column("address", sa.String(length=45), nullable=True))
    # Where these came from nobody knows: from nowhere that a sender may be bound to.
    op.execute("UPDATE message SET address = '0.0.0.0' WHERE verdict = 'refused' AND kind = 'hl7'")
    op.create_index(
        "ix_message_refused", "message", ["hospital_id", "id"], sqlite_where=_REFUSED, postgresql_where=_REFUSED
    )


def downgrade() -> None:
    op.drop_index("ix_message_refused", "message")
    op.drop_column("message", "address")
