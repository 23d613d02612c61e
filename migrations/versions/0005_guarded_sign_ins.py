"""Guarded sign-ins: tokens that are replaced, a second factor, delays"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sign_in_delay",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", _NUMBER, nullable=False),
        sa.Column("last_at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_delay")),
    )
    op.create_index(op.f("ix_sign_in_delay_last_at"), "sign_in_delay", ["last_at"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    op.create_index(op.f("ix_recovery_code_person_id"), "recovery_code", ["person_id"], unique=False)
    _add("hospital", sa.Column("second_factor_roles", sa.String(length=100), nullable=False, server_default=""))
    _add("person", sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("person") as person:
        person.add_column(sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
        person.add_column(sa.Column("totp_step", _NUMBER, nullable=True))
    op.execute("DELETE FROM person_session")  # everybody signs in once more
    with op.batch_alter_table("person_session") as session:
        session.add_column(sa.Column("next_hash", sa.String(length=64), nullable=True))
        session.add_column(sa.Column("next_at", _MOMENT, nullable=True))
        session.add_column(sa.Column("previous_hash", sa.String(length=64), nullable=True))
        session.add_column(sa.Column("rotated_at", _MOMENT, nullable=False))
        session.add_column(sa.Column("complete", sa.Boolean(), nullable=False))
        session.add_column(sa.Column("address", sa.String(length=45), nullable=False))
        session.add_column(sa.Column("browser", sa.String(length=60), nullable=False))
        session.add_column(sa.Column("ended_why", sa.String(length=20), nullable=True))
        session.create_unique_constraint(op.f("uq_person_session_next_hash"), ["next_hash"])
        session.create_unique_constraint(op.f("uq_person_session_previous_hash"), ["previous_hash"])


def _add(table: str, column: sa.Column[object]) -> None:
    """What rows have that are there already is told once, and not by the database for ever."""
    with op.batch_alter_table(table) as there:
        there.add_column(column)
    with op.batch_alter_table(table) as there:
        there.alter_column(column.name, server_default=None)


def downgrade() -> None:
    raise NotImplementedError("Put back a backup instead.")
