"""Who lies where in the demo hospital. Every patient is invented; the names exercise UTF-8 and long fields."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

DEMO_BEDS = tuple((unit, f"{unit}-{n:02}") for unit, beds in (("MED", 12), ("ICU", 8)) for n in range(1, beds + 1))
_UNRULINESS = (1, 1, 1, 2, 5)  # a few patients cause most of the alarms


@dataclass(frozen=True)
class Patient:
    number: str
    family: str
    given: str
    born: date
    sex: str


@dataclass(frozen=True)
class Bed:
    """`patient` None: somebody lies here, but nobody has told the monitor who. `unruliness` 5: five times as many
    alarms as a calm patient."""

    unit: str
    name: str
    patient: Patient | None
    unruliness: float = 1.0


def admit(seed: int, beds: int = len(DEMO_BEDS)) -> list[Bed]:
    """Fill the demo hospital or a part of it, three fifths of it MED; one of its twenty beds by somebody unidentified.

    In a bed lies the same patient however many beds there are. More than twenty go on as MED-13, ICU-09 and so on.
    """
    demo = {bed.name: bed for bed in _demo(seed)}
    medical = -(-beds * 3 // 5)
    names = [("MED", n + 1) for n in range(medical)] + [("ICU", n + 1) for n in range(beds - medical)]
    return [demo.get(f"{unit}-{n:02}") or _further(seed, unit, f"{unit}-{n:02}") for unit, n in names]


def unit_of(bed: str) -> str:
    """MED of MED-03."""
    return bed.rpartition("-")[0] or bed


def _demo(seed: int) -> list[Bed]:
    rng = Random(seed)
    numbers = rng.sample(range(10**7, 10**8), len(_INVENTED))
    invented = [_patient(rng, number, *person) for number, person in zip(numbers, _INVENTED, strict=True)]
    lying = [*invented, None]
    rng.shuffle(lying)
    unruliness = [share for share in _UNRULINESS for _ in range(len(DEMO_BEDS) // len(_UNRULINESS))]
    rng.shuffle(unruliness)
    return [
        Bed(unit, name, patient, share)
        for (unit, name), patient, share in zip(DEMO_BEDS, lying, unruliness, strict=True)
    ]


def _further(seed: int, unit: str, name: str) -> Bed:
    rng = Random(f"{seed}/{name}/patient")
    (family, _, _), (_, given, sex) = rng.choice(_INVENTED), rng.choice(_INVENTED)
    return Bed(unit, name, _patient(rng, rng.randrange(10**8, 10**9), family, given, sex), rng.choice(_UNRULINESS))


def _patient(rng: Random, number: int, family: str, given: str, sex: str) -> Patient:
    born = date(1932, 1, 1) + timedelta(days=rng.randrange(74 * 365))
    return Patient(f"SIM{number}", family, given, born, sex)


_INVENTED = (
    ("Ångström-Testdotter", "Ylva", "F"),
    ("Muñoz Ficticio", "Íñigo", "M"),
    ("Brambleby", "Penelope", "F"),
    ("Thistlewick", "Bartholomew", "M"),
    ("O'Nowhere", "Saoirse", "F"),
    ("Musterfrau-Größe", "Käthe", "F"),
    ("Inventé", "Anaïs", "F"),
    ("Zmyślona", "Żaneta", "F"),
    ("Vymyšlený", "Přemysl", "M"),
    ("Hayalî", "Gülşen", "F"),
    ("Φανταστικός", "Οδυσσέας", "M"),
    ("Выдуманный", "Фёдор", "M"),
    ("架空", "花子", "F"),
    ("Di Fantasia", "Niccolò", "M"),
    ("Fictício de Sá e Brandão", "João Sebastião", "M"),
    ("Tuulentupa", "Väinö", "M"),
    ("Skáldsaga", "Þórdís", "F"),
    ("Van Nergenshuizen", "Zoë", "F"),
    ("Nobody", "Al", "M"),
)
