"""What a page is made of: styles, scripts, fonts, icons. Under the word of its build a browser keeps each for good.

Pages name `/static/<build>/css/main.css`, and what that names in turn lies beside it. Without the word of this build
(a wall's service worker; a page from before an update) the browser asks each time whether its copy is still right.
"""

import gzip
import hashlib
import re
from functools import cache, cached_property
from mimetypes import guess_type
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import NotFound

from hospital.access.guard import open_to_all

blueprint = Blueprint("files", __name__)

_BUILD = re.compile(r"[0-9a-f]{12}")
_IMPORT = re.compile(r'@import url\("([^"]+)"\) layer\((\w+)\);')
_TEXTS = ("text/", "image/svg")
_FOR_GOOD_S = 31_536_000  # a year: as long as anybody may say


class File:
    """One of them, as it is and packed."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.data, self.mimetype = data, guess_type(path.name)[0] or "application/octet-stream"
        self.is_text = self.mimetype.startswith(_TEXTS)
        self.digest = hashlib.sha256(data).hexdigest()[:16]

    @cached_property
    def gzip(self) -> bytes:
        return gzip.compress(self.data, mtime=0)


def prepare(app: Flask) -> None:
    """Read them all, and tell templates their addresses: `file('css/main.css')`."""
    app.extensions["files"] = _all(Path(app.root_path, "static"))
    app.jinja_env.globals["file"] = lambda name: f"/static/{app.config['BUILD']}/{name}"


@blueprint.get("/static/<path:filename>")
@open_to_all
def send(filename: str) -> Response:
    build, _, rest = filename.partition("/")
    file = current_app.extensions["files"].get(rest if _BUILD.fullmatch(build) else filename)
    if file is None:
        raise NotFound
    packed = file.is_text and bool(request.accept_encodings["gzip"])
    response = Response(file.gzip if packed else file.data, mimetype=file.mimetype)
    response.set_etag(file.digest + "-gzip" * packed)
    if file.is_text:
        response.vary.add("Accept-Encoding")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    if build == current_app.config["BUILD"]:
        response.headers["Cache-Control"] = f"public, max-age={_FOR_GOOD_S}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


@cache
def _all(root: Path) -> dict[str, File]:
    return {str(path.relative_to(root)): _read(path) for path in root.rglob("*") if path.is_file()}


def _read(path: Path) -> File:
    return File(path, _whole_sheet(path) if path.name == "main.css" else path.read_bytes())


def _whole_sheet(path: Path) -> bytes:
    """The sheet with all that it imports in their places: one request, where it were one for each after the first."""

    def layer(found: re.Match[str]) -> str:
        return f"@layer {found[2]} {{\n{(path.parent / found[1]).read_text()}\n}}"

    return _IMPORT.sub(layer, path.read_text()).encode()
