"""Changes of a plan: who may take a visit, what is suggested."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may take a visit. Only people who can are candidates (NEEDS R-28)."""

    route_key: str
    practitioner_ref: str
    name: str
    note: str
    """'kjenner brukeren · 7 min kjøring'"""
    start: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """One suggested change of a plan."""

    appointment_ref: str
    patient_name: str
    title: str
    from_name: str
    to_route_key: str
    """'' when nobody can take it"""
    to_name: str
    to_practitioner_refs: tuple[str, ...]
    start: datetime
    end: datetime
    order: int
    travel_minutes: int
    reason: str
    """Why this one, in words; or why nobody"""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A plan the coordinator may accept, adjust or refuse. Nothing is written before that."""

    moves: tuple[Move, ...]
    unplaced: tuple[Move, ...]
    travel_before: int
    travel_after: int
    seconds: float
    title: str
