"""All routes of the day side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from clinician import texts
from clinician.queries.query import Reading, query
from modules.homecare import labels
from modules.homecare.queries.loading import (
    names_of,
    of_workplace,
    patient_name,
    patients_of,
    raws_of_visits,
    tasks_by_visit,
    visit_title,
    visits_of_day,
)
from modules.homecare.queries.planning import why_texts
from modules.homecare.queries.routes import Route, competence_text, routes_of
from modules.homecare.rows import VisitState, ZoneDay, ZoneRoute, ZoneVisit
from modules.homecare.rules.planning import Person
from modules.homecare.rules.visits import OPEN_STATES, Visit, late_minutes, sums_of
from modules.homecare.words import initials_of, minutes_text

_ = texts.translator("homecare")


@query(
    watches=(
        "Appointment",
        "Schedule",
        "PractitionerRole",
        "Practitioner",
        "Encounter",
        "Task",
        "Patient",
        "EpisodeOfCare",
    )
)
def zone_day(reading: Reading, *, workplace_ref: str, day: date, now: datetime) -> ZoneDay:
    """Lanes with their visits; what nobody has, or too few have, lies in `unassigned`."""
    routes = routes_of(reading, workplace_ref, day)
    visits = of_workplace(reading, visits_of_day(reading, day), workplace_ref, (r.ref for r in routes))
    lacking = tuple(visit for visit in visits if lacks_staff(visit))
    why = why_texts(reading, workplace_ref, day, now, lacking) if lacking else {}
    blocks = _blocks(reading, visits, why, now)
    lanes = _lanes(reading, routes, visits)
    fresh = reading.freshness(("Appointment", "Schedule"))
    return ZoneDay(
        routes=tuple(_lane_row(lane, blocks) for lane in lanes),
        unassigned=tuple(blocks[visit.ref] for visit in lacking),
        sums=sums_of(visits, now),
        as_of=fresh.as_of,
        complete=fresh.complete,
    )


def lacks_staff(visit: Visit) -> bool:
    """Open, and fewer persons on it than it needs."""
    return (
        visit.state in OPEN_STATES
        and visit.state is not VisitState.IN_PROGRESS
        and len(visit.practitioner_refs) < visit.staff_count
    )


@dataclass(frozen=True, slots=True)
class _Lane:
    route: Route
    visits: tuple[Visit, ...]


def _lanes(reading: Reading, routes: tuple[Route, ...], visits: tuple[Visit, ...]) -> tuple[_Lane, ...]:
    """Each person's visits. A person with visits but no route gets a lane: nothing is hidden."""
    own: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        for ref in visit.practitioner_refs:
            own[ref].append(visit)
    lanes = [_Lane(route, tuple(own.pop(route.person.practitioner_ref, ()))) for route in routes]
    names = names_of(reading, own, raws_of_visits(reading, visits))
    for ref, held in own.items():
        spans = [(v.start, v.end) for v in held if v.start and v.end]
        shift = (min(start for start, _end in spans), max(end for _start, end in spans))
        person = Person("", ref, names[ref], "", frozenset(), shift)
        lanes.append(_Lane(Route(ref, "", person, (), ""), tuple(held)))
    return tuple(lanes)


def _lane_row(lane: _Lane, blocks: Mapping[str, ZoneVisit]) -> ZoneRoute:
    person = lane.route.person
    counted = [v for v in lane.visits if v.state not in (VisitState.MOVED, VisitState.CANCELLED)]
    load = sum(v.minutes + (v.travel_minutes or 0) for v in counted)
    length = int((person.shift[1] - person.shift[0]).total_seconds() // 60)
    words = ", ".join(labels.label(labels.COMPETENCES, code) for code in lane.route.professions)
    return ZoneRoute(
        key=lane.route.ref,
        practitioner_ref=person.practitioner_ref,
        name=person.name,
        initials=initials_of(person.name),
        profession_text=words,
        shift_start=person.shift[0],
        shift_end=person.shift[1],
        is_absent=bool(lane.route.absent_words),
        absent_text=lane.route.absent_words,
        load_text=_("{load} of {shift}", load=minutes_text(load), shift=minutes_text(length)),
        visits=tuple(blocks[visit.ref] for visit in lane.visits if visit.ref in blocks),
    )


def _blocks(
    reading: Reading, visits: tuple[Visit, ...], why: Mapping[str, str], now: datetime
) -> dict[str, ZoneVisit]:
    patients = patients_of(reading, (visit.patient_ref for visit in visits))
    untitled = [visit for visit in visits if not visit.title]
    tasks = tasks_by_visit(reading, untitled)
    return {
        visit.ref: ZoneVisit(
            key=visit.ref,
            patient_ref=visit.patient_ref,
            patient_name=patient_name(patients, visit.patient_ref),
            title=visit_title(visit, tasks.get(visit.ref, ())),
            start=visit.start,
            end=visit.end,
            route_key=visit.route_ref if visit.practitioner_refs else "",
            order=visit.order,
            travel_minutes=visit.travel_minutes or 0,
            two_persons=visit.staff_count > 1,
            fixed_time=visit.is_fixed,
            competence_text=competence_text(visit.needs),
            visit_state=visit.state,
            state=visit.row_state,
            late_minutes=late_minutes(visit, now),
            why_text=why.get(visit.ref, ""),
        )
        for visit in visits
        if visit.start is not None and visit.end is not None
    }
