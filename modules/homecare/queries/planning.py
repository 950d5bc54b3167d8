"""Who may take a visit, and the whole problem for the solver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from clinician import texts
from clinician.clock import oslo
from clinician.fhir import read
from clinician.fhir.reference import make_ref, split_ref
from clinician.queries.query import Reading, query
from modules.homecare.queries.loading import (
    of_workplace,
    patient_name,
    patients_of,
    tasks_by_visit,
    visit_title,
    visits_of_day,
)
from modules.homecare.queries.routes import competence_text, routes_of
from modules.homecare.rows import Candidate, VisitState
from modules.homecare.rules.planning import (
    Call,
    Person,
    PlanningProblem,
    Why,
    free_start,
    main_reason,
    why_not,
    window_of,
)
from modules.homecare.rules.visits import OPEN_STATES, Visit, visit_of
from modules.homecare.words import clock_text, minutes_text

_ = texts.translator("homecare")
KNOWN_FOR: Final = timedelta(days=28)
"""Who has visited a user within this knows the user."""
_CLOSED_WITHOUT_TIME: Final = frozenset(
    {VisitState.MOVED, VisitState.CANCELLED, VisitState.NOT_DONE, VisitState.NOT_HOME}
)


@query(watches=("Appointment", "Schedule", "PractitionerRole", "Practitioner", "Patient", "Encounter"))
def candidates(reading: Reading, *, appointment_ref: str, now: datetime) -> tuple[Candidate, ...]:
    """Those who can take the visit, best first; nobody who cannot. () also when the visit is closed.

    The persons already on it are left out: they are not asked again.
    """
    cached = reading.get(appointment_ref)
    visit = visit_of(cached) if cached is not None and cached.type == "Appointment" else None
    if visit is None or visit.start is None or visit.state not in OPEN_STATES:
        return ()
    workplace = workplace_of(reading, visit)
    problem = problem_of(reading, workplace, oslo(visit.start).date(), now, known_of=[visit.patient_ref])
    call = next((one for one in problem.calls if one.ref == visit.ref), None)
    if call is None or call.is_pinned:
        return ()
    ranked = [
        (rank(person, call, *slot), candidate(person, call, *slot))
        for person in problem.persons
        if person.practitioner_ref not in call.practitioner_refs
        and why_not(person, call, now) is None
        and (slot := free_start(person, call, calls_of(problem, person), now)) is not None
    ]
    return tuple(row for _rank, row in sorted(ranked, key=lambda pair: (pair[0], pair[1].name)))


def workplace_of(reading: Reading, visit: Visit) -> str:
    """The workplace of a visit: of its route, else of the user's episode of care."""
    route = reading.get(visit.route_ref) if visit.route_ref else None
    service = read.ref_at(route.raw, "actor", "HealthcareService") if route else ""
    if service:
        return make_ref("Organization", split_ref(service)[1])
    episodes = reading.find("EpisodeOfCare", patient=visit.patient_ref, status="active")
    return next((ref for one in episodes if (ref := read.ref_at(one.raw, "managingOrganization"))), "")


def calls_of(problem: PlanningProblem, person: Person) -> tuple[Call, ...]:
    """The visits a person has that day."""
    return tuple(one for one in problem.calls if person.practitioner_ref in one.practitioner_refs)


def rank(person: Person, call: Call, start: datetime, travel: int) -> tuple[float, int]:
    """Lower is better: the planned time kept, a known face, the wish met, then travel."""
    shifted = abs((start - call.start).total_seconds()) / 60
    stranger = 0 if person.practitioner_ref in call.known_by else 15
    unwished = 10 if call.wish and person.gender != call.wish else 0
    return (shifted + stranger + unwished + travel, travel)


def candidate(person: Person, call: Call, start: datetime, travel: int) -> Candidate:
    """A candidate with the grounds in words."""
    grounds = []
    if person.practitioner_ref in call.known_by:
        grounds.append(_("knows the user"))
    if call.wish and person.gender == call.wish:
        grounds.append(_("as the user wishes"))
    if start != call.start:
        grounds.append(_("starts {clock}", clock=clock_text(start)))
    grounds.append(_("{minutes} travel", minutes=minutes_text(travel)))
    return Candidate(person.route_ref, person.practitioner_ref, person.name, " · ".join(grounds), start)


@query(
    watches=(
        "Appointment",
        "Schedule",
        "PractitionerRole",
        "Practitioner",
        "Patient",
        "Encounter",
        "EpisodeOfCare",
        "Task",
    )
)
def planning_problem(reading: Reading, *, workplace_ref: str, day: date, now: datetime) -> PlanningProblem:
    """Everything jobs.suggest_redistribution and jobs.build_routes need, without the cache."""
    return problem_of(reading, workplace_ref, day, now)


def problem_of(
    reading: Reading,
    workplace_ref: str,
    day: date,
    now: datetime,
    *,
    known_of: Iterable[str] | None = None,
) -> PlanningProblem:
    """known_of: only of these users is it looked up who knows them; None: of all."""
    routes = routes_of(reading, workplace_ref, day)
    visits = of_workplace(reading, visits_of_day(reading, day), workplace_ref, (r.ref for r in routes))
    planned = tuple(v for v in visits if v.start is not None and v.state not in _CLOSED_WITHOUT_TIME)
    patients = patients_of(reading, (visit.patient_ref for visit in planned))
    wanted = {v.patient_ref for v in planned} if known_of is None else set(known_of)
    known = known_by(reading, wanted, day)
    tasks = tasks_by_visit(reading, [visit for visit in planned if not visit.title])
    depot = reading.get(workplace_ref) if workplace_ref else None
    return PlanningProblem(
        now=now,
        persons=tuple(route.person for route in routes if route.person.practitioner_ref),
        calls=tuple(
            _call(
                visit,
                patient_name(patients, visit.patient_ref),
                visit_title(visit, tasks.get(visit.ref, ())),
                read.position(patients.get(visit.patient_ref, {})),
                known.get(visit.patient_ref, frozenset()),
            )
            for visit in planned
        ),
        depot=read.position(depot.raw) if depot else None,
    )


def _call(
    visit: Visit,
    name: str,
    title: str,
    position: tuple[float, float] | None,
    known: frozenset[str],
) -> Call:
    assert visit.start is not None
    return Call(
        ref=visit.ref,
        patient_ref=visit.patient_ref,
        patient_name=name,
        title=title,
        start=visit.start,
        minutes=visit.minutes,
        window=window_of(visit.start, visit.window_start, visit.window_end, is_fixed=visit.is_fixed),
        is_fixed=visit.is_fixed,
        staff_count=visit.staff_count,
        needs=visit.needs,
        wish=visit.wish,
        is_wish_firm=visit.is_wish_firm,
        position=position,
        route_ref=visit.route_ref,
        practitioner_refs=visit.practitioner_refs,
        is_pinned=visit.state not in (VisitState.OPEN, VisitState.UNASSIGNED),
        known_by=known,
        travel_planned=visit.travel_minutes,
    )


def known_by(reading: Reading, patients: Iterable[str], day: date) -> Mapping[str, frozenset[str]]:
    """Who has been at each user's home within KNOWN_FOR."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = {ref for ref in patients if ref}
    lately = reading.find("Encounter", patient=wanted, start_from=day - KNOWN_FOR, start_before=day)
    for one in lately if wanted else ():
        found[read.patient_ref_of(one.raw)].update(read.refs(one.raw, "participant.individual"))
    return {ref: frozenset(people) for ref, people in found.items()}


def why_texts(
    reading: Reading, workplace_ref: str, day: date, now: datetime, visits: Iterable[Visit]
) -> dict[str, str]:
    """For visits somebody must take: why nobody can, or '' when somebody can."""
    problem = problem_of(reading, workplace_ref, day, now, known_of=())
    calls = {call.ref: call for call in problem.calls}
    return {v.ref: why_nobody(problem, calls[v.ref]) for v in visits if v.ref in calls}


def why_nobody(problem: PlanningProblem, call: Call) -> str:
    """'' when somebody has room; else the one reason, in words."""
    able = [p for p in problem.persons if p.practitioner_ref not in call.practitioner_refs]
    free = [
        person
        for person in able
        if why_not(person, call, problem.now) is None
        and free_start(person, call, calls_of(problem, person), problem.now) is not None
    ]
    if len(free) >= max(1, call.staff_count - len(call.practitioner_refs)):
        return ""
    return reason_text(main_reason(call, able, problem.now), call)


def reason_text(why: Why, call: Call) -> str:
    """Why nobody can take a visit, and so what would have to change."""
    window = f"{clock_text(call.window[0])}–{clock_text(call.window[1])}"
    needs = competence_text(call.needs)
    match why:
        case Why.COMPETENCE:
            return _("Nobody at work today has what it takes: {needs}", needs=needs)
        case Why.WISH:
            return _("The wish for a man or a woman is decided, and nobody at work meets it")
        case Why.ABSENT:
            return _("Those who could are away")
        case Why.SHIFT:
            return _("Nobody who could is at work between {window}", window=window)
        case Why.PASSED:
            return _("The time for it has passed ({window})", window=window)
        case _:
            if call.staff_count > 1:
                return _("No two who could are free at once between {window}", window=window)
            return _("Nobody who could is free between {window}", window=window)
