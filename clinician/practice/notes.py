"""Notes in the writer's own Norwegian: DocumentReference with a plain text."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

from clinician.fhir import codes
from clinician.fhir.reference import Raw
from clinician.practice.data import table
from clinician.practice.measured import level
from clinician.practice.persons import Kin, Person
from clinician.practice.staff import Staff
from clinician.practice.world import World, concept, reference

_KINDS: Final = {"daily-note": "Dagsnotat", "visit-note": "Besøksnotat", "handover": "Overlapp"}


def note(
    world: World,
    key: tuple[str, ...],
    person: Person,
    author: Staff,
    when: str,
    kind: str,
    text: str,
    encounter: str = "",
    appointment: str = "",
) -> Raw:
    """One note; `when` as FHIR writes it."""
    context: Raw = {}
    if encounter:
        context["encounter"] = [reference(encounter)]
    if appointment:
        context["related"] = [reference(appointment)]
    data = base64.b64encode(text.encode()).decode("ascii")
    language = author.language
    attachment = {"contentType": "text/plain;charset=utf-8", "language": language, "data": data}
    return world.resource(
        "DocumentReference",
        key,
        status="current",
        docStatus="final",
        type=concept(codes.CODE_NOTE, kind, _KINDS[kind]),
        subject=reference(person.ref),
        date=when,
        author=[reference(author.ref, author.name)],
        content=[{"attachment": attachment}],
        context=context,
    )


def words(
    world: World,
    theme: str,
    person: Person,
    profile: str,
    author: Staff,
    kin: Kin | None,
    offset: int,
    key: str,
) -> str:
    """A text of a theme in the author's Norwegian, filled with what was measured that day."""
    dice = world.dice("note", person.key, str(offset), key)
    text: str = dice.choice(table("notes")[theme][author.language])
    upper = round(level(world, person, profile, "blood-pressure", offset))
    female = person.gender == "female"
    nynorsk = author.language == "nn"
    filled = text.format(
        bt=f"{upper}/{round(upper * 0.42 + 22)}",
        glucose=_decimal(level(world, person, profile, "glucose", offset)),
        weight=f"{_decimal(level(world, person, profile, 'weight', offset))} kg",
        kin=_who(kin, nynorsk),
        hun=("ho" if nynorsk else "hun") if female else "han",
        henne="henne" if female else ("han" if nynorsk else "ham"),
    )
    return _SENTENCE.sub(lambda found: found[0].upper(), filled)


_SENTENCE: Final = re.compile(r"(?:^|(?<=[.!?] ))[a-zæøå]")


def _decimal(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")


_RELATION: Final = {
    "Datter": ("Datteren", "Dottera"),
    "Sønn": ("Sønnen", "Sonen"),
    "Ektefelle": ("Ektefellen", "Ektemaken"),
    "Søster": ("Søsteren", "Systera"),
    "Bror": ("Broren", "Broren"),
    "Nabo": ("Naboen", "Naboen"),
    "Niese": ("Niesen", "Niesa"),
    "Nevø": ("Nevøen", "Nevøen"),
}


def _who(kin: Kin | None, nynorsk: bool) -> str:
    return (_RELATION[kin.relation][nynorsk] if kin else "Naboen").lower()


def diary(
    world: World, person: Person, profile: str, theme: str, staff: list[Staff], kin: Kin | None
) -> Iterator[Raw]:
    """Notes of the last four months, more of them lately."""
    dice = world.dice("diary", person.key)
    offset = -115 + dice.randrange(12)
    last = ""
    while offset < -3:
        author = dice.choice(staff)
        text = words(world, theme, person, profile, author, kin, offset, "diary")
        if text != last:
            when = world.stamp(offset, dice.randrange(8 * 60, 21 * 60))
            key = ("diary", person.key, str(offset))
            yield note(world, key, person, author, when, "daily-note", text)
        last, offset = text, offset + dice.randrange(6, 26)
