"""A network of one's own, in which packets can be dropped: Linux network namespaces, which are a thread's."""

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable

from tests.support.needs import need

_CLONE_NEWNET = 0x40000000


def in_own_network(what: Callable[["Firewall"], None]) -> None:
    """Run this in a thread with a loopback of its own: sockets, threads and programs that it makes live there."""
    need(shutil.which("nft"), "nftables: apt-get install nftables")
    need(shutil.which("ip"), "ip: apt-get install iproute2")
    need(True if os.geteuid() == 0 else None, "root: a network namespace of one's own")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "no network namespace of one's own")
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            what(Firewall())
        except BaseException as error:  # raised in the test's own thread
            failures.append(error)

    thread = threading.Thread(target=run, name="own network")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


class Firewall:
    """Drops packets in silence: no reset, no refusal, as when a cable is pulled between two switches."""

    def drop(self, port: int) -> None:
        """Nothing more from or to this port."""
        rules = ("type filter hook input priority 0", f"tcp dport {port} drop", f"tcp sport {port} drop")
        self._nft("\n".join(["table inet faults {", "chain dropping {", *rules, "}", "}", ""]))

    def heal(self) -> None:
        self._nft("delete table inet faults\n")

    def _nft(self, rules: str) -> None:
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, capture_output=True)
