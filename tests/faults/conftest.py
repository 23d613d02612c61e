"""A floor for each test: its server plain or twisted, its screens on the browser's numbers or on quick ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.floor import UNITS, Floor, add_second_gateway, twisted
from tests.support.screen import Rules
from tests.support.server import Server
from tests.support.sse import sign_in

NewFloor = Callable[..., Floor]
QUICK = {"HOSPITAL_BEAT_S": "0.5"}


@dataclass(frozen=True)
class Seated:
    """A database in which everybody has signed in, and their cookies."""

    file: Path
    cookies: dict[str, str]


class PinnedServer(Server):
    """`processor`: the one that it runs on; None: any."""

    processor: int | None = None

    def start(self, *wrapper: str) -> None:
        pinned = () if self.processor is None else ("taskset", "-c", str(self.processor))
        super().start(*pinned, *wrapper)


@pytest.fixture(scope="session")
def seated(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Seated:
    """Made once for the run, since passwords are slow to check on purpose."""
    folder = tmp_path_factory.mktemp("seated")
    (folder / "hospital.db").write_bytes(furnished.read_bytes())
    server = Server(folder)
    add_second_gateway(server)
    server.start()
    cookies = {name: sign_in(server.port, name).cookie for name in UNITS}
    server.stop()
    return Seated(folder / "hospital.db", cookies)


class Floors:
    """Makes floors, each in a folder of its own. Needs close()."""

    def __init__(self, seated: Seated, folder: Path) -> None:
        self._seated, self._folder = seated, folder
        self._made: list[Floor] = []

    def make(
        self,
        *twists: str,
        quick: bool = True,
        receive_buffer_bytes: int = 0,
        folder: Path | None = None,
        on_processor: int | None = None,
        **environment: str,
    ) -> Floor:
        folder = folder or self._folder / f"floor-{len(self._made)}"
        folder.mkdir(exist_ok=True)
        (folder / "hospital.db").write_bytes(self._seated.file.read_bytes())
        many = {"HOSPITAL_STREAMS_PER_PERSON": "100000"}
        server = PinnedServer(folder, many | (QUICK if quick else {}) | environment)
        server.processor = on_processor
        server.start(*(twisted(*twists) if twists else ()))
        rules = Rules.quick() if quick else Rules()
        self._made.append(Floor(server, self._seated.cookies, rules=rules, receive_buffer_bytes=receive_buffer_bytes))
        return self._made[-1]

    def close(self) -> None:
        for floor in self._made:
            floor.close()
            floor.server.stop()


@pytest.fixture
def new_floor(seated: Seated, tmp_path: Path) -> Iterator[NewFloor]:
    """new_floor("a-twist", quick=True, HOSPITAL_…="1"): a server that runs, and nobody there yet."""
    floors = Floors(seated, tmp_path)
    yield floors.make
    floors.close()
