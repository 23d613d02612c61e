"""PostgreSQL comes furnished."""

from tests.records.furnished import furnished_postgres, postgres_database_url  # noqa: F401
