"""A patient outside the cache: looked up at the record, then kept for a while (a request to sync)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from clinician.cache.writing import Writing
from clinician.errors import UserProblem
from clinician.fhir.bundles import slices
from clinician.fhir.read import name_text
from clinician.fhir.reference import Raw
from clinician.record.client import form
from clinician.sync.line import Line
from clinician.sync.scope import TEMPORARY, ask_for, refresh
from clinician.texts import lazy

L = lazy("sync")
_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person the record knows. key: 'Patient/…'."""

    key: str
    name: str
    birth_text: str


def look_up(line: Line, words: str) -> tuple[Candidate, ...]:
    """People at the record by name or identity number. Raises UserProblem (too little) or Offline."""
    asked = words.strip()
    if len(asked) < 3:
        raise UserProblem(L("Write at least three letters, or the whole identity number."), field="words")
    query = [("identifier", asked)] if asked.isdigit() and len(asked) == 11 else _by_name(asked)
    answer = line.client.search("Patient", form([*query, ("_count", str(_MOST))]))
    return tuple(_candidate(orjson.loads(entry.body)) for entry in slices(answer.body).entries)


def _by_name(words: str) -> list[tuple[str, str]]:
    return [("name", word.replace(",", " ")) for word in words.split()]


def _candidate(raw: Raw) -> Candidate:
    return Candidate(f"Patient/{raw['id']}", name_text(raw), str(raw.get("birthDate", "")))


def request_patients(line: Line, patient_refs: Sequence[str]) -> None:
    """Bring these people into the cache for a day; their data come with the next round of sync."""
    now = line.clock.now()

    def work(writing: Writing) -> None:
        ask_for(writing, patient_refs, now + TEMPORARY)
        refresh(writing, line.plan, now)

    line.write(work)
