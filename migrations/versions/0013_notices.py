"""Notices to a hospital, a unit or a role, and who has read them.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("unit_id", _NUMBER, nullable=True),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("on_boards", sa.Boolean(), nullable=False),
        sa.Column("by_id", _NUMBER, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_notice_by_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_notice_hospital_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_notice_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_hospital_id"), "notice", ["hospital_id"])
    op.create_table(
        "notice_reading",
        sa.Column("notice_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_reading_notice_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_reading_person_id")),
        sa.PrimaryKeyConstraint("notice_id", "person_id", name=op.f("pk_notice_reading")),
    )
    with op.batch_alter_table("hospital") as hospital:
        hospital.add_column(sa.Column("notices", _NUMBER, nullable=False, server_default="0"))
    with op.batch_alter_table("hospital") as hospital:
        hospital.alter_column("notices", server_default=None)


def downgrade() -> None:
    op.drop_column("hospital", "notices")
    op.drop_table("notice_reading")
    op.drop_table("notice")
