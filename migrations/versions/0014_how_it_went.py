"""How the vital sign of an alert went until then"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert", sa.Column("course", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("alert", "course")
