"""The units that a patient has left"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("monitoring") as batch_op:
        batch_op.add_column(sa.Column("units_left", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("monitoring") as batch_op:
        batch_op.alter_column("units_left", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("monitoring") as batch_op:
        batch_op.drop_column("units_left")
