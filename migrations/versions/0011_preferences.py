"""How each person wants to see things"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("person") as person:
        person.add_column(sa.Column("preferences", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("person") as person:
        person.alter_column("preferences", server_default=None)


def downgrade() -> None:
    op.drop_column("person", "preferences")
