"""A small Reading over plain dicts, and a record that carries out acts: for tests of queries and commands.

Kept honest by test_memory_contract: the real cache must answer the same.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from clinician.access.who import Who
from clinician.cache import declared
from clinician.cache.synced import EvidenceRow
from clinician.clock import OSLO
from clinician.commands.act import Act, Command, Stamp
from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.fhir.reference import ref_of, split_ref
from clinician.fhir.times import day_bounds, earliest_or_none, to_instant
from clinician.queries.query import Cached, Freshness, Raw, RowState

DAY = date(2026, 3, 3)
NOW = datetime(2026, 3, 3, 7, 10, tzinfo=OSLO)


def at(clock: str, day: date = DAY) -> datetime:
    """'08:30' on a Norwegian day."""
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OSLO)


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def _at(raw: Raw, paths: Iterable[tuple[str, ...]]) -> Iterator[Any]:
    for path in paths:
        yield from read.values_at(raw, ".".join(path))


def _bound(value: datetime | date, *, end: bool = False) -> datetime:
    return value if isinstance(value, datetime) else day_bounds(value)[0]


class MemoryReading:
    """Effective resources by reference."""

    def __init__(self, resources: Iterable[Raw] = ()) -> None:
        self.rows: dict[str, Cached] = {}
        self.as_of: datetime | None = NOW
        self.trail: list[EvidenceRow] = []
        for raw in resources:
            self.put(raw)

    def put(self, raw: Raw, state: RowState = RowState.CONFIRMED) -> str:
        ref = ref_of(raw)
        type_, id_ = split_ref(ref)
        self.rows[ref] = Cached(ref, type_, id_, read.version_of(raw), state, raw)
        return ref

    def get(self, ref: str) -> Cached | None:
        return self.rows.get(ref)

    def get_many(self, refs: Iterable[str]) -> Mapping[str, Cached]:
        return {ref: self.rows[ref] for ref in refs if ref in self.rows}

    def find(
        self,
        type_: str,
        *,
        patient: str | Iterable[str] | None = None,
        status: str | Iterable[str] | None = None,
        owner: str | Iterable[str] | None = None,
        code: str | Iterable[str] | None = None,
        start_from: datetime | date | None = None,
        start_before: datetime | date | None = None,
        token: tuple[str, str] | None = None,
        order: str = "start",
        descending: bool = False,
        limit: int | None = None,
    ) -> Iterator[Cached]:
        known = declared.of(type_)
        wanted: list[tuple[float, str, Cached]] = []
        for row in self.rows.values():
            if row.type != type_:
                continue
            raw = row.raw
            starts = (earliest_or_none(v) for v in _at(raw, known.start))
            start = next((s for s in starts if s is not None), None)
            refs = {r.get("reference") for r in _at(raw, known.owners) if isinstance(r, dict)}
            if patient is not None and read.patient_ref_of(raw) not in _listed(patient):
                continue
            if status is not None and not set(_listed(status)) & {
                str(v).lower() if isinstance(v, bool) else v for v in _at(raw, known.status)
            }:
                continue
            if owner is not None and not refs & set(_listed(owner)):
                continue
            if code is not None:
                held = {c for p in known.codes for c in read.codings(raw, ".".join(p))}
                keys = {c.key for c in held} | {c.code for c in held}
                if not keys & set(_listed(code)):
                    continue
            if start_from is not None and (start is None or start < _bound(start_from)):
                continue
            if start_before is not None and (start is None or start >= _bound(start_before)):
                continue
            if token is not None and token[1] not in self._tokens(raw, known, token[0]):
                continue
            wanted.append((start.timestamp() if start else 0.0, row.ref, row))
        key = (lambda one: one[1]) if order == "id" else (lambda one: one[:2])
        wanted.sort(key=key, reverse=descending)
        yield from (one[2] for one in wanted[:limit])

    @staticmethod
    def _tokens(raw: Raw, known: declared.Declared, name: str) -> set[str]:
        found: set[str] = set()
        for param, path in (*known.tokens, *([known.link] if known.link else [])):
            if param == name:
                found |= set(read.refs(raw, ".".join(path)))
        for param, url in (*known.extensions, *([known.link_extension] if known.link_extension else [])):
            if param == name:
                found |= {v["reference"] for v in read.extensions(raw, url) if isinstance(v, dict)}
        return found

    def search_patients(self, words: Sequence[str], *, limit: int = 50) -> list[Cached]:
        return []

    def count(self, type_: str, *, status: str | Iterable[str] | None = None) -> int:
        return sum(1 for _ in self.find(type_, status=status))

    def evidence(self, patient_ref: str | None = None, *, limit: int = 200) -> tuple[EvidenceRow, ...]:
        return tuple(self.trail[:limit])

    def freshness(self, types: Iterable[str]) -> Freshness:
        return Freshness(self.as_of, True)


ME = Who(
    practitioner_ref="Practitioner/me",
    role_ref="PractitionerRole/me",
    name="Silje Nygård",
    initials="SN",
    workplace_ref="Organization/nord",
    workplace_name="Nord",
)


class Desk:
    """Carries out commands on a MemoryReading as the bus would, one instant at a time."""

    def __init__(self, reading: MemoryReading, now: datetime = NOW, who: Who = ME) -> None:
        self.reading, self.now, self.who = reading, now, who
        self.acts: list[Act] = []

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.who, self.now, lambda: str(uuid.uuid4()))

    def problems(self, command: Command) -> tuple[UserProblem, ...]:
        return command.check(self.reading, self.stamp)

    def do(self, command: Command) -> tuple[Act, ...]:
        """check, build, write. Raises the first problem."""
        problems = self.problems(command)
        if problems:
            raise problems[0]
        acts = command.build(self.reading, self.stamp)
        for act in acts:
            for change in act.changes:
                ref = ref_of(change.raw)
                had = self.reading.get(ref)
                assert (had is None) == (change.base is None), ref
                assert change.base is None or change.base == had, ref
                self.reading.put(copy.deepcopy(change.raw), RowState.QUEUED)
        self.acts += acts
        return acts


# a small zone


def practitioner(key: str, name: str, gender: str = "female") -> Raw:
    given, _, family = name.rpartition(" ")
    return {
        "resourceType": "Practitioner",
        "id": key,
        "gender": gender,
        "name": [{"use": "official", "given": [given], "family": family}],
    }


def role(key: str, *competences: str, profession: str = "SP", workplace: str = "Organization/nord") -> Raw:
    coded = [{"coding": [{"system": codes.PROFESSION, "code": profession}]}]
    coded += [{"coding": [{"system": codes.CODE_COMPETENCE, "code": c}]} for c in competences]
    return {
        "resourceType": "PractitionerRole",
        "id": key,
        "practitioner": {"reference": f"Practitioner/{key}"},
        "organization": {"reference": workplace},
        "code": coded,
    }


def schedule(key: str, who: str, start: str = "07:15", end: str = "15:00", day: date = DAY) -> Raw:
    return {
        "resourceType": "Schedule",
        "id": key,
        "active": True,
        "comment": f"Nord {key}",
        "actor": [{"reference": f"Practitioner/{who}"}, {"reference": "HealthcareService/nord"}],
        "planningHorizon": {"start": to_instant(at(start, day)), "end": to_instant(at(end, day))},
    }


def patient(key: str, name: str = "Ola Berg", *, lat: float = 63.75, lon: float = 11.3) -> Raw:
    given, _, family = name.rpartition(" ")
    return {
        "resourceType": "Patient",
        "id": key,
        "birthDate": "1942-03-12",
        "name": [{"use": "official", "given": [given], "family": family}],
        "telecom": [{"system": "phone", "value": "90000000", "use": "mobile"}],
        "address": [
            {
                "use": "home",
                "line": ["Elvegata 3"],
                "postalCode": "7600",
                "city": "Levanger",
                "extension": [
                    {
                        "url": codes.EXT_GEO,
                        "extension": [
                            {"url": "latitude", "valueDecimal": lat},
                            {"url": "longitude", "valueDecimal": lon},
                        ],
                    }
                ],
            }
        ],
    }


def episode(patient_key: str, workplace: str = "Organization/nord") -> Raw:
    return {
        "resourceType": "EpisodeOfCare",
        "id": f"e-{patient_key}",
        "status": "active",
        "patient": {"reference": f"Patient/{patient_key}"},
        "managingOrganization": {"reference": workplace},
    }


def visit(
    key: str,
    start: str = "08:00",
    minutes: int = 20,
    *,
    who: Sequence[str] = ("me",),
    of: str = "ola",
    status: str = "booked",
    route: str = "r-me",
    window: tuple[str, str] | None = None,
    fixed: bool = False,
    staff: int = 1,
    needs: Sequence[str] = (),
    wish: str = "",
    firm: bool = False,
    travel: int | None = None,
    order: int | None = None,
    service: str = "",
    day: date = DAY,
    **more: Any,
) -> Raw:
    begin = at(start, day)
    extensions: list[Raw] = []

    def add(url: str, **value: Any) -> None:
        extensions.append({"url": url, **value})

    if window:
        add(codes.EXT_WINDOW_START, valueDateTime=to_instant(at(window[0], day)))
        add(codes.EXT_WINDOW_END, valueDateTime=to_instant(at(window[1], day)))
    if fixed:
        add(codes.EXT_FIXED_TIME, valueBoolean=True)
    if staff > 1:
        add(codes.EXT_STAFF_COUNT, valuePositiveInt=staff)
    for need in needs:
        system = codes.PROFESSION if need.isupper() else codes.CODE_COMPETENCE
        add(codes.EXT_COMPETENCE, valueCoding={"system": system, "code": need})
    if wish:
        add(codes.EXT_WISH, valueCode=wish)
        add(codes.EXT_WISH_FIRM, valueBoolean=firm)
    if route and who:
        add(codes.EXT_ROUTE, valueReference={"reference": f"Schedule/{route}"})
    if order:
        add(codes.EXT_ROUTE_ORDER, valuePositiveInt=order)
    if travel is not None:
        add(codes.EXT_TRAVEL, valuePositiveInt=travel)
    actors = [f"Patient/{of}", *(f"Practitioner/{one}" for one in who)]
    raw: Raw = {
        "resourceType": "Appointment",
        "id": key,
        "status": status,
        "description": "Morgenstell · Insulin",
        "start": to_instant(begin),
        "end": to_instant(begin + timedelta(minutes=minutes)),
        "minutesDuration": minutes,
        "created": to_instant(at("12:00", day - timedelta(days=7))),
        "participant": [{"actor": {"reference": ref}, "status": "accepted"} for ref in actors],
        "meta": {"versionId": "1", "lastUpdated": to_instant(at("12:00", day - timedelta(days=7)))},
    }
    if extensions:
        raw["extension"] = extensions
    if service:
        raw["basedOn"] = [{"reference": f"ServiceRequest/{service}"}]
    return raw | more


def task(
    key: str,
    focus: str = "v1",
    *,
    of: str = "ola",
    measure: str = "insulin",
    status: str = "ready",
    start: str = "08:00",
    day: date = DAY,
    **more: Any,
) -> Raw:
    return {
        "resourceType": "Task",
        "id": key,
        "status": status,
        "intent": "order",
        "focus": {"reference": f"Appointment/{focus}"},
        "for": {"reference": f"Patient/{of}"},
        "code": {
            "coding": [
                {"system": codes.CODE_MEASURE, "code": measure},
                {"system": codes.CODE_TASK, "code": "measure"},
            ],
            "text": measure.capitalize(),
        },
        "executionPeriod": {"start": to_instant(at(start, day))},
        "meta": {"versionId": "1"},
    } | more


def zone(*visits: Raw) -> MemoryReading:
    """Nord with me, a nurse, a helper and a male nurse; Ola and Eva; and these visits."""
    return MemoryReading(
        [
            {"resourceType": "Organization", "id": "nord", "name": "Nord"},
            practitioner("me", "Silje Nygård"),
            practitioner("kari", "Kari Lunde"),
            practitioner("jonas", "Jonas Bakken", "male"),
            practitioner("haakon", "Håkon Vatne", "male"),
            role("me", "medication", "insulin"),
            role("kari", "medication", "insulin", "wound"),
            role("jonas", "medication", profession="HF"),
            role("haakon", "medication", "insulin"),
            schedule("r-me", "me"),
            schedule("r-kari", "kari"),
            schedule("r-jonas", "jonas"),
            schedule("r-haakon", "haakon"),
            patient("ola", "Ola Berg"),
            patient("eva", "Eva Moe", lat=63.76, lon=11.32),
            episode("ola"),
            episode("eva"),
            *visits,
        ]
    )
