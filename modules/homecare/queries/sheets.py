"""What the day list and the zone list are printed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from clinician import texts
from clinician.clock import oslo
from clinician.fhir import codes, read
from clinician.queries.query import Cached, Raw, Reading, RowState, query
from modules.homecare import labels
from modules.homecare.queries.loading import (
    access_flag,
    access_hint,
    encounters_by_visit,
    flag_code,
    flags_by_patient,
    names_of,
    of_workplace,
    patient_name,
    patients_of,
    raws_of_visits,
    status_text,
    task_title,
    tasks_by_visit,
    visit_title,
    visits_of_day,
)
from modules.homecare.queries.my_day import my_visits
from modules.homecare.queries.routes import Route, routes_of, shift_text
from modules.homecare.rows import AccessLine, Sheet, SheetRoute, SheetVisit, VisitState
from modules.homecare.rules.visits import Visit
from modules.homecare.words import birth_text, long_day_text, minutes_text, span_text, when_text

_ = texts.translator("homecare")
_WATCHED = ("Appointment", "Task", "Encounter", "Patient", "Flag", "Schedule", "AllergyIntolerance")
_REMARKS = ("new-user", "pet", "smoker", "wish")
"""Flags to know, not to be warned of"""
_GONE = frozenset({VisitState.MOVED, VisitState.CANCELLED})


@query(watches=_WATCHED, audit="practitioner_ref")
def day_sheet(
    reading: Reading,
    *,
    practitioner_ref: str,
    workplace_ref: str,
    day: date,
    now: datetime,
    with_access: bool = False,
) -> Sheet:
    """One person's day; with_access adds the key sheet. The printing is recorded as a read."""
    visits = my_visits(reading, practitioner_ref, day)
    routes = [
        route
        for route in routes_of(reading, workplace_ref, day)
        if route.person.practitioner_ref == practitioner_ref
    ]
    name = names_of(reading, [practitioner_ref], raws_of_visits(reading, visits)).get(practitioner_ref, "")
    detail = _route_detail(routes[0]) if routes else ""
    lanes = [(practitioner_ref, name, detail, visits)]
    return _sheet(reading, lanes, workplace_ref, day, now, with_access=with_access)


@query(watches=_WATCHED, audit="workplace_ref")
def zone_sheet(
    reading: Reading, *, workplace_ref: str, day: date, now: datetime, with_access: bool = False
) -> Sheet:
    """All routes of the day, unassigned first. The printing is recorded as a read."""
    routes = routes_of(reading, workplace_ref, day)
    visits = of_workplace(reading, visits_of_day(reading, day), workplace_ref, (r.ref for r in routes))
    loose = tuple(visit for visit in visits if not visit.practitioner_refs)
    lanes = [("", _("Unassigned"), "", loose)] if loose else []
    seen: set[str] = set()
    for route in routes:
        person = route.person.practitioner_ref
        own = tuple(visit for visit in visits if person in visit.practitioner_refs)
        seen.update(visit.ref for visit in own)
        lanes.append((route.ref, route.person.name, _route_detail(route), own))
    rest = tuple(v for v in visits if v.practitioner_refs and v.ref not in seen)
    if rest:
        lanes.append(("other", _("On no route"), "", rest))
    return _sheet(reading, lanes, workplace_ref, day, now, with_access=with_access)


def _route_detail(route: Route) -> str:
    professions = ", ".join(labels.label(labels.COMPETENCES, code) for code in route.professions)
    parts = (route.name, professions, shift_text(route.person), route.absent_words)
    return " · ".join(part for part in parts if part)


_Lane = tuple[str, str, str, tuple[Visit, ...]]


def _sheet(
    reading: Reading,
    lanes: Iterable[_Lane],
    workplace_ref: str,
    day: date,
    now: datetime,
    *,
    with_access: bool,
) -> Sheet:
    lanes = [(key, name, detail, _standing(visits)) for key, name, detail, visits in lanes]
    visits = [visit for *_head, held in lanes for visit in held]
    patients = patients_of(reading, (visit.patient_ref for visit in visits))
    flags = flags_by_patient(reading, patients, now)
    lines = _lines(reading, visits, patients, flags, day, now)
    fresh = reading.freshness(("Appointment", "Task", "Patient"))
    workplace = reading.get(workplace_ref) if workplace_ref else None
    return Sheet(
        day_text=long_day_text(day),
        workplace_name=read.name_text(workplace.raw) if workplace else "",
        routes=tuple(
            SheetRoute(key, name, detail, tuple(lines[v.ref] for v in held))
            for key, name, detail, held in lanes
        ),
        access=_access(patients, flags) if with_access else (),
        as_of=fresh.as_of,
        complete=fresh.complete,
        is_practice=any(read.is_practice(patient) for patient in patients.values()),
        waiting=sum(line.state is not RowState.CONFIRMED for line in lines.values()),
    )


def _standing(visits: Iterable[Visit]) -> tuple[Visit, ...]:
    """Moved and cancelled visits are not to be driven."""
    return tuple(visit for visit in visits if visit.state not in _GONE)


def _lines(
    reading: Reading,
    visits: list[Visit],
    patients: Mapping[str, Raw],
    flags: Mapping[str, list[Cached]],
    day: date,
    now: datetime,
) -> dict[str, SheetVisit]:
    tasks, encounters = tasks_by_visit(reading, visits), encounters_by_visit(reading, visits)
    cached = reading.get_many(visit.ref for visit in visits)
    people = (ref for visit in visits for ref in visit.practitioner_refs)
    names = names_of(reading, people, (one.raw for one in cached.values()))
    allergies = _allergies(reading, patients)
    found = {}
    for visit in visits:
        patient, own = patients.get(visit.patient_ref, {}), tasks.get(visit.ref, [])
        warnings = [
            _flag_words(f)
            for f in flags.get(visit.patient_ref, ())
            if flag_code(f.raw) not in ("access", *_REMARKS)
        ]
        found[visit.ref] = SheetVisit(
            key=visit.ref,
            time_text=_time(visit, day, now),
            patient_name=patient_name(patients, visit.patient_ref),
            birth_text=birth_text(patient),
            address=read.address_text(patient),
            phone=read.phone(patient),
            access_hint=access_hint(flags.get(visit.patient_ref, ())),
            tasks=tuple(task_title(task.raw) for task in own) or (visit_title(visit, ()),),
            warnings=(*allergies.get(visit.patient_ref, ()), *warnings),
            marks=_marks(visit, flags.get(visit.patient_ref, ())),
            colleague_text=_people(visit, names) if visit.staff_count > 1 else "",
            travel_text=minutes_text(visit.travel_minutes) if visit.travel_minutes else "",
            comment=visit.comment,
            status_text=status_text(visit, cached[visit.ref].raw, encounters.get(visit.ref)),
            state=visit.row_state,
        )
    return found


def _time(visit: Visit, day: date, now: datetime) -> str:
    """'08:00–08:20', with the day where it is left from an earlier one."""
    if visit.start is not None and oslo(visit.start).date() != day:
        return when_text(visit.start, now)
    return span_text(visit.start, visit.end)


def _allergies(reading: Reading, patients: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    wanted = list(patients)
    for one in reading.find("AllergyIntolerance", patient=wanted) if wanted else ():
        if read.code_in(one.raw, "clinicalStatus", codes.ALLERGY_CLINICAL) in ("", "active"):
            words = _("Allergy: {what}", what=read.title_of(one.raw))
            found.setdefault(read.patient_ref_of(one.raw), []).append(words)
    return found


def _flag_words(flag: Cached) -> str:
    return read.text_at(flag.raw, "code.text") or labels.label(labels.FLAGS, flag_code(flag.raw))


def _marks(visit: Visit, flags: Iterable[Cached]) -> str:
    marks = (
        _("two persons") if visit.staff_count > 1 else "",
        _("fixed time") if visit.is_fixed else "",
        *(_flag_words(flag) for flag in flags if flag_code(flag.raw) in _REMARKS),
    )
    return " · ".join(mark for mark in marks if mark)


def _people(visit: Visit, names: Mapping[str, str]) -> str:
    return ", ".join(names[ref] for ref in visit.practitioner_refs)


def _access(patients: Mapping[str, Raw], flags: Mapping[str, list[Cached]]) -> tuple[AccessLine, ...]:
    """The key sheet: those who have key information, by name."""
    found = []
    for ref, patient in patients.items():
        flag = access_flag(flags.get(ref, ()))
        secret = read.extension(flag.raw, codes.EXT_ACCESS) if flag else None
        if isinstance(secret, str):
            found.append(
                AccessLine(
                    ref,
                    patient_name(patients, ref),
                    birth_text(patient),
                    read.address_text(patient),
                    secret,
                )
            )
    return tuple(sorted(found, key=lambda line: line.patient_name))
