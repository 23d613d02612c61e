"""Production entry: gevent's patch first, then the application with all that runs beside its requests."""

from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402

from app import Running, create_app  # noqa: E402

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
app = create_app()
running = Running(app)
