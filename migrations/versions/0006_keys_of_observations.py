"""The keys of acts serve observations too: a row is about an alert or about a patient.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE idempotency RENAME COLUMN alert_id TO about_id")


def downgrade() -> None:
    op.execute("ALTER TABLE idempotency RENAME COLUMN about_id TO alert_id")
