"""What several home-care queries fetch in the same way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from clinician import texts
from clinician.clock import oslo
from clinician.fhir import codes, read
from clinician.fhir.reference import displays_in, make_ref, split_ref
from clinician.fhir.times import earliest_or_none
from clinician.queries.query import Cached, Raw, Reading
from modules.homecare import labels
from modules.homecare.rows import VisitState
from modules.homecare.rules.visits import OPEN_APPOINTMENT, Visit, visit_of
from modules.homecare.words import clock_text, span_text

_ = texts.translator("homecare")

LOOK_BACK: Final = timedelta(days=14)
"""How far back an open visit is looked for; the sync window of the module."""
FOLLOW_UP_KINDS: Final = (
    "follow-up",
    "call-next-of-kin",
    "try-again",
    "reassignment-notice",
    "sync-conflict",
)
OPEN_TASKS: Final = ("draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold")


def visits_between(reading: Reading, first: date, before: date, owner: str = "") -> tuple[Visit, ...]:
    """Every visit planned to start on these Norwegian days, by start; of one person when told so."""
    found = reading.find("Appointment", start_from=first, start_before=before, owner=owner or None)
    return tuple(sorted((visit_of(one) for one in found if is_home_visit(one.raw)), key=by_time))


def is_home_visit(appointment: Raw) -> bool:
    """Whether an appointment is home care's: of its service, or of none that is named."""
    services = read.codes_in(appointment, "serviceType", codes.CODE_UNIT)
    return not services or "homecare-zone" in services


def visits_of_day(reading: Reading, day: date, owner: str = "") -> tuple[Visit, ...]:
    """Every visit of one Norwegian day, closed ones too."""
    return visits_between(reading, day, day + timedelta(days=1), owner)


def open_visits_before(reading: Reading, day: date, owner: str = "") -> tuple[Visit, ...]:
    """Visits of earlier days nobody has closed."""
    found = reading.find(
        "Appointment",
        status=OPEN_APPOINTMENT,
        start_from=day - LOOK_BACK,
        start_before=day,
        owner=owner or None,
    )
    return tuple(sorted((visit_of(one) for one in found if is_home_visit(one.raw)), key=by_time))


def by_time(visit: Visit) -> tuple[float, int, str]:
    """Route order is time order; the number only settles ties."""
    return (visit.start.timestamp() if visit.start else 0.0, visit.order, visit.ref)


def schedules_of(reading: Reading, workplace_ref: str, day: date) -> tuple[Cached, ...]:
    """The routes of a workplace on a day, by name."""
    found = reading.find(
        "Schedule", owner=service_of(workplace_ref), start_from=day, start_before=day + timedelta(days=1)
    )
    active = (one for one in found if one.raw.get("active") is not False)
    return tuple(sorted(active, key=lambda one: (read.text_at(one.raw, "comment"), one.ref)))


def service_of(workplace_ref: str) -> str:
    """The HealthcareService of a workplace: it has the Organization's id (docs/record-model.md)."""
    return make_ref("HealthcareService", split_ref(workplace_ref)[1]) if workplace_ref else ""


def of_workplace(
    reading: Reading, visits: Iterable[Visit], workplace_ref: str, routes: Iterable[str]
) -> tuple[Visit, ...]:
    """The visits that belong to a workplace: on its routes, else by the user's episode of care.

    A visit nothing is known about stays: it is shown rather than lost.
    """
    all_visits, own = tuple(visits), frozenset(routes)
    loose = {visit.patient_ref for visit in all_visits if visit.route_ref not in own and visit.patient_ref}
    homes: dict[str, set[str]] = defaultdict(set)
    for episode in reading.find("EpisodeOfCare", patient=loose) if loose else ():
        if episode.raw.get("status") not in ("finished", "cancelled", "entered-in-error"):
            homes[read.patient_ref_of(episode.raw)].add(read.ref_at(episode.raw, "managingOrganization"))
    return tuple(
        visit
        for visit in all_visits
        if visit.route_ref in own
        or not homes.get(visit.patient_ref)
        or workplace_ref in homes[visit.patient_ref]
    )


def names_of(reading: Reading, refs: Iterable[str], sources: Iterable[Raw] = ()) -> Mapping[str, str]:
    """Names by reference. A stranger has the name `sources` give beside the reference, else is unknown.

    sources: where the references stand; read only when somebody is not cached (a GP, a case worker).
    """
    wanted = {ref for ref in refs if ref}
    found = reading.get_many(wanted)
    names = {ref: read.name_text(one.raw) for ref, one in found.items()}
    strangers = {ref for ref in wanted if not names.get(ref)}
    words = {ref: text for raw in sources for ref, text in displays_in(raw)} if strangers else {}
    return names | {ref: words.get(ref) or _("unknown") for ref in strangers}


def raws_at(reading: Reading, refs: Iterable[str]) -> Iterator[Raw]:
    """The cached resources of references, read when first asked for."""
    yield from (one.raw for one in reading.get_many(refs).values())


def raws_of_visits(reading: Reading, visits: Iterable[Visit]) -> Iterator[Raw]:
    """The Appointments of visits, read when first asked for."""
    yield from raws_at(reading, [visit.ref for visit in visits])


def patients_of(reading: Reading, refs: Iterable[str]) -> Mapping[str, Raw]:
    """Patients by reference; {} where one is not cached."""
    wanted = {ref for ref in refs if ref}
    found = reading.get_many(wanted)
    return {ref: found[ref].raw if ref in found else {} for ref in wanted}


def patient_name(patients: Mapping[str, Raw], ref: str) -> str:
    """A user's name, or that it is unknown here."""
    return read.name_text(patients.get(ref, {})) or _("unknown")


def tasks_by_visit(reading: Reading, visits: Iterable[Visit]) -> Mapping[str, list[Cached]]:
    """The things to do in each visit, follow-ups left out, in the order of the plan."""
    found: dict[str, list[Cached]] = defaultdict(list)
    for ref in dict.fromkeys(visit.ref for visit in visits):
        for task in reading.find("Task", token=("focus", ref)):
            if not is_follow_up(task.raw) and task.raw.get("status") != "entered-in-error":
                found[ref].append(task)
    for tasks in found.values():
        tasks.sort(key=task_order)
    return found


def task_order(task: Cached) -> tuple[float, str]:
    """By planned time, then by words."""
    start = earliest_or_none(read.value_at(task.raw, "executionPeriod.start"))
    return (start.timestamp() if start else 0.0, read.title_of(task.raw))


def is_follow_up(task: Raw) -> bool:
    """Whether a Task stands by itself rather than inside a visit."""
    kind = read.code_in(task, "code", codes.CODE_TASK)
    return bool(kind) and kind != "measure"


def encounters_by_visit(reading: Reading, visits: Iterable[Visit]) -> Mapping[str, Cached]:
    """The actual visit of each planned one that has begun."""
    found: dict[str, Cached] = {}
    for visit in visits:
        if visit.state in (VisitState.DONE, VisitState.IN_PROGRESS):
            one = next(
                reading.find(
                    "Encounter", token=("appointment", visit.ref), status=("in-progress", "finished")
                ),
                None,
            )
            if one is not None:
                found[visit.ref] = one
    return found


def flags_by_patient(reading: Reading, patients: Iterable[str], now: datetime) -> Mapping[str, list[Cached]]:
    """Active flags of each user."""
    found: dict[str, list[Cached]] = defaultdict(list)
    wanted = [ref for ref in patients if ref]
    for flag in reading.find("Flag", patient=wanted, status="active") if wanted else ():
        if _in_force(flag.raw, now):
            found[read.patient_ref_of(flag.raw)].append(flag)
    return found


def _in_force(raw: Raw, now: datetime) -> bool:
    start = earliest_or_none(read.value_at(raw, "period.start"))
    end = read.value_at(raw, "period.end")
    ends = read.day_at(raw, "period.end") if end else None
    return (start is None or start <= now) and (ends is None or ends >= oslo(now).date())


def flag_code(flag: Raw) -> str:
    """CODE_FLAG code, or ''."""
    return read.code_in(flag, "code", codes.CODE_FLAG)


def access_flag(flags: Iterable[Cached]) -> Cached | None:
    """The key information of a user."""
    return next((flag for flag in flags if flag_code(flag.raw) == "access"), None)


def access_hint(flags: Iterable[Cached]) -> str:
    """'Nøkkelboks': the harmless part of the key information."""
    flag = access_flag(flags)
    return read.text_at(flag.raw, "code.text") if flag else ""


def task_title(task: Raw) -> str:
    """What is to be done, in words."""
    kind = read.code_in(task, "code", codes.CODE_TASK)
    if kind in labels.TASK_KINDS:
        return read.text_at(task, "description") or labels.label(labels.TASK_KINDS, kind)
    return read.text_at(task, "code.text") or read.title_of(task)


def visit_title(visit: Visit, tasks: Iterable[Cached]) -> str:
    """'Morgenstell · Insulin · BT'."""
    return visit.title or " · ".join(task_title(task.raw) for task in tasks)


def reason_of(raw: Raw) -> str:
    """Why a task or a visit was not done: the words of its code, then what the person wrote."""
    path = "statusReason" if raw.get("resourceType") == "Task" else "cancelationReason"
    code = read.code_in(raw, path, codes.CODE_NOT_DONE)
    by = read.code_in(raw, path, codes.CODE_CANCEL)
    words = labels.label(labels.NOT_DONE, code) if code else labels.label(labels.CANCEL, by) if by else ""
    return ": ".join(dict.fromkeys(part for part in (words, read.text_at(raw, f"{path}.text")) if part))


def status_text(visit: Visit, appointment: Raw, encounter: Cached | None) -> str:
    """'utført 07:28–07:44', 'ikke hjemme'; '' while open."""
    start, stop = (read.start_of(encounter.raw), read.end_of(encounter.raw)) if encounter else (None, None)
    match visit.state:
        case VisitState.DONE:
            return _("done {span}", span=span_text(start, stop)).strip()
        case VisitState.IN_PROGRESS:
            return _("begun {clock}", clock=clock_text(start)).strip()
        case VisitState.UNASSIGNED | VisitState.OPEN:
            return ""
        case VisitState.NOT_HOME:
            return labels.label(labels.VISIT_STATES, "not-home")
        case state:
            return reason_of(appointment) or labels.label(labels.VISIT_STATES, state.value)


@dataclass(frozen=True, slots=True)
class Actual:
    """Start and stop of an Encounter; minutes 0 while it lasts."""

    start: datetime | None
    stop: datetime | None

    @property
    def minutes(self) -> int:
        if self.start is None or self.stop is None:
            return 0
        return max(0, round((self.stop - self.start).total_seconds() / 60))


def actual_of(encounter: Cached) -> Actual:
    """The actual time of a visit."""
    return Actual(read.start_of(encounter.raw), read.end_of(encounter.raw))
