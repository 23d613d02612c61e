"""Setting up a hospital: what senders call a bed, one-time passwords that end"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "bed_code",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("bed_id", _NUMBER, nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["bed_id"], ["bed.id"], name=op.f("fk_bed_code_bed_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_bed_code_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bed_code")),
        sa.UniqueConstraint("hospital_id", "place", name=op.f("uq_bed_code_hospital_id_place")),
    )
    op.create_index(op.f("ix_bed_code_bed_id"), "bed_code", ["bed_id"])
    with op.batch_alter_table("person") as person:
        person.add_column(sa.Column("one_time_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("Put back a backup instead.")
