"""A real nginx in front of a server of ours, with the configuration of deploy/ or one that does harm."""

import os
import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.server import ROOT, Server, free_port

EXAMPLE = ROOT / "deploy/nginx.conf"

# A proxy as it comes out of the box, told to ignore what we ask of it: it holds an event stream back.
BUFFERS = """
upstream hospital_alerts {{ server 127.0.0.1:8000; }}
server {{
    listen 443;
    location / {{
        proxy_pass http://hospital_alerts;
        proxy_set_header Host $http_host;
        proxy_buffering on;
        proxy_ignore_headers X-Accel-Buffering;
    }}
}}
""".replace("{{", "{").replace("}}", "}")


class Nginx:
    """Listens on `port` for what the configuration says of 443. Needs close()."""

    def __init__(self, program: str, folder: Path, server: Server, site: str) -> None:
        self.port, self._folder = free_port(), folder
        make_certificate(folder)
        site = re.sub(r"listen 443", f"listen 127.0.0.1:{self.port}", site)
        site = re.sub(r"listen 80;", f"listen 127.0.0.1:{free_port()};", site)
        site = re.sub(r"127\.0\.0\.1:8000", f"127.0.0.1:{server.port}", site)
        site = re.sub(r"/etc/ssl/\S+/(\S+);", rf"{folder}/\1;", site)
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(_around(folder, site))
        self._command = [program, "-p", str(folder), "-c", str(self._configuration), "-e", str(folder / "error.log")]
        self._process: subprocess.Popen[bytes] | None = None

    def check(self) -> str:
        """What `nginx -t` says. Raises CalledProcessError if it does not like the configuration."""
        done = subprocess.run([*self._command, "-t"], check=True, capture_output=True, text=True)
        return done.stderr

    def start(self) -> None:
        self._process = subprocess.Popen([*self._command, "-g", "daemon off;"])
        until = time.monotonic() + 30
        while not (self._folder / "nginx.pid").exists():
            assert time.monotonic() < until and self._process.poll() is None, "nginx did not start"
            time.sleep(0.01)

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


def make_certificate(folder: Path) -> None:
    """For alerts.example, by nobody but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alerts.example")]), datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    signed = made.sign(key, hashes.SHA256())
    (folder / "alerts.example.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "alerts.example.key").write_bytes(key.private_bytes(*plain))


def _around(folder: Path, site: str) -> str:
    """What a distribution's nginx.conf does around a site, within one folder."""
    places = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    return f"{user}\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{places}\n{site}\n}}\n"
