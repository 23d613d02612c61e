"""Installs the Debian packages that tests need (browsers, strace, nftables) where it may; else says what lacks."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence


def main() -> None:
    wanted = sys.argv[1:]  # besides what `make test` needs
    missing = missing_packages(wanted)
    if missing and may_install():
        install(missing)
        missing = missing_packages(wanted)
    if missing:
        packages = " ".join(missing)
        print(f"Not here: {packages} (apt-get install {packages}). Tests that need them are skipped, or fail in CI.")


def missing_packages(wanted: Sequence[str] = ()) -> list[str]:
    here = {
        "chromium-headless-shell": shutil.which("chromium-headless-shell"),
        "strace": shutil.which("strace"),
        "nginx": shutil.which("nginx"),
        "nftables": shutil.which("nft"),
        "iproute2": shutil.which("ip"),
        "default-jre-headless": shutil.which("java"),  # runs the checker of HTML
        "libatomic1": has_library("libatomic.so.1"),  # Playwright's own program is linked to it
    }
    others = {
        "firefox-esr": shutil.which("firefox-esr"),
        "webkit2gtk-driver": shutil.which("WebKitWebDriver"),
        "xvfb": shutil.which("Xvfb"),  # a screen for WebKit
    }
    here |= {package: others[package] for package in wanted}
    return [package for package, found in here.items() if not found]


def has_library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> None:
    print(f"Installing {', '.join(packages)}…", flush=True)
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *command],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            print(f"apt-get {command[0]} failed:\n{done.stdout}", file=sys.stderr)


if __name__ == "__main__":
    main()
