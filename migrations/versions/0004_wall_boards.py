"""Wall boards"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "board",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("paired_by_id", _NUMBER, nullable=False),
        sa.Column("paired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("painted", sa.String(length=40), nullable=False),
        sa.Column("pulse_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("silent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_board_hospital_id")),
        sa.ForeignKeyConstraint(["paired_by_id"], ["person.id"], name=op.f("fk_board_paired_by_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_board_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board")),
        sa.UniqueConstraint("person_id", name=op.f("uq_board_person_id")),
    )
    op.create_index(op.f("ix_board_hospital_id"), "board", ["hospital_id"])

    op.create_table(
        "pairing",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("code_index", sa.String(length=64), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("board_id", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["board_id"], ["board.id"], name=op.f("fk_pairing_board_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairing")),
        sa.UniqueConstraint("code_index", name=op.f("uq_pairing_code_index")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_pairing_secret_hash")),
    )
    op.create_index(op.f("ix_pairing_expires_at"), "pairing", ["expires_at"])


def downgrade() -> None:
    op.drop_table("pairing")
    op.drop_table("board")
