"""Alerts by time, for numbers of weeks"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_alert_raised", "alert", ["hospital_id", "raised_at"])


def downgrade() -> None:
    op.drop_index("ix_alert_raised", "alert")
