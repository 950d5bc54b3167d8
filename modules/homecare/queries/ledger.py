"""Nothing disappears: sums, broken links and evidence (NEEDS R-06, R-07, R-11, R-27).

Three different times, never mixed: planned is Appointment start to end of the visits that stand,
granted is the decision's minutes a week divided by seven, actual is Encounter start to stop.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from clinician import texts
from clinician.fhir import codes, read
from clinician.fhir.times import day_bounds, earliest_or_none
from clinician.queries.outbox import evidence_rows
from clinician.queries.query import Cached, Raw, Reading, RowState, query
from modules.homecare.queries.loading import (
    FOLLOW_UP_KINDS,
    OPEN_TASKS,
    actual_of,
    encounters_by_visit,
    names_of,
    of_workplace,
    open_visits_before,
    patient_name,
    patients_of,
    raws_at,
    reason_of,
    schedules_of,
    task_title,
    tasks_by_visit,
    visit_title,
    visits_between,
    visits_of_day,
)
from modules.homecare.queries.user_card import VISITED_SERVICES
from modules.homecare.rows import BrokenLink, BrokenRow, DaySums, Ledger, RemovalRow, VisitState
from modules.homecare.rules.visits import OPEN_STATES, Visit, is_overdue, sums_of
from modules.homecare.words import clock_text, date_text, long_day_text, when_text

L = texts.lazy("homecare")
_ = texts.translator("homecare")

AHEAD: Final = timedelta(days=14)
"""A granted service must have a visit planned within this."""
_LINKS: Final = {
    BrokenLink.GRANTED_NOT_PLANNED: L("Granted, not planned"),
    BrokenLink.PLANNED_NOT_DOCUMENTED: L("Planned, not documented"),
    BrokenLink.PAST_DUE: L("Past due"),
    BrokenLink.FOLLOW_UP_LATE: L("Follow-up late"),
    BrokenLink.NO_OWNER: L("Nobody owns it"),
}
EVIDENCE: Final = 100
"""The newest removals from this PC the page shows."""
_KINDS: Final = {
    "Appointment": L("Visit"),
    "Task": L("Task"),
    "ServiceRequest": L("Granted service"),
    "CarePlan": L("Plan"),
    "EpisodeOfCare": L("User of the workplace"),
}
_UNPLANNED: Final = frozenset({VisitState.MOVED, VisitState.CANCELLED})
_LEFT: Final = frozenset({VisitState.MOVED, VisitState.CANCELLED, VisitState.NOT_DONE, VisitState.NOT_HOME})


@dataclass(frozen=True, slots=True)
class _Day:
    visits: tuple[Visit, ...]
    earlier: tuple[Visit, ...]
    members: frozenset[str]
    encounters: Mapping[str, Cached]
    tasks: Mapping[str, list[Cached]]
    day: date
    now: datetime


@query(
    watches=(
        "Appointment",
        "Task",
        "Encounter",
        "CarePlan",
        "ServiceRequest",
        "Schedule",
        "EpisodeOfCare",
        "Patient",
        "Provenance",
    )
)
def ledger(reading: Reading, *, workplace_ref: str, day: date, now: datetime) -> Ledger:
    """planned = done + not done + moved + cancelled + open, per route and in all."""
    schedules = schedules_of(reading, workplace_ref, day)
    routes = [one.ref for one in schedules]
    visits = of_workplace(reading, visits_of_day(reading, day), workplace_ref, routes)
    earlier = of_workplace(reading, open_visits_before(reading, day), workplace_ref, routes)
    members = _members(reading, workplace_ref)
    held = _Day(
        visits,
        earlier,
        members,
        encounters_by_visit(reading, visits),
        tasks_by_visit(reading, visits),
        day,
        now,
    )
    services = _services(reading, members, day)
    fresh = reading.freshness(("Appointment", "Task", "Encounter"))
    return Ledger(
        day_text=long_day_text(day),
        sums=sums_of(visits, now),
        per_route=_per_route(reading, schedules, visits, now),
        broken=_named(reading, _broken(reading, held, services), now),
        removed=(*_removed(reading, visits, now), *_left_this_pc(reading)),
        planned_minutes=sum(visit.minutes for visit in visits if visit.state not in _UNPLANNED),
        granted_minutes=round(sum(_granted(one.raw) for one in services) / 7),
        actual_minutes=sum(actual_of(one).minutes for one in held.encounters.values()),
        as_of=fresh.as_of,
        complete=fresh.complete,
    )


def _members(reading: Reading, workplace_ref: str) -> frozenset[str]:
    live = ("planned", "waitlist", "active", "onhold")
    found = reading.find("EpisodeOfCare", token=("organization", workplace_ref), status=live)
    return frozenset(read.patient_ref_of(one.raw) for one in found)


def _services(reading: Reading, members: frozenset[str], day: date) -> tuple[Cached, ...]:
    """Decisions in force on a day for users of the workplace."""
    start, end = day_bounds(day)
    found = []
    for one in reading.find("ServiceRequest", patient=members, status="active") if members else ():
        begins = earliest_or_none(read.value_at(one.raw, "occurrencePeriod.start"))
        ends = read.day_at(one.raw, "occurrencePeriod.end")
        if (begins is None or begins < end) and (ends is None or day_bounds(ends)[1] > start):
            found.append(one)
    return tuple(found)


def _granted(service: Raw) -> float:
    minutes = read.extension(service, codes.EXT_GRANTED)
    return float(minutes) if isinstance(minutes, int | float) else 0.0


def _per_route(
    reading: Reading, schedules: tuple[Cached, ...], visits: tuple[Visit, ...], now: datetime
) -> tuple[tuple[str, DaySums], ...]:
    """Each visit is counted once, on the route it lies on; what lies on none comes last."""
    own: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        own[visit.route_ref if visit.practitioner_refs else ""].append(visit)
    people = (read.ref_at(one.raw, "actor", "Practitioner") for one in schedules)
    drivers = names_of(reading, people, (one.raw for one in schedules))
    rows = []
    for one in schedules:
        driver = drivers.get(read.ref_at(one.raw, "actor", "Practitioner"), "")
        name = " – ".join(part for part in (read.text_at(one.raw, "comment"), driver) if part)
        rows.append((name, sums_of(own.pop(one.ref, ()), now)))
    rest = [visit for held in own.values() for visit in held]
    return tuple([*rows, (_("On no route"), sums_of(rest, now))] if rest else rows)


# broken links


@dataclass(frozen=True, slots=True)
class _Break:
    ref: str
    link: BrokenLink
    patient_ref: str
    title: str
    owners: tuple[str, ...]
    since: datetime | None
    state: RowState
    has_time: bool = True


def _broken(reading: Reading, held: _Day, services: tuple[Cached, ...]) -> Iterator[_Break]:
    yield from _past_due(held)
    yield from _undocumented(held)
    yield from _follow_ups(reading, held)
    yield from _put_off(reading, held)
    yield from _unplanned(reading, held, services)


def _visit_break(visit: Visit, link: BrokenLink, held: _Day) -> _Break:
    title = visit_title(visit, held.tasks.get(visit.ref, ()))
    return _Break(
        visit.ref, link, visit.patient_ref, title, visit.practitioner_refs, visit.start, visit.row_state
    )


def _past_due(held: _Day) -> Iterator[_Break]:
    for visit in (*held.earlier, *held.visits):
        if is_overdue(visit, held.now):
            yield _visit_break(visit, BrokenLink.PAST_DUE, held)
        elif visit.state in OPEN_STATES and not visit.practitioner_refs:
            yield _visit_break(visit, BrokenLink.NO_OWNER, held)


def _undocumented(held: _Day) -> Iterator[_Break]:
    """Done without an actual visit or with tasks left open; or begun and forgotten."""
    for visit in (*held.earlier, *held.visits):
        encounter = held.encounters.get(visit.ref)
        is_forgotten = (
            visit.state is VisitState.IN_PROGRESS
            and visit.end is not None
            and held.now > visit.end + timedelta(hours=2)
        )
        has_open = any(task.raw.get("status") in OPEN_TASKS[:-1] for task in held.tasks.get(visit.ref, ()))
        is_bare = visit.state is VisitState.DONE and (encounter is None or has_open)
        if is_forgotten or is_bare:
            yield _visit_break(visit, BrokenLink.PLANNED_NOT_DOCUMENTED, held)


def _follow_ups(reading: Reading, held: _Day) -> Iterator[_Break]:
    for kind in FOLLOW_UP_KINDS:
        for task in reading.find("Task", code=f"{codes.CODE_TASK}|{kind}", status=OPEN_TASKS):
            patient_ref, due = read.patient_ref_of(task.raw), read.due_of(task.raw)
            if patient_ref and patient_ref not in held.members:
                continue
            owner = read.owner_of(task.raw)
            link = BrokenLink.FOLLOW_UP_LATE if due is not None and due < held.now else None
            link = link if owner else BrokenLink.NO_OWNER
            if link is not None:
                owners = (owner,) if owner else ()
                yield _Break(task.ref, link, patient_ref, task_title(task.raw), owners, due, task.state)


def _put_off(reading: Reading, held: _Day) -> Iterator[_Break]:
    """A postponed task that no follow-up owns."""
    for tasks in held.tasks.values():
        for task in tasks:
            if task.raw.get("status") != "on-hold":
                continue
            about = (task.ref, read.ref_at(task.raw, "focus"))
            if not any(_is_owned(one) for ref in about for one in reading.find("Task", token=("focus", ref))):
                yield _Break(
                    task.ref,
                    BrokenLink.NO_OWNER,
                    read.patient_ref_of(task.raw),
                    task_title(task.raw),
                    (),
                    read.start_of(task.raw),
                    task.state,
                )


def _is_owned(task: Cached) -> bool:
    kind = read.code_in(task.raw, "code", codes.CODE_TASK)
    return kind in FOLLOW_UP_KINDS and bool(read.owner_of(task.raw))


def _unplanned(reading: Reading, held: _Day, services: tuple[Cached, ...]) -> Iterator[_Break]:
    """A decision given by visits, with no visit standing in the two weeks ahead."""
    ahead = visits_between(reading, held.day, held.day + AHEAD)
    planned = {visit.service_ref for visit in ahead if visit.state not in _UNPLANNED}
    for one in services:
        category = read.code_in(one.raw, "category", codes.KPR_SERVICE)
        if one.ref in planned or (category and category not in VISITED_SERVICES):
            continue
        since = earliest_or_none(read.value_at(one.raw, "occurrencePeriod.start"))
        yield _Break(
            one.ref,
            BrokenLink.GRANTED_NOT_PLANNED,
            read.patient_ref_of(one.raw),
            read.title_of(one.raw),
            read.refs(one.raw, "performer"),
            since,
            one.state,
            has_time=False,
        )


def _named(reading: Reading, breaks: Iterable[_Break], now: datetime) -> tuple[BrokenRow, ...]:
    found = sorted(breaks, key=lambda one: (list(BrokenLink).index(one.link), one.since or now, one.ref))
    patients = patients_of(reading, (one.patient_ref for one in found))
    sources = raws_at(reading, [one.ref for one in found])
    names = names_of(reading, (ref for one in found for ref in one.owners), sources)
    return tuple(
        BrokenRow(
            key=one.ref,
            link=one.link,
            link_text=_LINKS[one.link].render(),
            patient_ref=one.patient_ref,
            patient_name=patient_name(patients, one.patient_ref) if one.patient_ref else "",
            title=one.title,
            owner_text=", ".join(names[ref] for ref in one.owners) or _("nobody"),
            since_text=when_text(one.since, now) if one.has_time else date_text(one.since),
            state=one.state,
        )
        for one in found
    )


# evidence


def _removed(reading: Reading, visits: tuple[Visit, ...], now: datetime) -> tuple[RemovalRow, ...]:
    """Why a visit is no longer to be done: moved, cancelled, not done; who said so and when."""
    left = [visit for visit in visits if visit.state in _LEFT]
    patients = patients_of(reading, (visit.patient_ref for visit in left))
    cached = reading.get_many(visit.ref for visit in left)
    rows = []
    for visit in left:
        when, who = _last_act(reading, visit.ref)
        when = when or read.last_updated_of(cached[visit.ref].raw)
        words = reason_of(cached[visit.ref].raw) or _("not home")
        heading = f"{clock_text(visit.start)} {patient_name(patients, visit.patient_ref)}"
        text = f"{heading}: {words}{_moved_to(reading, visit, now)}"
        rows.append((when, RemovalRow(visit.ref, when_text(when, now), text, who)))
    rows.sort(key=lambda row: (row[0] or now, row[1].key), reverse=True)
    return tuple(row for _when, row in rows)


def _left_this_pc(reading: Reading) -> Iterator[RemovalRow]:
    """Why something of the day is no longer on this PC at all (SYNC §1.5): evidence kept by sync."""
    for line in evidence_rows(reading, limit=EVIDENCE):
        if line.what_text in _KINDS:
            text = f"{_KINDS[line.what_text].render()}: {line.why_text}"
            yield RemovalRow(line.key, line.when_text, text, line.detail)


def _moved_to(reading: Reading, visit: Visit, now: datetime) -> str:
    if visit.state is not VisitState.MOVED:
        return ""
    following = next(reading.find("Appointment", token=("replaces", visit.ref)), None)
    start = read.start_of(following.raw) if following else None
    return f" → {when_text(start, now)}" if start else ""


def _last_act(reading: Reading, ref: str) -> tuple[datetime | None, str]:
    """(when, who) of the newest Provenance of a resource, as far as it is cached."""
    last = next(reading.find("Provenance", token=("target", ref), descending=True, limit=1), None)
    if last is None:
        return None, ""
    agent = read.ref_at(last.raw, "agent.who")
    return read.start_of(last.raw), names_of(reading, [agent], [last.raw]).get(agent, "")
