"""Who is at the workstation: a practitioner in a role at a workplace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SUPERUSER: Final = "superuser"
"""The function of who looks after a workplace's set-up"""


@dataclass(frozen=True, slots=True)
class Who:
    """The person acting. References are FHIR references ('Practitioner/…').

    professions: codes of 9060 (SP nurse, HF helsefagarbeider …).
    competences: codes of CODE_COMPETENCE in clinician.fhir.codes.
    functions: 'coordinator', 'superuser' … codes of CODE_FUNCTION.
    """

    practitioner_ref: str
    role_ref: str
    name: str
    initials: str
    workplace_ref: str
    workplace_name: str
    professions: frozenset[str] = frozenset()
    competences: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()

    @property
    def is_superuser(self) -> bool:
        """Whether the person looks after this workplace's set-up."""
        return SUPERUSER in self.functions
