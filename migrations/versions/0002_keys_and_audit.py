"""Keys and audit"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("hospital_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("hospital_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_line",
        sa.Column("hospital_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("object", sa.String(length=200), nullable=False),
        sa.Column("outcome", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=True),
        sa.Column("sender_id", _NUMBER, nullable=True),
        sa.Column("session_id", _NUMBER, nullable=True),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=True),
        sa.Column("detail_digest", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("hospital_id", "number", name=op.f("pk_audit_line")),
    )
    with op.batch_alter_table("audit_line") as batch_op:
        batch_op.create_index("ix_audit_line_at", ["hospital_id", "at"], unique=False)
        batch_op.create_index("ix_audit_line_person", ["hospital_id", "person_id", "number"], unique=False)
        batch_op.create_index("ix_audit_line_object", ["hospital_id", "object", "number"], unique=False)

    op.create_table(
        "seal_key",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("key_check", sa.String(length=64), nullable=False),
        sa.Column("digest_key", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_key")),
    )
    with op.batch_alter_table("patient") as batch_op:
        batch_op.add_column(sa.Column("number_index", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("surname_index", sa.String(length=64), nullable=True))
        batch_op.create_index("ix_patient_number", ["hospital_id", "number_index"], unique=False)
        batch_op.create_index("ix_patient_surname", ["hospital_id", "surname_index"], unique=False)

    with op.batch_alter_table("patient_reference") as batch_op:
        batch_op.add_column(sa.Column("reference", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("patient_reference") as batch_op:
        batch_op.drop_column("reference")

    with op.batch_alter_table("patient") as batch_op:
        batch_op.drop_index("ix_patient_surname")
        batch_op.drop_index("ix_patient_number")
        batch_op.drop_column("surname_index")
        batch_op.drop_column("number_index")

    op.drop_table("seal_key")
    op.drop_table("audit_line")
    op.drop_table("audit_head")
