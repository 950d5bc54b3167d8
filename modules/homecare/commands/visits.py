"""Start, complete and except a visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from clinician import texts
from clinician.commands.act import Act, Change, Stamp
from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.fhir.times import to_instant
from clinician.queries.query import Cached, Raw, Reading
from modules.homecare.commands.making import (
    CALL_WITHIN,
    GONE,
    PUT_OFF,
    TRY_AGAIN_AFTER,
    aggregate_of,
    concept,
    created,
    edited,
    encounter_of,
    excepted,
    follow_up,
    owner_problems,
    reference,
    tasks_of,
    visit_at,
)
from modules.homecare.rows import NotDone, VisitState
from modules.homecare.rules.visits import OPEN_STATES, Visit, actual_times

L = texts.lazy("homecare")
_ = texts.translator("homecare")

SLIP: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(hours=24)
CALLED: Final = {
    "user": L("Called the user"),
    "next-of-kin": L("Called next of kin"),
    "coordinator": L("Told the coordinator"),
}
"""Whom RecordNotHome.called may name."""


def closed_problem(visit: Visit) -> UserProblem | None:
    """A visit ends once: why it cannot be ended again, or None."""
    if visit.state in OPEN_STATES:
        return None
    if visit.state is VisitState.DONE:
        text = L("This visit is already documented as done. Nothing was changed. Undo it if that was wrong.")
    elif visit.state is VisitState.MOVED:
        text = L("This visit was moved. Nothing was changed. Document the visit that replaced it.")
    else:
        text = L("This visit is already closed as not done. Nothing was changed. Undo it if that was wrong.")
    return UserProblem(text)


def visit_problems(reading: Reading, appointment_ref: str) -> tuple[UserProblem, ...]:
    """() when the visit is here and open."""
    found = visit_at(reading, appointment_ref)
    if found is None:
        return (UserProblem(GONE),)
    problem = closed_problem(found[1])
    return () if problem is None else (problem,)


def found_visit(reading: Reading, appointment_ref: str) -> tuple[Cached, Visit]:
    """The appointment and its visit. UserProblem when it is not cached."""
    found = visit_at(reading, appointment_ref)
    if found is None:
        raise UserProblem(GONE)
    return found


def _participants(visit: Visit, stamp: Stamp) -> list[Raw]:
    """Those who were there: all planned when I am one of them, else only whom we know: me."""
    me = stamp.who.practitioner_ref
    there = visit.practitioner_refs if me in visit.practitioner_refs else (me,)
    return [{"individual": reference(ref)} for ref in there]


def _new_encounter(
    stamp: Stamp, appointment: Cached, visit: Visit, status: str, start: datetime, stop: datetime | None
) -> Change:
    period = {"start": to_instant(start)} | ({"end": to_instant(stop)} if stop else {})
    return created(
        stamp,
        "Encounter",
        appointment.raw,
        status=status,
        **{"class": {"system": codes.ACT_CODE, "code": "HH", "display": "home health"}},
        subject=reference(visit.patient_ref) if visit.patient_ref else None,
        participant=_participants(visit, stamp),
        appointment=[reference(visit.ref)],
        period=period,
        serviceProvider=reference(stamp.who.workplace_ref) if stamp.who.workplace_ref else None,
    )


@dataclass(frozen=True, slots=True)
class StartVisit:
    """At the door: the visit is in progress and its clock runs."""

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Encounter.c")

    appointment_ref: str

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = visit_problems(reading, self.appointment_ref)
        if problems:
            return problems
        if found_visit(reading, self.appointment_ref)[1].state is VisitState.IN_PROGRESS:
            return (UserProblem(L("This visit has already begun. Nothing was changed.")),)
        return ()

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        appointment, visit = found_visit(reading, self.appointment_ref)
        changes = (
            edited(appointment, status="arrived"),
            _new_encounter(stamp, appointment, visit, "in-progress", stamp.when, None),
        )
        return (Act("start-visit", aggregate_of(visit), changes, L("Visit begun")),)


@dataclass(frozen=True, slots=True)
class CompleteVisit:
    """Done as planned, with one key.

    Times not given: from the start recorded at the door, else by rules.visits.actual_times. Open
    tasks of the visit are completed; those already excepted keep their reason.
    """

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Encounter.cu", "Task.u")

    appointment_ref: str
    start: datetime | None = None
    stop: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = visit_problems(reading, self.appointment_ref)
        if problems:
            return problems
        return tuple(self._time_problems(*self._times(reading, stamp), stamp.when))

    def _times(self, reading: Reading, stamp: Stamp) -> tuple[datetime, datetime]:
        visit = found_visit(reading, self.appointment_ref)[1]
        begun = encounter_of(reading, visit, ("in-progress",))
        started = read.start_of(begun.raw) if begun else None
        start, stop = actual_times(visit, self.start or started, self.stop or stamp.when)
        return self.start or start, self.stop or stop

    @staticmethod
    def _time_problems(start: datetime, stop: datetime, now: datetime) -> list[UserProblem]:
        found = []
        if stop > now + SLIP:
            found.append(UserProblem(L("The visit cannot have ended in the future."), field="stop"))
        if stop <= start:
            found.append(UserProblem(L("The visit must end after it began."), field="stop"))
        elif stop - start > LONGEST:
            found.append(UserProblem(L("A visit cannot last more than a day and night."), field="start"))
        return found

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        appointment, visit = found_visit(reading, self.appointment_ref)
        start, stop = self._times(reading, stamp)
        begun = encounter_of(reading, visit, ("in-progress",))
        if begun is None:
            encounter = _new_encounter(stamp, appointment, visit, "finished", start, stop)
        else:
            period = {"start": to_instant(start), "end": to_instant(stop)}
            encounter = edited(begun, status="finished", period=period)
        tasks = tuple(_completed(task, stamp) for task in tasks_of(reading, visit))
        changes = (edited(appointment, status="fulfilled"), encounter, *tasks)
        return (Act("complete-visit", aggregate_of(visit), changes, L("Visit done")),)


def _completed(task: Cached, stamp: Stamp) -> Change:
    owner = task.raw.get("owner") or reference(stamp.who.practitioner_ref)
    return edited(task, status="completed", owner=owner, lastModified=to_instant(stamp.when))


def interrupted(reading: Reading, visit: Visit, stamp: Stamp) -> tuple[Change, ...]:
    """A visit begun at the door that came to nothing: its Encounter is closed as cancelled."""
    begun = encounter_of(reading, visit, ("in-progress",))
    if begun is None:
        return ()
    period = dict(begun.raw.get("period") or {}) | {"end": to_instant(stamp.when)}
    return (edited(begun, status="cancelled", period=period),)


@dataclass(frozen=True, slots=True)
class RecordNotHome:
    """Nobody opened: the visit is not done and a chain of owned follow-ups begins.

    The chain: call next of kin now, try again within the hour or before the window closes, tell the
    coordinator if the user is not found. Owner: `owner_ref`, else the one who acts. `called`: keys
    of CALLED that are done already; they are written as completed.
    """

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Encounter.u", "Task.cu")

    appointment_ref: str
    owner_ref: str = ""
    called: tuple[str, ...] = ()
    try_again: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        problems = [
            *visit_problems(reading, self.appointment_ref),
            *owner_problems(self.owner_ref, stamp),
        ]
        if self.try_again is not None and self.try_again <= stamp.when:
            problems.append(UserProblem(L("The next try must lie in the future."), field="try_again"))
        if not set(self.called) <= set(CALLED):
            problems.append(UserProblem(L("It is not clear who was called."), field="called"))
        return tuple(problems)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        appointment, visit = found_visit(reading, self.appointment_ref)
        tasks = tuple(excepted(t, NotDone.NOT_HOME, "", stamp.when) for t in tasks_of(reading, visit))
        changes = (
            edited(appointment, status="noshow", cancelationReason=None),
            *interrupted(reading, visit, stamp),
            *tasks,
            *self._chain(appointment, visit, stamp),
        )
        return (Act("not-home", aggregate_of(visit), changes, L("Not home: follow-up begun")),)

    def _chain(self, appointment: Cached, visit: Visit, stamp: Stamp) -> tuple[Change, ...]:
        again = self.try_again or _next_try(visit, stamp.when)
        steps = (
            ("next-of-kin", "call-next-of-kin", stamp.when + CALL_WITHIN, _("Call next of kin")),
            ("", "try-again", again, _("Try the visit again")),
            ("coordinator", "follow-up", again + TRY_AGAIN_AFTER / 4, _("Tell the coordinator if not found")),
        )
        chain = []
        for key, kind, due, words in steps:
            is_done = bool(key) and key in self.called
            chain.append(
                follow_up(
                    stamp,
                    kind,
                    like=appointment.raw,
                    patient_ref=visit.patient_ref,
                    owner_ref=self.owner_ref,
                    due=due,
                    description=words,
                    focus_ref=visit.ref,
                    status="completed" if is_done else "ready",
                    note=CALLED[key].render() if is_done else self._rung(kind),
                )
            )
        return tuple(chain)

    def _rung(self, kind: str) -> str:
        return CALLED["user"].render() if kind == "try-again" and "user" in self.called else ""


def _next_try(visit: Visit, now: datetime) -> datetime:
    """In an hour, or before the window closes when that comes first and is still ahead."""
    hour = now + TRY_AGAIN_AFTER
    closes = visit.window_end
    return closes if closes is not None and now + CALL_WITHIN <= closes < hour else hour


@dataclass(frozen=True, slots=True)
class ExceptVisit:
    """The whole visit was not done, with a reason; postponed makes an owned follow-up.

    not-home is RecordNotHome. due: when a postponed visit must be taken up, in two hours by default.
    """

    needs: ClassVar[tuple[str, ...]] = ("Appointment.u", "Encounter.u", "Task.cu")

    appointment_ref: str
    reason: NotDone
    text: str = ""
    owner_ref: str = ""
    due: datetime | None = None

    def check(self, reading: Reading, stamp: Stamp) -> tuple[UserProblem, ...]:
        if self.reason is NotDone.NOT_HOME:
            return self._not_home().check(reading, stamp)
        return (
            *visit_problems(reading, self.appointment_ref),
            *exception_problems(self.reason, self.text, self.owner_ref, self.due, stamp),
        )

    def _not_home(self) -> RecordNotHome:
        return RecordNotHome(self.appointment_ref, self.owner_ref, try_again=self.due)

    def build(self, reading: Reading, stamp: Stamp) -> tuple[Act, ...]:
        if self.reason is NotDone.NOT_HOME:
            return self._not_home().build(reading, stamp)
        appointment, visit = found_visit(reading, self.appointment_ref)
        why = concept(codes.CODE_NOT_DONE, self.reason.value, self.text.strip())
        changes = [
            edited(appointment, status="cancelled", cancelationReason=why),
            *interrupted(reading, visit, stamp),
            *(excepted(t, self.reason, self.text.strip(), stamp.when) for t in tasks_of(reading, visit)),
        ]
        if self.reason is NotDone.POSTPONED:
            changes.append(
                follow_up(
                    stamp,
                    "follow-up",
                    like=appointment.raw,
                    patient_ref=visit.patient_ref,
                    owner_ref=self.owner_ref,
                    due=self.due or stamp.when + PUT_OFF,
                    description=_("Postponed visit: {title}", title=visit.title),
                    focus_ref=visit.ref,
                    note=self.text.strip(),
                )
            )
        return (Act("except-visit", aggregate_of(visit), tuple(changes), L("Visit not done")),)


def exception_problems(
    reason: NotDone, text: str, owner_ref: str, due: datetime | None, stamp: Stamp
) -> tuple[UserProblem, ...]:
    """What an exception lacks: words for 'other', an owner and a time ahead for 'postponed'."""
    problems: list[UserProblem] = []
    if reason is NotDone.OTHER and not text.strip():
        problems.append(
            UserProblem(L("Write the reason: 'other' says nothing to the next person."), field="text")
        )
    if reason is NotDone.POSTPONED:
        problems += owner_problems(owner_ref, stamp)
        if due is not None and due <= stamp.when:
            problems.append(UserProblem(L("The new time must lie in the future."), field="due"))
    return tuple(problems)
