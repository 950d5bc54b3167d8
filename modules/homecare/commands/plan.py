"""Move, cancel and hand out visits; absence; telling those whose day changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from clinician import texts
from clinician.clock import oslo
from clinician.commands.act import Act, Change, Stamp
from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.fhir.reference import type_of
from clinician.fhir.times import earliest_or_none, to_instant
from clinician.queries.query import Cached, Raw, Reading
from modules.homecare import labels
from modules.homecare.commands.making import (
    OPEN_TASK,
    WAITING_TASK,
    aggregate_of,
    concept,
    edited,
    excepted,
    follow_up,
    new_ref,
    reference,
    tasks_of,
)
from modules.homecare.commands.visits import found_visit, interrupted, visit_problems
from modules.homecare.rows import Move, NotDone, VisitState
from modules.homecare.rules.visits import Visit, visit_of
from modules.homecare.words import clock_text

L = texts.lazy("homecare")
_ = texts.translator("homecare")

CANCELLED_BY: Final = ("by-user", "by-next-of-kin", "by-service", "hospital", "died")
"""Codes of CODE_CANCEL a person may choose; 'moved' is MoveVisit."""
NOTICE_WITHIN: Final = timedelta(minutes=30)


def _not_begun(visit: Visit) -> tuple[UserProblem, ...]:
    if visit.state is not VisitState.IN_PROGRESS:
        return ()
    return (UserProblem(L("This visit has begun and stays where it is. Nothing was changed.")),)


def _reason(text: str) -> tuple[UserProblem, ...]:
    return () if text.strip() else (UserProblem(L("Write a reason."), field="reason"),)


# to another time


@dataclass(frozen=True, slots=True)
class MoveVisit:
    """To another time or day: the old one is marked moved, a new one stands for it.

    The same day it keeps its persons and route; on another day nobody has it yet. Its open tasks go
    with it.
    """

    needs: ClassVar[tuple[str, ...]] = ("Appointment.cu", "Task.u")

    appointment_ref: str
    start: datetime
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = [*visit_problems(reading, self.appointment_ref), *_reason(self.reason)]
        if self.start <= stamp.when:
            problems.append(UserProblem(L("The new time must lie in the future."), field="start"))
        cached = reading.get(self.appointment_ref)
        if cached is not None and not problems:
            visit = visit_of(cached)
            problems += _not_begun(visit)
            if visit.start == self.start:
                problems.append(UserProblem(L("This is the time it has already."), field="start"))
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        old, visit = found_visit(reading, self.appointment_ref)
        why = concept(codes.CODE_CANCEL, "moved", self.reason.strip())
        new = Change(self._replacement(old.raw, visit, stamp))
        changes = (
            edited(old, status="cancelled", cancelationReason=why),
            new,
            *(self._carried(task, visit, new_ref(new)) for task in tasks_of(reading, visit, WAITING_TASK)),
        )
        return (Act("move-visit", aggregate_of(visit), changes, L("Visit moved")),)

    def _shift(self, visit: Visit) -> timedelta:
        return self.start - visit.start if visit.start else timedelta()

    def _replacement(self, old: Raw, visit: Visit, stamp: Stamp) -> Raw:
        gone = ("id", "meta", "text", "cancelationReason", "identifier")
        raw: Raw = {k: v for k, v in old.items() if k not in gone} | {
            "id": stamp.new_id(),
            "start": to_instant(self.start),
            "end": to_instant(self.start + timedelta(minutes=visit.minutes)),
            "minutesDuration": visit.minutes,
            "created": to_instant(stamp.when),
        }
        if read.is_practice(old):
            raw["meta"] = {"tag": [{"system": codes.CODE_PRACTICE, "code": "practice"}]}
        for url in (codes.EXT_WINDOW_START, codes.EXT_WINDOW_END):
            edge = earliest_or_none(read.extension(old, url))
            if edge is not None:
                raw = read.with_extension(raw, url, "valueDateTime", to_instant(edge + self._shift(visit)))
        raw = read.with_extension(raw, codes.EXT_REPLACES, "valueReference", reference(visit.ref))
        return raw if self._is_same_day(visit) else _taken_off(raw)

    def _is_same_day(self, visit: Visit) -> bool:
        return visit.start is not None and oslo(visit.start).date() == oslo(self.start).date()

    def _carried(self, task: Cached, visit: Visit, new_ref_: str) -> Change:
        period = dict(task.raw.get("executionPeriod") or {})
        for edge in ("start", "end"):
            when = earliest_or_none(period.get(edge))
            if when is not None:
                period[edge] = to_instant(when + self._shift(visit))
        return edited(task, focus=reference(new_ref_), executionPeriod=period or None)


def _taken_off(raw: Raw) -> Raw:
    """Nobody's: on no route, with no person, waiting to be handed out."""
    for url in (codes.EXT_ROUTE, codes.EXT_ROUTE_ORDER, codes.EXT_TRAVEL):
        raw = read.with_extension(raw, url, "", None)
    staff = ("Practitioner", "PractitionerRole")
    kept = [one for one in raw.get("participant") or () if type_of(read.ref_at(one, "actor")) not in staff]
    return raw | {"status": "pending", "participant": [one | {"status": "needs-action"} for one in kept]}


# cancelled by somebody


@dataclass(frozen=True, slots=True)
class CancelVisit:
    """Cancelled by somebody: `by` is one of CANCELLED_BY. The service must say why."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Encounter.u", "Task.u")

    appointment_ref: str
    by: str
    text: str = ""

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = list(visit_problems(reading, self.appointment_ref))
        if self.by not in CANCELLED_BY:
            problems.append(UserProblem(L("Choose who cancelled the visit."), field="by"))
        if self.by == "by-service" and not self.text.strip():
            problems.append(UserProblem(L("The service must say why it cancels a visit."), field="text"))
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        appointment, visit = found_visit(reading, self.appointment_ref)
        why = concept(codes.CODE_CANCEL, self.by, self.text.strip())
        words = self.text.strip() or labels.label(labels.CANCEL, self.by)
        changes = (
            edited(appointment, status="cancelled", cancelationReason=why),
            *interrupted(reading, visit, stamp),
            *(
                excepted(t, NotDone.NOT_NEEDED, words, stamp.when)
                for t in tasks_of(reading, visit, OPEN_TASK)
            ),
        )
        return (Act("cancel-visit", aggregate_of(visit), changes, L("Visit cancelled")),)


# to other persons


@dataclass(frozen=True, slots=True)
class AssignVisits:
    """Give visits to persons the same day: one act per visit, the sum of visits unchanged.

    Moves without a route (nobody can take them) are left as they are. Nobody without the competence,
    nobody who is away, and no firm wish is overridden here: such a move is refused as a whole.
    """

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u",)

    moves: tuple[Move, ...]
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        wanted = self._placed()
        problems = list(_reason(self.reason))
        if not wanted:
            problems.append(UserProblem(L("There is nothing to hand out. Nothing was changed.")))
        if any(times > 1 for times in Counter(m.appointment_ref for m in wanted).values()):
            problems.append(UserProblem(L("A visit is in the list twice. Nothing was changed.")))
        for move in wanted:
            problems += self._move_problems(reading, move)
        return tuple(problems)

    def _placed(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.to_route_key)

    @staticmethod
    def _move_problems(reading: Reading, move: Move) -> list[UserProblem]:
        closed = visit_problems(reading, move.appointment_ref)
        if closed:
            return list(closed)
        visit = found_visit(reading, move.appointment_ref)[1]
        problems = list(_not_begun(visit))
        field = move.appointment_ref
        if len(set(move.to_practitioner_refs)) < visit.staff_count:
            words = L("The visit at {clock} needs {n} persons.", clock=_clock(visit), n=visit.staff_count)
            problems.append(UserProblem(words, field=field))
        if visit.is_fixed and move.start != visit.start:
            problems.append(
                UserProblem(L("The visit at {clock} has a fixed time.", clock=_clock(visit)), field=field)
            )
        for ref in move.to_practitioner_refs:
            problems += _person_problems(reading, visit, ref, move)
        return problems

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        acts = []
        for move in self._placed():
            cached, visit = found_visit(reading, move.appointment_ref)
            change = Change(self._assigned(cached.raw, move), cached)
            label = L("Visit at {clock} given to another person", clock=clock_text(move.start))
            acts.append(Act("assign-visit", aggregate_of(visit), (change,), label))
        return tuple(acts)

    def _assigned(self, old: Raw, move: Move) -> Raw:
        raw = old | {
            "status": "booked",
            "start": to_instant(move.start),
            "end": to_instant(move.end),
            "participant": _participants(old, move.to_practitioner_refs),
        }
        values: tuple[tuple[str, str, Any], ...] = (
            (codes.EXT_ROUTE, "valueReference", reference(move.to_route_key)),
            (codes.EXT_ROUTE_ORDER, "valuePositiveInt", move.order or None),
            (codes.EXT_TRAVEL, "valuePositiveInt", move.travel_minutes or None),
            (codes.EXT_MOVE_REASON, "valueString", self.reason.strip()),
        )
        for url, key, value in values:
            raw = read.with_extension(raw, url, key, value)
        return raw


def _clock(visit: Visit) -> str:
    return clock_text(visit.start)


def _participants(old: Raw, people: tuple[str, ...]) -> list[Raw]:
    """The user and others stay; those who had it and keep it stay as they are; new ones join."""
    listed = [one for one in old.get("participant") or () if isinstance(one, dict)]
    had = {read.ref_at(one, "actor"): one for one in listed}
    others = [
        one | ({"status": "accepted"} if one.get("status") == "needs-action" else {})
        for one in listed
        if type_of(read.ref_at(one, "actor")) != "Practitioner"
    ]
    new = {"required": "required", "status": "accepted"}
    return others + [had.get(ref, {"actor": reference(ref)} | new) for ref in people]


def _person_problems(reading: Reading, visit: Visit, ref: str, move: Move) -> list[UserProblem]:
    roles = [role.raw for role in reading.find("PractitionerRole", owner=ref)]
    held = {c.code for role in roles for c in read.codings(role, "code")}
    person = reading.get(ref)
    name = read.name_text(person.raw) if person else move.to_name
    params = {"name": name, "clock": _clock(visit)}
    found = []
    if not visit.needs <= held:
        found.append(L("{name} does not have the competence the visit at {clock} needs.", **params))
    if visit.is_wish_firm and visit.wish and (not person or person.raw.get("gender") != visit.wish):
        found.append(
            L("The user's wish for the visit at {clock} is decided; {name} cannot take it.", **params)
        )
    if any(_is_away(role, move) for role in roles):
        found.append(L("{name} is away at {clock}.", **params))
    return [UserProblem(words, field=visit.ref) for words in found]


def _is_away(role: Raw, move: Move) -> bool:
    for one in role.get("notAvailable") or ():
        start = earliest_or_none(read.value_at(one, "during.start"))
        end = earliest_or_none(read.value_at(one, "during.end"))
        if start is not None and start < move.end and (end is None or move.start < end):
            return True
    return False


# absence and notice


@dataclass(frozen=True, slots=True)
class RecordAbsence:
    """A colleague is away: written on the role at the workplace, so that nothing is planned there."""

    needs: ClassVar[tuple[str, ...]] = ("PractitionerRole.u",)

    practitioner_ref: str
    start: datetime
    stop: datetime
    reason: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = list(_reason(self.reason))
        if self.stop <= self.start:
            problems.append(UserProblem(L("The absence must end after it begins."), field="stop"))
        if self._role(reading, stamp) is None:
            problems.append(
                UserProblem(L("This person has no role at the workplace on this PC. Nothing was changed."))
            )
        return tuple(problems)

    def _role(self, reading: Reading, stamp: Stamp) -> Cached | None:
        roles = [
            role
            for role in reading.find("PractitionerRole", owner=self.practitioner_ref, order="id")
            if read.ref_at(role.raw, "practitioner") == self.practitioner_ref
        ]
        here = (r for r in roles if read.ref_at(r.raw, "organization") == stamp.who.workplace_ref)
        return next(here, next(iter(roles), None))

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        role = self._role(reading, stamp)
        if role is None:
            raise UserProblem(L("This person has no role at the workplace on this PC. Nothing was changed."))
        during = {"start": to_instant(self.start), "end": to_instant(self.stop)}
        away = [
            *(role.raw.get("notAvailable") or ()),
            {"description": self.reason.strip(), "during": during},
        ]
        return (Act("record-absence", role.ref, (edited(role, notAvailable=away),), L("Absence recorded")),)


@dataclass(frozen=True, slots=True)
class NotifyStaff:
    """Tell those whose day changed: one notice task per person, without names of users."""

    needs: ClassVar[tuple[str, ...]] = ("Task.c",)

    moves: tuple[Move, ...]

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        if self._by_person():
            return ()
        return (UserProblem(L("Nobody's day has changed. Nothing was sent.")),)

    def _by_person(self) -> dict[str, list[Move]]:
        found: dict[str, list[Move]] = defaultdict(list)
        for move in self.moves:
            for ref in move.to_practitioner_refs if move.to_route_key else ():
                found[ref].append(move)
        return found

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        acts = []
        for ref, moves in self._by_person().items():
            first = min(moves, key=lambda move: move.start)
            clocks = ", ".join(clock_text(move.start) for move in sorted(moves, key=lambda m: m.start))
            about = reading.get(first.appointment_ref)
            change = follow_up(
                stamp,
                "reassignment-notice",
                like=about.raw if about else None,
                patient_ref="",
                owner_ref=ref,
                due=max(first.start, stamp.when + NOTICE_WITHIN),
                description=_("New in your day: {clocks}", clocks=clocks),
            )
            linked = Change(change.raw | {"input": [_input(move) for move in moves]})
            acts.append(Act("notify-staff", new_ref(change), (linked,), L("Notice to a colleague")))
        return tuple(acts)


def _input(move: Move) -> Raw:
    return {
        "type": concept(codes.CODE_TASK, "reassignment-notice"),
        "valueReference": reference(move.appointment_ref),
    }
