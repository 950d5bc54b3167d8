"""What is fetched for a workplace: rules of modules become searches by chunks of patients (SYNC §1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from urllib.parse import parse_qsl

from clinician.fhir.search_params import for_type
from clinician.record.client import form

CHUNK: Final = 50
"""Patients asked for at once."""
_OWNERS: Final = ("{organization}", "{organization_id}", "{practitioner}")
_WINDOW_PARAM: Final = {
    "Appointment": "date",
    "AuditEvent": "date",
    "CarePlan": "date",
    "Communication": "sent",
    "DocumentReference": "date",
    "Encounter": "date",
    "MedicationAdministration": "effective-time",
    "MedicationRequest": "authoredon",
    "Observation": "date",
    "Provenance": "recorded",
    "Task": "modified",
}
FIRST_LISTS: Final = 6
"""Rules up to this priority make a list to work from: who belongs here, their visits, what is open."""
LIVE_STATUSES: Final = ("planned", "waitlist", "active", "onhold")


@dataclass(frozen=True, slots=True)
class SyncRule:
    """One line of a module's [[sync]].

    search: FHIR search with {organization} ('Organization/…'), {organization_id} (the id alone, for what has
    the same id: HealthcareService/{organization_id}), {practitioner}, {date} (today − window). window: days
    back, 0 for all. priority: lower is fetched first. repeats: most of what it finds came with an earlier
    rule of the type, so a full pass asks for ids first and fetches only what is not here.
    """

    type: str
    search: str = ""
    window: int = 0
    priority: int = 50
    repeats: bool = False

    @property
    def name(self) -> str:
        """Stable over days: the watermark belongs to it."""
        return f"{self.type}?{self.search}#{self.window}"

    @property
    def by_patient(self) -> bool:
        """Asked per chunk of patients; otherwise it belongs to the workplace or the municipality."""
        owned = any(owner in self.search for owner in _OWNERS)
        return not owned and patient_parameter(self.type) != ""


MEMBERSHIP: Final = SyncRule("EpisodeOfCare", "organization={organization}", priority=0)
CORE_RULES: Final = (
    MEMBERSHIP,
    SyncRule("Organization", "", priority=1),
    SyncRule("PractitionerRole", "organization={organization}", priority=1),
    SyncRule("Practitioner", "_has:PractitionerRole:practitioner:organization={organization}", priority=1),
    SyncRule("Patient", "", priority=2),
    SyncRule("AllergyIntolerance", "", priority=20),
    SyncRule("Flag", "", priority=20),
)


@dataclass(frozen=True, slots=True)
class Key:
    """What a watermark belongs to: a rule and a chunk of patients ('' where it is not by patient)."""

    rule: SyncRule
    chunk: str = ""

    @property
    def name(self) -> str:
        return f"{self.rule.name}|{self.chunk}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything this workplace keeps. rules are in order of priority, each once."""

    workplace_ref: str
    rules: tuple[SyncRule, ...]
    practitioner_ref: str = ""

    @property
    def types(self) -> frozenset[str]:
        """The types that are kept."""
        return frozenset(rule.type for rule in self.rules)

    def keys(self, chunks: Iterable[str]) -> Iterator[Key]:
        """Every key, by priority."""
        named = tuple(chunks)
        for rule in self.rules:
            if rule.by_patient:
                yield from (Key(rule, chunk) for chunk in named)
            else:
                yield Key(rule)

    def query(self, key: Key, patients: Sequence[str], today: date) -> list[tuple[str, str]]:
        """The search of a key, without paging. patients: ids of the chunk; today: a Norwegian day."""
        filled = self._filled(key.rule, today)
        if key.rule.by_patient:
            filled.insert(0, (patient_parameter(key.rule.type), ",".join(patients)))
        return filled

    def _filled(self, rule: SyncRule, today: date) -> list[tuple[str, str]]:
        since = (today - timedelta(days=rule.window)).isoformat()
        text = rule.search.replace("{date}", since)
        text = text.replace("{organization}", self.workplace_ref)
        text = text.replace("{organization_id}", self.workplace_ref.partition("/")[2])
        text = text.replace("{practitioner}", self.practitioner_ref)
        filled = parse_qsl(text, keep_blank_values=True)
        if rule.window and "{date}" not in rule.search and rule.type in _WINDOW_PARAM:
            filled.append((_WINDOW_PARAM[rule.type], f"ge{since}"))
        return filled


def patient_parameter(type_: str) -> str:
    """The search parameter that names the patient; '' for a type that has none."""
    if type_ == "Patient":
        return "_id"
    return "patient" if "patient" in for_type(type_) else ""


def make_plan(rules: Iterable[SyncRule], *, workplace_ref: str, practitioner_ref: str = "") -> Plan:
    """The modules' rules and the core's, each search once, at its most urgent priority."""
    found: dict[str, SyncRule] = {}
    for rule in (*CORE_RULES, *rules):
        if "{practitioner}" in rule.search and not practitioner_ref:
            continue
        had = found.get(rule.name)
        found[rule.name] = rule if had is None else replace(had, priority=min(had.priority, rule.priority))
    ordered = sorted(found.values(), key=lambda rule: (rule.priority, rule.name))
    return Plan(workplace_ref, tuple(ordered), practitioner_ref)


def encoded(query: Iterable[tuple[str, str]]) -> str:
    """A search as text, for a form body or an entry of a batch."""
    return form(query)
