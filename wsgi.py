"""Production entry: gevent's patch first, then the application with all that runs beside its requests."""

from gevent import monkey

monkey.patch_all()

from app import create_app, start  # noqa: E402

app = create_app()
start(app)
