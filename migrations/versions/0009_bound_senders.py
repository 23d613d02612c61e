"""Senders that are bound to addresses and units, and their tokens

The digests of messages were plain and could be guessed from what they say: they go. A repeat of what came before is
then told by its bytes.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_A_YEAR = timedelta(days=365)


def upgrade() -> None:
    op.create_table(
        "sender_token",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("sender_id", _NUMBER, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kinds", sa.String(length=60), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_sender_token_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sender_token_token_hash")),
    )
    op.create_index(op.f("ix_sender_token_sender_id"), "sender_token", ["sender_id"], unique=False)
    op.create_table(
        "sender_unit",
        sa.Column("sender_id", _NUMBER, nullable=False),
        sa.Column("unit_id", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_sender_unit_sender_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_sender_unit_unit_id")),
        sa.PrimaryKeyConstraint("sender_id", "unit_id", name=op.f("pk_sender_unit")),
    )
    _keep_tokens()
    _widen_sender()
    _tell_kinds()


def _keep_tokens() -> None:
    """Those that are there go on for a year, at every door, as they did."""
    now = datetime.now(UTC)
    op.execute(
        sa.text(
            "INSERT INTO sender_token (sender_id, token_hash, kinds, created_at, expires_at) "
            "SELECT id, token_hash, 'hl7 fhir alerts', created_at, :end FROM sender WHERE token_hash IS NOT NULL"
        ).bindparams(sa.bindparam("end", now + _A_YEAR, _MOMENT))
    )


def _widen_sender() -> None:
    with op.batch_alter_table("sender") as sender:
        sender.drop_constraint(op.f("uq_sender_token_hash"), type_="unique")
        sender.drop_column("token_hash")
        sender.alter_column("application", existing_type=sa.String(length=200), nullable=True)
        sender.alter_column("facility", existing_type=sa.String(length=200), nullable=True)
        sender.add_column(sa.Column("addresses", sa.String(length=1000), nullable=False, server_default=""))
        sender.add_column(sa.Column("revoked_at", _MOMENT, nullable=True))
        sender.add_column(sa.Column("heard_at", _MOMENT, nullable=True))
        sender.add_column(sa.Column("clock_off_s", sa.Float(53), nullable=True))
        sender.add_column(sa.Column("over_at", _MOMENT, nullable=True))
        sender.add_column(sa.Column("told_over", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("sender") as sender:
        sender.alter_column("addresses", server_default=None)
        sender.alter_column("told_over", server_default=None)
    op.execute("UPDATE sender SET application = NULL, facility = NULL WHERE application LIKE 'token:%'")


def _tell_kinds() -> None:
    """FHIR requests were told by their status."""
    with op.batch_alter_table("message") as message:
        message.add_column(sa.Column("kind", sa.String(length=20), nullable=False, server_default="hl7"))
    with op.batch_alter_table("message") as message:
        message.alter_column("kind", server_default=None)
    op.execute("UPDATE message SET kind = 'fhir' WHERE code IN ('202', '400', '422')")
    op.execute("UPDATE message SET digest = ''")


def downgrade() -> None:
    raise NotImplementedError("Put back a backup instead.")
