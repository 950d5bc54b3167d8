"""Staff: who works where, with what profession, competence and function."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice import names
from clinician.practice.numbers import Numbers, phone
from clinician.practice.persons import human_name
from clinician.practice.units import Unit
from clinician.practice.world import Named, World, concept, reference

PROFESSIONS: Final = {
    "SP": "Sykepleier",
    "HF": "Helsefagarbeider",
    "VP": "Vernepleier",
    "LE": "Lege",
    "FT": "Fysioterapeut",
    "ET": "Ergoterapeut",
    "PS": "Psykolog",
    "XX": "Ukjent/uspesifisert",
}
"""9060 code → display (the codes this municipality uses)"""
_COMPETENCES: Final = {
    "medication": "Legemiddelhåndtering",
    "insulin": "Insulin",
    "injection": "Injeksjoner",
    "wound": "Sårstell",
    "catheter": "Kateter",
    "palliative": "Lindrende behandling",
}
_FUNCTIONS: Final = {
    "coordinator": "Koordinator",
    "superuser": "Superbruker",
    "case-worker": "Saksbehandler",
    "therapist": "Behandler",
}
NURSE_SKILLS: Final = tuple(_COMPETENCES)


@dataclass(frozen=True, slots=True)
class Staff:
    """A person who works in a unit."""

    key: str
    ref: str
    role_ref: str
    unit: Unit
    given: str
    family: str
    gender: str
    profession: str
    competences: tuple[str, ...]
    functions: tuple[str, ...]
    language: str

    @property
    def name(self) -> str:
        """'Kari Lunde'."""
        return f"{self.given} {self.family}"

    @property
    def named(self) -> Named:
        """For reference(*named)."""
        return Named(self.ref, self.name)


class Roster:
    """Makes staff; raws() are Practitioner and PractitionerRole in the order made."""

    def __init__(self, world: World, numbers: Numbers) -> None:
        self.world, self.numbers = world, numbers
        self.raws: list[Raw] = []

    def hire(
        self,
        key: str,
        unit: Unit,
        profession: str,
        *,
        competences: tuple[str, ...] = (),
        functions: tuple[str, ...] = (),
        known: dict[str, Any] | None = None,
    ) -> Staff:
        """A colleague in a unit. `known` fixes given, family, gender, born, language."""
        dice = self.world.dice("staff", key)
        who = known or _drawn(dice, self.world.day.year)
        made = Staff(
            key=key,
            ref=self.world.ref("Practitioner", key),
            role_ref=self.world.ref("PractitionerRole", key),
            unit=unit,
            given=who["given"],
            family=who["family"],
            gender=who["gender"],
            profession=profession,
            competences=competences,
            functions=functions,
            language=who["language"],
        )
        self.raws += [self._practitioner(made, dice, who["born"]), self._role(made)]
        return made

    def _practitioner(self, who: Staff, dice: Random, born: int) -> Raw:
        name = human_name(who.given, who.family)
        return self.world.resource(
            "Practitioner",
            (who.key,),
            identifier=[{"system": codes.HPR, "value": self.numbers.hpr()}],
            active=True,
            name=[name],
            telecom=[{"system": "phone", "value": phone(dice), "use": "work"}],
            gender=who.gender,
            birthDate=str(born),
            communication=[concept("urn:ietf:bcp:47", who.language, _LANGUAGE[who.language])],
        )

    def _role(self, who: Staff) -> Raw:
        held = [concept(codes.PROFESSION, who.profession, PROFESSIONS[who.profession])]
        held += [concept(codes.CODE_COMPETENCE, code, _COMPETENCES[code]) for code in who.competences]
        held += [concept(codes.CODE_FUNCTION, code, _FUNCTIONS[code]) for code in who.functions]
        return self.world.resource(
            "PractitionerRole",
            (who.key,),
            active=True,
            practitioner=reference(who.ref, who.name),
            organization=reference(who.unit.ref, who.unit.name),
            code=held,
        )


_LANGUAGE: Final = {"nb": "Norsk bokmål", "nn": "Norsk nynorsk"}


def _drawn(dice: Random, year: int) -> dict[str, Any]:
    born = year - dice.randrange(23, 64)
    origin, gender = names.group(dice, born), dice.choices(("female", "male"), (78, 22))[0]
    family = names.family_name(dice, origin)
    given = names.given_name(dice, origin, gender, born, family)
    language = dice.choices(("nb", "nn"), (70, 30))[0]
    return {"given": given, "family": family, "gender": gender, "born": born, "language": language}
