"""The visit opened beside the list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from clinician import texts
from clinician.clock import oslo
from clinician.fhir import codes, read
from clinician.queries.query import Cached, Raw, Reading, query
from modules.homecare import labels
from modules.homecare.queries.loading import (
    OPEN_TASKS,
    access_flag,
    access_hint,
    actual_of,
    encounters_by_visit,
    flags_by_patient,
    is_follow_up,
    names_of,
    patient_name,
    patients_of,
    raws_at,
    reason_of,
    status_text,
    task_title,
    tasks_by_visit,
)
from modules.homecare.queries.measurements import last_values
from modules.homecare.queries.my_day import colleague_text
from modules.homecare.queries.notes import note_text
from modules.homecare.rows import ChangeRow, TaskRow, VisitCard, VisitState
from modules.homecare.rules.visits import Visit, visit_of
from modules.homecare.words import birth_text, minutes_text, number_text, span_text, when_text

_ = texts.translator("homecare")
CHANGES: Final = 20
"""The most lines of what changed."""
SINCE_AT_MOST: Final = timedelta(days=14)


@query(
    watches=(
        "Appointment",
        "Task",
        "Encounter",
        "Patient",
        "Flag",
        "Observation",
        "RelatedPerson",
        "DocumentReference",
        "MedicationRequest",
        "AllergyIntolerance",
        "Condition",
    ),
    audit="appointment_ref",
)
def visit_card(
    reading: Reading, *, appointment_ref: str, now: datetime, practitioner_ref: str = ""
) -> VisitCard | None:
    """One visit with its tasks, changes since last time and last values; None when it is not cached.

    practitioner_ref: who looks, and is therefore no colleague.
    """
    cached = reading.get(appointment_ref)
    if cached is None or cached.type != "Appointment":
        return None
    visit = visit_of(cached)
    patients = patients_of(reading, [visit.patient_ref])
    patient = patients.get(visit.patient_ref, {})
    flags = flags_by_patient(reading, [visit.patient_ref], now).get(visit.patient_ref, [])
    encounter = encounters_by_visit(reading, [visit]).get(visit.ref)
    key_flag, kin = access_flag(flags), _next_of_kin(reading, visit.patient_ref)
    return VisitCard(
        key=visit.ref,
        patient_ref=visit.patient_ref,
        patient_name=patient_name(patients, visit.patient_ref),
        birth_text=birth_text(patient),
        visit_state=visit.state,
        state=visit.row_state,
        planned_text=_planned_text(visit),
        actual_text=_actual_text(visit, cached.raw, encounter),
        granted_text=granted_text(reading, visit.service_ref),
        address=read.address_text(patient),
        phone=read.phone(patient),
        access_hint=access_hint(flags),
        access_flag_ref=key_flag.ref if key_flag else "",
        colleague_text=colleague_text(
            visit, practitioner_ref, names_of(reading, visit.practitioner_refs, [cached.raw])
        ),
        next_of_kin_text=_kin_text(kin),
        next_of_kin_phone=read.phone(kin.raw) if kin else "",
        tasks=(
            *task_rows(reading, tuple(tasks_by_visit(reading, [visit]).get(visit.ref, [])), now),
            *_chain(reading, visit, read.phone(patient), read.phone(kin.raw) if kin else "", now),
        ),
        changes=_changes(reading, visit, now),
        values=last_values(reading, visit.patient_ref, now),
        comment=visit.comment,
        is_started=visit.state is VisitState.IN_PROGRESS,
    )


@query(watches=("Flag",), audit="flag_ref")
def access_detail(reading: Reading, *, flag_ref: str) -> str:
    """How to get in. Sensitive: each reading is recorded. '' when it is not cached."""
    flag = reading.get(flag_ref)
    secret = read.extension(flag.raw, codes.EXT_ACCESS) if flag else None
    return secret if isinstance(secret, str) else ""


def _chain(
    reading: Reading, visit: Visit, user_phone: str, kin_phone: str, now: datetime
) -> Iterator[TaskRow]:
    """The follow-ups of a visit in the order they are due, with whom to call."""
    found = [one for one in reading.find("Task", token=("focus", visit.ref)) if is_follow_up(one.raw)]
    found.sort(key=lambda one: (read.due_of(one.raw) or now, one.ref))
    phones = {"call-next-of-kin": kin_phone, "try-again": user_phone}
    names = names_of(reading, (read.owner_of(one.raw) for one in found), (one.raw for one in found))
    for row, task in zip(task_rows(reading, tuple(found), now), found, strict=True):
        owner, due = read.owner_of(task.raw), read.due_of(task.raw)
        yield replace(
            row,
            is_follow_up=True,
            owner_ref=owner,
            owner_text=names.get(owner, ""),
            due=due,
            due_text=when_text(due, now),
            phone=phones.get(read.code_in(task.raw, "code", codes.CODE_TASK), ""),
        )


def _planned_text(visit: Visit) -> str:
    if visit.start is None:
        return ""
    return f"{span_text(visit.start, visit.end)} ({minutes_text(visit.minutes)})"


def _actual_text(visit: Visit, appointment: Raw, encounter: Cached | None) -> str:
    words = status_text(visit, appointment, encounter)
    minutes = actual_of(encounter).minutes if encounter else 0
    return f"{words} ({minutes_text(minutes)})" if minutes else words


def granted_text(reading: Reading, service_ref: str) -> str:
    """'Helsetjenester i hjemmet: 3,5 t per uke' of the decision a visit stands on; '' when unknown."""
    service = reading.get(service_ref) if service_ref else None
    if service is None:
        return ""
    title, minutes = read.title_of(service.raw), read.extension(service.raw, codes.EXT_GRANTED)
    if not isinstance(minutes, int | float):
        return title
    hours = number_text(minutes / 60, 1)
    return _("{title}: {hours} h a week", title=title, hours=hours)


def _next_of_kin(reading: Reading, patient_ref: str) -> Cached | None:
    found = [
        one
        for one in reading.find("RelatedPerson", patient=patient_ref, order="id")
        if one.raw.get("active") is not False
    ]
    return min(found, key=lambda one: (not read.phone(one.raw), one.ref), default=None)


def relation_text(person: Raw) -> str:
    """'datter'."""
    return read.text_of(read.value_at(person, "relationship"))


def _kin_text(kin: Cached | None) -> str:
    if kin is None:
        return ""
    relation = relation_text(kin.raw)
    return f"{read.name_text(kin.raw)} ({relation})" if relation else read.name_text(kin.raw)


def task_rows(reading: Reading, tasks: tuple[Cached, ...], now: datetime) -> tuple[TaskRow, ...]:
    """Tasks with what was done last time."""
    names = names_of(reading, (read.owner_of(task.raw) for task in tasks), (task.raw for task in tasks))
    return tuple(_task_row(reading, task, names.get(read.owner_of(task.raw), ""), now) for task in tasks)


def _task_row(reading: Reading, task: Cached, owner: str, now: datetime) -> TaskRow:
    raw, status = task.raw, str(task.raw.get("status", ""))
    title, detail = task_title(raw), read.text_at(raw, "description")
    return TaskRow(
        key=task.ref,
        title=title,
        detail="" if detail == title else detail,
        status=status,
        status_text=labels.label(labels.TASK_STATUS, status, "") if status not in OPEN_TASKS else "",
        reason_text=reason_of(raw),
        measure=read.code_in(raw, "code", codes.CODE_MEASURE),
        state=task.state,
        is_open=status in OPEN_TASKS and status != "on-hold",
        history_text=_history(raw, owner, now)
        if status not in OPEN_TASKS
        else _last_time(reading, task, now),
    )


def _history(raw: Raw, owner: str, now: datetime) -> str:
    status = labels.label(labels.TASK_STATUS, str(raw.get("status", "")))
    when = when_text(read.when_at(raw, "lastModified") or read.when_at(raw, "executionPeriod.start"), now)
    words = f"{status} {when}".strip()
    return _("{words} by {name}", words=words, name=owner) if owner else words


def _last_time(reading: Reading, task: Cached, now: datetime) -> str:
    """What became of the same measure last time."""
    measure, start = read.code_in(task.raw, "code", codes.CODE_MEASURE), read.start_of(task.raw)
    patient_ref = read.patient_ref_of(task.raw)
    if not measure or start is None or not patient_ref:
        return ""
    earlier = reading.find(
        "Task",
        patient=patient_ref,
        code=f"{codes.CODE_MEASURE}|{measure}",
        status=("completed", "rejected", "cancelled", "on-hold"),
        start_before=start,
        descending=True,
        limit=1,
    )
    last = next(earlier, None)
    if last is None:
        return ""
    owner = read.owner_of(last.raw)
    return _history(last.raw, names_of(reading, [owner], [last.raw]).get(owner, ""), now)


def _changes(reading: Reading, visit: Visit, now: datetime) -> tuple[ChangeRow, ...]:
    """What others wrote or changed since the last visit, at most two weeks back; newest first."""
    since = max(_last_visit(reading, visit, now), now - SINCE_AT_MOST)
    found: list[tuple[datetime, str, str, str]] = []
    for type_, path, words in (
        ("DocumentReference", "date", _("Note")),
        ("MedicationRequest", "authoredOn", _("Medication")),
        ("AllergyIntolerance", "recordedDate", _("Allergy")),
        ("Condition", "recordedDate", _("Condition")),
        ("Flag", "period.start", _("Flag")),
    ):
        for one in reading.find(type_, patient=visit.patient_ref):
            when = read.when_at(one.raw, path)
            if when is not None and since < when <= now:
                found.append((when, one.ref, f"{words}: {_summary(one.raw)}", _author(one.raw)))
    found.sort(reverse=True)
    shown = found[:CHANGES]
    sources = raws_at(reading, [ref for _when, ref, *_rest in shown])
    names = names_of(reading, (author for *_rest, author in shown), sources)
    return tuple(
        ChangeRow(ref, when_text(when, now), words, names.get(author, ""))
        for when, ref, words, author in shown
    )


def _last_visit(reading: Reading, visit: Visit, now: datetime) -> datetime:
    before = visit.start or now
    last = next(
        reading.find(
            "Encounter",
            patient=visit.patient_ref,
            status="finished",
            start_before=min(before, now),
            descending=True,
            limit=1,
        ),
        None,
    )
    end = actual_of(last).stop if last else None
    return end or oslo(now) - SINCE_AT_MOST


def _author(raw: Raw) -> str:
    return next((ref for path in ("author", "recorder", "requester") if (ref := read.ref_at(raw, path))), "")


def _summary(raw: Raw) -> str:
    if raw.get("resourceType") != "DocumentReference":
        return read.title_of(raw)
    words = " ".join(note_text(raw).split())
    return words if len(words) <= 120 else words[:117] + "…"
