"""What every answer tells the browser: run only our scripts, load nothing from elsewhere, keep nothing."""

from flask import Flask, Response, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "report-uri /csp-reports",  # not report-to: browsers would wait with it, and send it over TLS alone
    )
)


_WORKER = "/static/js/offline.js"  # stands in for the wall's page, which lies elsewhere


def prepare(app: Flask) -> None:
    app.after_request(_add)


def _add(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if request.path == _WORKER:
        response.headers["Service-Worker-Allowed"] = "/board"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    response.headers.setdefault("Cache-Control", "no-store")  # files have said theirs (pages/files.py)
    return response
