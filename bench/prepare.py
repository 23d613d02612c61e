"""Installs the Debian packages that the benchmarks use (a compiler, nginx with nchan) where it may."""

import shutil

from bench.servers import nchan_missing
from tests import prepare


def main() -> None:
    wanted = [] if shutil.which("gcc") else ["gcc", "libc6-dev"]
    wanted += ["nginx", "libnginx-mod-nchan"] if nchan_missing() else []
    wanted += prepare.missing_packages()
    if wanted and prepare.may_install():
        prepare.install(wanted)


if __name__ == "__main__":
    main()
