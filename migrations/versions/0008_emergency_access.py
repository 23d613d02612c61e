"""Emergency access, and until when a session has it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "emergency_access",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("session_id", _NUMBER, nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("reviewed_at", _MOMENT, nullable=True),
        sa.Column("reviewed_by_id", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_emergency_access_hospital_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_emergency_access_person_id")),
        sa.ForeignKeyConstraint(["reviewed_by_id"], ["person.id"], name=op.f("fk_emergency_access_reviewed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_access")),
    )
    op.create_index(op.f("ix_emergency_access_hospital_id"), "emergency_access", ["hospital_id"])
    op.create_index(op.f("ix_emergency_access_session_id"), "emergency_access", ["session_id"])
    op.create_index(op.f("ix_emergency_access_ended_at"), "emergency_access", ["ended_at"])
    op.add_column("person_session", sa.Column("emergency_until", _MOMENT, nullable=True))


def downgrade() -> None:
    op.drop_column("person_session", "emergency_until")
    op.drop_table("emergency_access")
