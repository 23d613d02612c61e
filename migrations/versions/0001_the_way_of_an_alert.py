"""The way of an alert"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hospital",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("head", _NUMBER, nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital")),
        sa.UniqueConstraint("code", name=op.f("uq_hospital_code")),
    )
    op.create_table(
        "patient",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("identifier", sa.LargeBinary(), nullable=False),
        sa.Column("authority", sa.LargeBinary(), nullable=False),
        sa.Column("identifier_index", sa.String(length=64), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("birth_date", sa.LargeBinary(), nullable=False),
        sa.Column("sex", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_patient_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("hospital_id", "identifier_index", name=op.f("uq_patient_hospital_id_identifier_index")),
    )
    op.create_table(
        "person",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("display_name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_person_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("name", name=op.f("uq_person_name")),
    )
    op.create_table(
        "sender",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("name", sa.String(length=420), nullable=False),
        sa.Column("application", sa.String(length=200), nullable=False),
        sa.Column("facility", sa.String(length=200), nullable=False),
        sa.Column("authority", sa.String(length=420), nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_sender_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender")),
        sa.UniqueConstraint("application", "facility", name=op.f("uq_sender_application_facility")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sender_token_hash")),
    )
    op.create_table(
        "unit",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_unit_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("hospital_id", "code", name=op.f("uq_unit_hospital_id_code")),
    )
    op.create_table(
        "bed",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("unit_id", _NUMBER, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_bed_hospital_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_bed_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bed")),
        sa.UniqueConstraint("unit_id", "code", name=op.f("uq_bed_unit_id_code")),
    )
    op.create_table(
        "idempotency",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("alert_id", _NUMBER, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("status", _NUMBER, nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_idempotency_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency")),
        sa.UniqueConstraint("person_id", "key", name=op.f("uq_idempotency_person_id_key")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_at"), ["at"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=True),
        sa.Column("sender_id", _NUMBER, nullable=True),
        sa.Column("control_id", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("of_alarm", sa.Boolean(), nullable=False),
        sa.Column("number_reused", sa.Boolean(), nullable=False),
        sa.Column("alert_ids", sa.JSON(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_message_hospital_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_message_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_received_at"), ["received_at"], unique=False)
        batch_op.create_index("ix_message_repeat", ["sender_id", "control_id", "received_at"], unique=False)

    op.create_table(
        "observation",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("patient_id", _NUMBER, nullable=False),
        sa.Column("sender_id", _NUMBER, nullable=True),
        sa.Column("person_id", _NUMBER, nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hr", sa.Double(), nullable=True),
        sa.Column("rr", sa.Double(), nullable=True),
        sa.Column("spo2", sa.Double(), nullable=True),
        sa.Column("sbp", sa.Double(), nullable=True),
        sa.Column("dbp", sa.Double(), nullable=True),
        sa.Column("map", sa.Double(), nullable=True),
        sa.Column("temp", sa.Double(), nullable=True),
        sa.Column("consciousness", sa.String(length=1), nullable=True),
        sa.Column("on_oxygen", sa.Boolean(), nullable=True),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_observation_hospital_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_observation_patient_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_observation_person_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_observation_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observation")),
    )
    with op.batch_alter_table("observation", schema=None) as batch_op:
        batch_op.create_index("ix_observation_trend", ["patient_id", "observed_at"], unique=False)

    op.create_table(
        "patient_reference",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("sender_id", _NUMBER, nullable=False),
        sa.Column("reference_index", sa.String(length=64), nullable=False),
        sa.Column("patient_id", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_reference_patient_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_patient_reference_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_reference")),
        sa.UniqueConstraint(
            "sender_id", "reference_index", name=op.f("uq_patient_reference_sender_id_reference_index")
        ),
    )
    op.create_table(
        "person_session",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("csrf_token", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_session_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_person_session_token_hash")),
    )
    with op.batch_alter_table("person_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_session_ended_at"), ["ended_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_person_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "person_unit",
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("unit_id", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_unit_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_person_unit_unit_id")),
        sa.PrimaryKeyConstraint("person_id", "unit_id", name=op.f("pk_person_unit")),
    )
    op.create_table(
        "unit_limit",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("unit_id", _NUMBER, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("vital", sa.String(length=10), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("priority", sa.String(length=10), nullable=False),
        sa.Column("delay_s", sa.Double(), nullable=False),
        sa.Column("hysteresis", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_limit_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_limit")),
        sa.UniqueConstraint("unit_id", "name", name=op.f("uq_unit_limit_unit_id_name")),
    )
    op.create_table(
        "alert",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("unit_id", _NUMBER, nullable=True),
        sa.Column("bed_id", _NUMBER, nullable=True),
        sa.Column("patient_id", _NUMBER, nullable=True),
        sa.Column("sender_id", _NUMBER, nullable=True),
        sa.Column("sender_alert_id", sa.String(length=200), nullable=False),
        sa.Column("condition_key", sa.String(length=40), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.String(length=20), nullable=False),
        sa.Column("priority_sent", sa.Boolean(), nullable=False),
        sa.Column("event_code", _NUMBER, nullable=True),
        sa.Column("source_code", _NUMBER, nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.String(length=40), nullable=True),
        sa.Column("value_unit", sa.String(length=40), nullable=True),
        sa.Column("low", sa.Float(precision=53), nullable=True),
        sa.Column("high", sa.Float(precision=53), nullable=True),
        sa.Column("advice", sa.String(length=500), nullable=False),
        sa.Column("register_conflict", sa.Boolean(), nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("repeats", _NUMBER, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("condition", sa.String(length=20), nullable=False),
        sa.Column("step", _NUMBER, nullable=False),
        sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", _NUMBER, nullable=True),
        sa.Column("owned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("happening", sa.String(length=20), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", _NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["bed_id"], ["bed.id"], name=op.f("fk_alert_bed_id")),
        sa.ForeignKeyConstraint(["changed_by_id"], ["person.id"], name=op.f("fk_alert_changed_by_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_alert_hospital_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_alert_owner_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_alert_patient_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_alert_sender_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_alert_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index("ix_alert_condition", ["patient_id", "condition_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_escalate_at"), ["escalate_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_alert_sender_alert_id", ["sender_id", "sender_alert_id"], unique=False)
        batch_op.create_index(
            "ix_alert_unresolved",
            ["hospital_id", "unit_id"],
            unique=False,
            sqlite_where=sa.text("state <> 'resolved'"),
            postgresql_where=sa.text("state <> 'resolved'"),
        )

    op.create_table(
        "monitoring",
        sa.Column("patient_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("unit_id", _NUMBER, nullable=True),
        sa.Column("bed_id", _NUMBER, nullable=True),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("latest", sa.JSON(), nullable=False),
        sa.Column("watches", sa.JSON(), nullable=False),
        sa.Column("spo2_scale", _NUMBER, nullable=False),
        sa.Column("scale_by_id", _NUMBER, nullable=True),
        sa.Column("scale_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("observe_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("monitored", sa.Boolean(), nullable=False),
        sa.Column("silent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock_off_s", sa.Double(), nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bed_id"], ["bed.id"], name=op.f("fk_monitoring_bed_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_monitoring_hospital_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_monitoring_patient_id")),
        sa.ForeignKeyConstraint(["scale_by_id"], ["person.id"], name=op.f("fk_monitoring_scale_by_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_monitoring_unit_id")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_monitoring")),
    )
    with op.batch_alter_table("monitoring", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_monitoring_changed_at"), ["changed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_monitoring_received_at"), ["received_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_monitoring_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "stay",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("patient_id", _NUMBER, nullable=False),
        sa.Column("bed_id", _NUMBER, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["bed_id"], ["bed.id"], name=op.f("fk_stay_bed_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_stay_hospital_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_stay_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stay")),
    )
    with op.batch_alter_table("stay", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stay_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index(
            "uq_stay_bed_now",
            ["bed_id"],
            unique=True,
            sqlite_where=sa.text("until IS NULL"),
            postgresql_where=sa.text("until IS NULL"),
        )

    op.create_table(
        "acknowledgement",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("alert_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_acknowledgement_alert_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_acknowledgement_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )
    with op.batch_alter_table("acknowledgement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_acknowledgement_alert_id"), ["alert_id"], unique=False)

    op.create_table(
        "journal",
        sa.Column("hospital_id", _NUMBER, nullable=False),
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("happening", sa.String(length=20), nullable=False),
        sa.Column("alert_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=True),
        sa.Column("unit_before", _NUMBER, nullable=True),
        sa.Column("unit_after", _NUMBER, nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("text_digest", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_journal_alert_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_journal_hospital_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_journal_person_id")),
        sa.PrimaryKeyConstraint("hospital_id", "number", name=op.f("pk_journal")),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_alert_id"), ["alert_id"], unique=False)

    op.create_table(
        "note",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("alert_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_note_alert_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_note_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_alert_id"), ["alert_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("The first form of the database: put back a backup instead.")
