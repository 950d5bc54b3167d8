"""My day: one mixed list of visits, follow-ups and replies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from clinician import texts
from clinician.clock import oslo
from clinician.fhir import codes, read
from clinician.fhir.times import earliest_or_none
from clinician.queries.query import Cached, Raw, Reading, query
from modules.homecare import labels
from modules.homecare.queries.loading import (
    FOLLOW_UP_KINDS,
    OPEN_TASKS,
    access_hint,
    encounters_by_visit,
    flag_code,
    flags_by_patient,
    names_of,
    open_visits_before,
    patient_name,
    patients_of,
    status_text,
    task_title,
    tasks_by_visit,
    visit_title,
    visits_of_day,
)
from modules.homecare.rows import DayRow, ItemKind, MyDay, Section, VisitState
from modules.homecare.rules.visits import (
    NOW_BEFORE,
    OPEN_STATES,
    Visit,
    is_overdue,
    late_minutes,
    section_of,
    sums_of,
)
from modules.homecare.words import minutes_text, span_text, when_text

_ = texts.translator("homecare")
TYPES: Final = ("Appointment", "Task")
"""What must be whole for the day to be whole."""
_ORDER: Final = {section: place for place, section in enumerate(Section)}
CHANGED_FOR: Final = timedelta(hours=24)


@query(
    watches=(
        "Appointment",
        "Task",
        "Encounter",
        "Communication",
        "Patient",
        "Flag",
        "Schedule",
        "Practitioner",
    )
)
def my_day(reading: Reading, *, practitioner_ref: str, workplace_ref: str, day: date, now: datetime) -> MyDay:
    """The practitioner's day; past-due first, also from earlier days, until a person closes it."""
    visits = my_visits(reading, practitioner_ref, day)
    rows = [
        *_visit_rows(reading, visits, practitioner_ref, day, now),
        *_follow_ups(reading, practitioner_ref, day, now),
        *_replies(reading, practitioner_ref, workplace_ref, now),
    ]
    rows.sort(key=_place)
    fresh = reading.freshness(TYPES)
    return MyDay(tuple(rows), sums_of(visits, now), _next_key(rows), fresh.as_of, fresh.complete)


def my_visits(reading: Reading, practitioner_ref: str, day: date) -> tuple[Visit, ...]:
    """Mine today, whatever became of them, after mine of earlier days that are still open."""
    me = practitioner_ref
    both = (*open_visits_before(reading, day, me), *visits_of_day(reading, day, me))
    return tuple(visit for visit in both if practitioner_ref in visit.practitioner_refs)


def _place(row: DayRow) -> tuple[int, float, str]:
    return (_ORDER[row.section], row.start.timestamp() if row.start else float("inf"), row.key)


def _next_key(rows: Iterable[DayRow]) -> str:
    """In progress, else the first now, else the first next, else the first past due: one stands out."""
    waiting = [row for row in rows if row.kind is ItemKind.VISIT and row.section is not Section.DONE]
    wanted = (Section.NOW, Section.NEXT, Section.LATER, Section.OVERDUE)
    begun = [row.key for row in waiting if row.visit_state is VisitState.IN_PROGRESS]
    return next(
        iter([*begun, *(row.key for section in wanted for row in waiting if row.section is section)]), ""
    )


def _visit_rows(
    reading: Reading, visits: tuple[Visit, ...], me: str, day: date, now: datetime
) -> Iterator[DayRow]:
    patients = patients_of(reading, (visit.patient_ref for visit in visits))
    flags = flags_by_patient(reading, patients, now)
    tasks, encounters = tasks_by_visit(reading, visits), encounters_by_visit(reading, visits)
    cached = reading.get_many(visit.ref for visit in visits)
    others = (ref for visit in visits for ref in visit.practitioner_refs if ref != me)
    names = names_of(reading, others, (one.raw for one in cached.values()))
    first = next((v.ref for v in visits if v.state in OPEN_STATES and not is_overdue(v, now)), "")
    for visit in visits:
        appointment = cached[visit.ref].raw
        patient, own = patients.get(visit.patient_ref, {}), tasks.get(visit.ref, [])
        yield DayRow(
            key=visit.ref,
            kind=ItemKind.VISIT,
            section=section_of(visit, now, is_first_waiting=visit.ref == first),
            patient_ref=visit.patient_ref,
            patient_name=patient_name(patients, visit.patient_ref),
            time_text=_time_text(visit, day, now),
            title=visit_title(visit, own),
            address=read.address_text(patient),
            travel_text=minutes_text(visit.travel_minutes) if visit.travel_minutes else "",
            access_hint=access_hint(flags.get(visit.patient_ref, ())),
            two_persons=visit.staff_count > 1,
            late_minutes=late_minutes(visit, now),
            changed_text=changed_text(visit, now),
            status_text=status_text(visit, appointment, encounters.get(visit.ref)),
            visit_state=visit.state,
            state=visit.row_state,
            start=visit.start,
            end=visit.end,
            phone=read.phone(patient),
            colleague_text=colleague_text(visit, me, names),
            is_new_user=any(flag_code(f.raw) == "new-user" for f in flags.get(visit.patient_ref, ())),
            tasks_open=sum(task.raw.get("status") in OPEN_TASKS for task in own),
            tasks_total=len(own),
        )


def _time_text(visit: Visit, day: date, now: datetime) -> str:
    if visit.start is None:
        return ""
    return span_text(visit.start, None) if oslo(visit.start).date() == day else when_text(visit.start, now)


def changed_text(visit: Visit, now: datetime) -> str:
    """'endret 07:40' for an open visit whose plan changed within a day and night."""
    if visit.changed is None or visit.state not in OPEN_STATES or now - visit.changed > CHANGED_FOR:
        return ""
    return _("changed {when}", when=when_text(visit.changed, now))


def colleague_text(visit: Visit, me: str, names: Mapping[str, str]) -> str:
    """Who else comes; and that somebody is missing."""
    others = [names.get(ref, _("unknown")) for ref in visit.practitioner_refs if ref != me]
    missing = visit.staff_count - len(visit.practitioner_refs)
    if missing > 0 and visit.state in OPEN_STATES:
        others.append(_.n("{n} person missing", "{n} persons missing", missing))
    return ", ".join(others)


def _follow_ups(reading: Reading, me: str, day: date, now: datetime) -> Iterator[DayRow]:
    kinds = [f"{codes.CODE_TASK}|{kind}" for kind in sorted(FOLLOW_UP_KINDS)]
    mine = [
        task
        for task in reading.find("Task", owner=me, status=(*OPEN_TASKS, "completed"), code=kinds)
        if read.owner_of(task.raw) == me and _is_today(task.raw, day)
    ]
    patients = patients_of(reading, (read.patient_ref_of(task.raw) for task in mine))
    for task in mine:
        yield _follow_up_row(task, patients, now)


def _is_today(task: Raw, day: date) -> bool:
    """Open whatever its age; closed only on the day it was closed."""
    return task.get("status") != "completed" or read.day_at(task, "lastModified") == day


def _follow_up_row(task: Cached, patients: Mapping[str, Raw], now: datetime) -> DayRow:
    due = read.due_of(task.raw)
    patient_ref = read.patient_ref_of(task.raw)
    patient: Raw = patients.get(patient_ref, {})
    is_done = task.raw.get("status") == "completed"
    late = 0 if is_done or due is None or due >= now else max(1, int((now - due).total_seconds() // 60))
    closed = earliest_or_none(task.raw.get("lastModified"))
    return DayRow(
        key=task.ref,
        kind=ItemKind.FOLLOW_UP,
        section=_due_section(due, now, is_done=is_done),
        patient_ref=patient_ref,
        patient_name=patient_name(patients, patient_ref) if patient_ref else "",
        time_text=when_text(due, now),
        title=task_title(task.raw),
        address=read.address_text(patient),
        travel_text="",
        access_hint="",
        two_persons=False,
        late_minutes=late,
        changed_text="",
        status_text=_("done {span}", span=when_text(closed, now)) if is_done else "",
        visit_state=None,
        state=task.state,
        start=due,
        end=None,
        phone=read.phone(patient),
        colleague_text="",
        is_new_user=False,
        tasks_open=0 if is_done else 1,
        tasks_total=1,
    )


def _due_section(due: datetime | None, now: datetime, *, is_done: bool) -> Section:
    if is_done:
        return Section.DONE
    if due is None or due < now:
        return Section.OVERDUE
    return Section.NOW if due - NOW_BEFORE <= now else Section.LATER


def _replies(reading: Reading, me: str, workplace_ref: str, now: datetime) -> Iterator[DayRow]:
    mine = {ref for ref in (me, workplace_ref) if ref}
    unread = [
        one
        for one in reading.find("Communication", owner=mine)
        if mine & set(read.refs(one.raw, "recipient")) and is_unread(one.raw)
    ]
    patients = patients_of(reading, (read.patient_ref_of(one.raw) for one in unread))
    senders = names_of(
        reading, (read.ref_at(one.raw, "sender") for one in unread), (one.raw for one in unread)
    )
    for one in unread:
        sent, patient_ref = earliest_or_none(one.raw.get("sent")), read.patient_ref_of(one.raw)
        sender = senders.get(read.ref_at(one.raw, "sender"), "")
        words = read.text_at(one.raw, "payload.contentString")
        is_urgent = one.raw.get("priority") in ("urgent", "asap", "stat")
        yield DayRow(
            key=one.ref,
            kind=ItemKind.REPLY,
            section=Section.NOW if is_urgent else Section.NEXT,
            patient_ref=patient_ref,
            patient_name=patient_name(patients, patient_ref) if patient_ref else "",
            time_text=when_text(sent, now),
            title=": ".join(part for part in (sender, words) if part)
            or labels.label(labels.TASK_KINDS, "reply"),
            address="",
            travel_text="",
            access_hint="",
            two_persons=False,
            late_minutes=0,
            changed_text="",
            status_text="",
            visit_state=None,
            state=one.state,
            start=sent,
            end=None,
            phone=read.phone(patients.get(patient_ref, {})),
            colleague_text="",
            is_new_user=False,
            tasks_open=1,
            tasks_total=1,
        )


def is_unread(communication: Raw) -> bool:
    """Nobody has marked it read."""
    gone = communication.get("status") in ("entered-in-error", "not-done", "stopped", "preparation")
    return not gone and not communication.get("received")
