"""Everything the user page shows but the curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from clinician import texts
from clinician.clock import oslo
from clinician.fhir import codes, read
from clinician.fhir.timing import in_words
from clinician.queries.query import Cached, Raw, Reading, query
from modules.homecare import labels
from modules.homecare.queries.loading import flags_by_patient, names_of
from modules.homecare.queries.measurements import last_values, news2_rows
from modules.homecare.queries.notes import note_rows
from modules.homecare.queries.visit_card import granted_text, relation_text, task_rows
from modules.homecare.rows import FactRow, PlanRow, UserCard
from modules.homecare.words import moment_text, when_text

_ = texts.translator("homecare")
HISTORY_BACK: Final = timedelta(days=14)
HISTORY_AHEAD: Final = timedelta(days=2)
HISTORY: Final = 200
"""The newest tasks of the history."""
PAST: Final = timedelta(days=28)


@query(
    watches=(
        "Patient",
        "CarePlan",
        "ServiceRequest",
        "Appointment",
        "Task",
        "Observation",
        "DocumentReference",
        "Flag",
        "AllergyIntolerance",
        "Condition",
        "MedicationRequest",
        "RelatedPerson",
    ),
    audit="patient_ref",
)
def user_card(reading: Reading, *, patient_ref: str, now: datetime) -> UserCard:
    """Facts with their source, plan, tasks with history, notes, last values and NEWS2."""
    patient = reading.get(patient_ref)
    raw = patient.raw if patient else {}
    facts = _facts(reading, patient_ref, now)
    scores, lacking = news2_rows(reading, patient_ref, now)
    plan = _plan(reading, patient_ref, now)
    fresh = reading.freshness(("Patient", "CarePlan", "Task", "Observation", "DocumentReference"))
    return UserCard(
        key=patient_ref,
        name=read.name_text(raw) or _("unknown"),
        facts=facts,
        plan=plan,
        tasks=task_rows(reading, _tasks(reading, patient_ref, now), now),
        notes=note_rows(reading, patient_ref, now),
        values=last_values(reading, patient_ref, now),
        news2=scores,
        missing=tuple(_missing(raw, facts, plan, lacking)),
        as_of=fresh.as_of,
        complete=fresh.complete,
    )


def _tasks(reading: Reading, patient_ref: str, now: datetime) -> tuple[Cached, ...]:
    day = oslo(now).date()
    found = reading.find(
        "Task",
        patient=patient_ref,
        start_from=day - HISTORY_BACK,
        start_before=day + HISTORY_AHEAD,
        descending=True,
        limit=HISTORY,
    )
    return tuple(task for task in found if task.raw.get("status") != "entered-in-error")


# facts


_STOPPED: Final = frozenset({"inactive", "resolved", "remission", "entered-in-error", "refuted"})


def _facts(reading: Reading, patient_ref: str, now: datetime) -> tuple[FactRow, ...]:
    """Warnings first, then who and what; each with its source."""
    found = [
        *_held(reading, patient_ref, "AllergyIntolerance", "allergy"),
        *(("flag", flag) for flag in flags_by_patient(reading, [patient_ref], now).get(patient_ref, ())),
        *_held(reading, patient_ref, "Condition", "condition"),
        *_held(reading, patient_ref, "ServiceRequest", "service", statuses=("active", "on-hold")),
        *_held(reading, patient_ref, "MedicationRequest", "medication", statuses=("active", "on-hold")),
        *_held(reading, patient_ref, "RelatedPerson", "kin"),
    ]
    sources = (one.raw for _group, one in found)
    names = names_of(reading, (_author(one.raw) for _group, one in found), sources)
    rows = (_fact(reading, group, one, names.get(_author(one.raw), ""), now) for group, one in found)
    return (*rows, *_doctors(reading, patient_ref, now))


def _held(
    reading: Reading, patient_ref: str, type_: str, group: str, *, statuses: tuple[str, ...] | None = None
) -> Iterator[tuple[str, Cached]]:
    for one in reading.find(type_, patient=patient_ref, status=statuses, order="id"):
        clinical = {
            c.code for path in ("clinicalStatus", "verificationStatus") for c in read.codings(one.raw, path)
        }
        if not clinical & _STOPPED and one.raw.get("active") is not False:
            yield group, one


def _doctors(reading: Reading, patient_ref: str, now: datetime) -> Iterator[FactRow]:
    """The regular doctor; one who is not cached by the name the user's own resource gives."""
    patient = reading.get(patient_ref)
    listed = read.values_at(patient.raw, "generalPractitioner") if patient else ()
    for number, one in enumerate(one for one in listed if isinstance(one, dict)):
        doctor = reading.get(read.ref_at({"at": one}, "at"))
        if doctor is not None:
            yield _fact(reading, "doctor", doctor, "", now)
        elif patient is not None:
            yield _doctor_by_name(patient, one, f"{patient_ref}#generalPractitioner{number}", now)


def _doctor_by_name(patient: Cached, named: Raw, key: str, now: datetime) -> FactRow:
    return FactRow(
        key=key,
        group="doctor",
        title=read.text_at(named, "display") or _("unknown"),
        detail="",
        source_text=source_text(patient.raw, "", now),
        is_warning=False,
        state=patient.state,
    )


def _fact(reading: Reading, group: str, one: Cached, author: str, now: datetime) -> FactRow:
    raw = one.raw
    return FactRow(
        key=one.ref,
        group=group,
        title=_fact_title(group, raw),
        detail=_fact_detail(reading, group, one),
        source_text=source_text(raw, author, now),
        is_warning=group in ("allergy", "flag") and _warns(group, raw),
        state=one.state,
    )


def _warns(group: str, raw: Raw) -> bool:
    harmless = ("access", "new-user", "pet", "smoker", "wish")
    return group == "allergy" or read.code_in(raw, "code", codes.CODE_FLAG) not in harmless


def _fact_title(group: str, raw: Raw) -> str:
    if group in ("kin", "doctor"):
        return read.name_text(raw)
    code = read.code_in(raw, "code", codes.CODE_FLAG) if group == "flag" else ""
    if code and code != "access":
        return read.text_at(raw, "code.text") or labels.label(labels.FLAGS, code)
    return read.text_at(raw, "code.text") or read.title_of(raw) or _("unknown")


def _fact_detail(reading: Reading, group: str, one: Cached) -> str:
    raw = one.raw
    match group:
        case "allergy":
            reactions = (read.text_of(m) for m in read.values_at(raw, "reaction.manifestation"))
            high = _("high risk") if raw.get("criticality") == "high" else ""
            return ", ".join(part for part in (high, *reactions) if part)
        case "flag":
            is_access = read.code_in(raw, "code", codes.CODE_FLAG) == "access"
            return labels.label(labels.FLAGS, "access") if is_access else ""
        case "service":
            return granted_text(reading, one.ref)
        case "medication":
            return "; ".join(d for d in read.values_at(raw, "dosageInstruction.text") if isinstance(d, str))
        case "kin" | "doctor":
            return ", ".join(part for part in (relation_text(raw), read.phone(raw)) if part)
        case _:
            return ", ".join(n for n in read.values_at(raw, "note.text") if isinstance(n, str))


def _author(raw: Raw) -> str:
    paths = ("recorder", "asserter", "author", "requester")
    return next((ref for path in paths if (ref := read.ref_at(raw, path))), "")


def source_text(raw: Raw, author: str, now: datetime) -> str:
    """'Kari Lunde, 3. mars 2025 08:12, fra Helseplattformen': who, when, from which system."""
    when = next(
        (
            found
            for path in ("recordedDate", "authoredOn", "date", "period.start", "meta.lastUpdated")
            if (found := read.text_at(raw, path))
        ),
        "",
    )
    system = read.text_at(raw, "meta.source").split("#")[0]
    parts = [author, moment_text(when, now)]
    parts.append(_("from {system}", system=system) if system else _("from the central record"))
    return ", ".join(part for part in parts if part)


# plan


def _plan(reading: Reading, patient_ref: str, now: datetime) -> tuple[PlanRow, ...]:
    """Each measure of the active plans, and each granted service without a plan as broken."""
    plans = tuple(reading.find("CarePlan", patient=patient_ref, status=("active", "on-hold")))
    rows = [row for plan in plans for row in _plan_rows(reading, plan, patient_ref, now)]
    planned = {ref for plan in plans for ref in read.refs(plan.raw, "supportingInfo")}
    loose = reading.find("ServiceRequest", patient=patient_ref, status="active")
    rows += [_unplanned(reading, service) for service in loose if service.ref not in planned]
    return tuple(rows)


def _unplanned(reading: Reading, service: Cached) -> PlanRow:
    return PlanRow(
        key=service.ref,
        title=read.title_of(service.raw),
        recurrence_text=_("no plan"),
        service_text=granted_text(reading, service.ref),
        last_text="",
        next_text="",
        is_broken=_needs_plan(service.raw),
    )


def _needs_plan(service: Raw) -> bool:
    """Services given by visits; an alarm or a meal has no visit plan (KPR 9151)."""
    category = read.code_in(service, "category", codes.KPR_SERVICE)
    return category in ("", *VISITED_SERVICES)


VISITED_SERVICES: Final = ("1", "2", "15", "16")
"""KPR services given by visits: practical help, training, health care at home, rehabilitation."""


def _plan_rows(reading: Reading, plan: Cached, patient_ref: str, now: datetime) -> Iterator[PlanRow]:
    services = [ref for ref in read.refs(plan.raw, "supportingInfo") if ref.startswith("ServiceRequest/")]
    granted = ", ".join(filter(None, (granted_text(reading, ref) for ref in services)))
    for number, activity in enumerate(plan.raw.get("activity") or ()):
        detail = read.value_at(activity, "detail")
        if not isinstance(detail, dict) or detail.get("status") in ("cancelled", "completed", "stopped"):
            continue
        measure = read.code_in(detail, "code", codes.CODE_MEASURE)
        last, following, is_broken = _done_and_due(reading, patient_ref, measure, now)
        timing = detail.get("scheduledTiming")
        yield PlanRow(
            key=f"{plan.ref}#{number}",
            title=read.text_at(detail, "code.text") or read.title_of(detail) or measure,
            recurrence_text=in_words(timing) if isinstance(timing, dict) else "",
            service_text=granted,
            last_text=last,
            next_text=following,
            is_broken=is_broken,
        )


def _done_and_due(reading: Reading, patient_ref: str, measure: str, now: datetime) -> tuple[str, str, bool]:
    """(last time in words, next time in words, whether the last planned one has no documentation)."""
    if not measure:
        return "", "", False
    day = oslo(now).date()
    found = sorted(
        reading.find(
            "Task",
            patient=patient_ref,
            code=f"{codes.CODE_MEASURE}|{measure}",
            start_from=day - PAST,
            start_before=day + PAST,
        ),
        key=_begins,
    )
    past = [task for task in found if _begins(task) <= now.timestamp()]
    ahead = [task for task in found if _begins(task) > now.timestamp()]
    last = task_rows(reading, tuple(past[-1:]), now)
    words = last[0].history_text if last and not last[0].is_open else ""
    is_broken = bool(last) and last[0].is_open and _begins(past[-1]) < (now - timedelta(hours=24)).timestamp()
    return words, when_text(read.start_of(ahead[0].raw), now) if ahead else "", is_broken


def _begins(task: Cached) -> float:
    start = read.start_of(task.raw)
    return start.timestamp() if start else 0.0


# completeness (NEEDS R-32)


def _missing(
    patient: Raw, facts: Iterable[FactRow], plan: tuple[PlanRow, ...], lacking: str
) -> Iterator[str]:
    groups = {fact.group for fact in facts}
    if "condition" not in groups:
        yield _("No condition recorded")
    if "allergy" not in groups:
        yield _("Allergies not asked about")
    if "medication" not in groups:
        yield _("No medication list")
    if "service" not in groups:
        yield _("No granted service")
    if not any(not row.is_broken for row in plan):
        yield _("No plan")
    if "kin" not in groups:
        yield _("No next of kin")
    if "doctor" not in groups:
        yield _("No regular doctor")
    if not read.phone(patient):
        yield _("No telephone number")
    if lacking:
        yield lacking
