"""Who lies where in the demo hospital. Every patient is invented; the names exercise UTF-8 and long fields."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

DEMO_BEDS = tuple((unit, f"{unit}-{n:02}") for unit, beds in (("MED", 12), ("ICU", 8)) for n in range(1, beds + 1))
UNRULINESS = (1, 1, 1, 2, 5)  # a few patients cause most of the alarms


@dataclass(frozen=True)
class Patient:
    number: str
    family: str
    given: str
    born: date
    sex: str


@dataclass(frozen=True)
class Bed:
    """`patient` None: somebody lies here, but nobody has told the monitor who."""

    unit: str
    name: str
    patient: Patient | None
    unruliness: int


def admit(rng: Random) -> list[Bed]:
    """Fill the demo hospital: every bed taken, one of them by somebody unidentified."""
    numbers = rng.sample(range(10**7, 10**8), len(_INVENTED))
    invented = [_patient(rng, number, *person) for number, person in zip(numbers, _INVENTED, strict=True)]
    lying = [*invented, None]
    rng.shuffle(lying)
    return [
        Bed(unit, name, patient, rng.choice(UNRULINESS)) for (unit, name), patient in zip(DEMO_BEDS, lying, strict=True)
    ]


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
