"""What keeps the house running: health, metrics, migrations, demo data, commands."""
