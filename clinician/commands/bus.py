"""The command bus: from what a person wants to one durable transaction on this PC.

Access, check, build and validation run on a snapshot, off the writer. The writer then sees that what
the command was made from is still what is effective; if not, the command is made once more inside
the writer, where nothing can come between. Overlay, act, Provenance and AuditEvent are written
together or not at all.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Protocol

from clinician import texts
from clinician.access.who import Who
from clinician.cache.acts import ActRow, ActState, Entry, NewAct
from clinician.cache.open import Cache
from clinician.cache.reading import Raw, Reading, RowState
from clinician.cache.recalled import note_doubtful
from clinician.cache.writing import Writing
from clinician.clock import Clock
from clinician.commands.act import Act, Change, Command, Done, Stamp
from clinician.commands.audit import CREATE, READ, UPDATE, ReadLog, audit_event, audit_row
from clinician.commands.correction import ANY_TYPE, CorrectAct
from clinician.commands.once import Once
from clinician.commands.op_id import OpIds
from clinician.commands.record_rule import refuse_unguarded
from clinician.commands.signing import provenance
from clinician.errors import Bug, Refused, UserProblem
from clinician.fhir.read import patient_ref_of
from clinician.fhir.reference import ref_of

L = texts.lazy("commands")
_log: Final = logging.getLogger(__name__)
_UNSENT: Final = frozenset({ActState.DRAFT, ActState.QUEUED})
_STANDING: Final = frozenset({ActState.REJECTED, ActState.PARKED})
_MAY_WITHDRAW: Final = _UNSENT | _STANDING


class Finding(Protocol):
    """What validation finds wrong with a resource; level 'error' means it must not be sent."""

    @property
    def path(self) -> str: ...
    @property
    def level(self) -> str: ...


class Decision(Protocol):
    """What access says."""

    @property
    def allowed(self) -> bool: ...
    @property
    def reason(self) -> texts.Text: ...
    @property
    def way_out(self) -> texts.Text | None: ...


Validator = Callable[[Raw], Iterable[Finding]]
Decide = Callable[[Who, str, str], Decision]


class Problems(UserProblem):
    """Several problems at once; shown as the first, `all` holds each."""

    def __init__(self, problems: tuple[UserProblem, ...]) -> None:
        first = problems[0]
        super().__init__(first.text, field=first.field, detail=first.detail)
        self.all = problems


class _Moved(Exception):
    """Make it once more."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A command made into acts, checked and valid."""

    acts: tuple[Act, ...]
    stamp: Stamp


class CommandBus:
    """Runs commands for whoever is signed in. Any thread."""

    def __init__(self, cache: Cache, clock: Clock, validator: Validator, decide: Decide) -> None:
        self._cache = cache
        self._clock = clock
        self._validate = validator
        self._decide = decide
        self._op_id = OpIds(clock)
        self._once = Once()
        self._reads = ReadLog(clock)

    def run(self, command: Command, who: Who) -> Done:
        """Do it durably. Raises Refused, UserProblem, Problems, DiskFull or Bug; then nothing was done."""
        return self._once.run(command, lambda: self._run(command, who))

    def _run(self, command: Command, who: Who) -> Done:
        stamp = Stamp(who, self._clock.now(), _new_id)
        with self._cache.reading() as reading:
            ready = self._make(command, stamp, reading)
        try:
            return self._cache.writer.run(lambda writing: self._write(writing, ready), durable=True)
        except _Moved:
            return self._cache.writer.run(
                lambda writing: self._write(writing, self._make(command, stamp, writing.reading)),
                durable=True,
            )

    # making

    def _make(self, command: Command, stamp: Stamp, reading: Reading) -> _Ready:
        self._allow_needs(command, stamp.who)
        problems = command.check(reading, stamp)
        if problems:
            raise problems[0] if len(problems) == 1 else Problems(problems)
        acts = command.build(reading, stamp)
        changes = [change for act in acts for change in act.changes]
        self._check_shape(command, changes)
        for change in changes:
            self._allow_change(command, change, stamp.who)
            self._check_valid(change.raw)
        return _Ready(acts, stamp)

    def _check_shape(self, command: Command, changes: list[Change]) -> None:
        refs = [ref_of(change.raw) for change in changes]
        if not refs:
            raise _bug(f"{type(command).__name__} writes nothing")
        if len(set(refs)) != len(refs):
            raise _bug(f"{type(command).__name__} writes a resource twice")
        for change, ref in zip(changes, refs, strict=True):
            if change.base is not None and change.base.ref != ref:
                raise _bug(f"{type(command).__name__} changes the identity of a resource")

    def _allow_needs(self, command: Command, who: Who) -> None:
        for need in command.needs:
            type_, _, letters = need.partition(".")
            if type_ != ANY_TYPE:
                for letter in letters:
                    self._allow(who, f"{type_}.{letter}", "")

    def _allow_change(self, command: Command, change: Change, who: Who) -> None:
        type_ = change.raw["resourceType"]
        letter = "c" if change.base is None else "u"
        if not any(_covers(need, type_, letter) for need in command.needs):
            raise _bug(f"{type(command).__name__} does not declare {type_}.{letter}")
        self._allow(who, f"{type_}.{letter}", patient_ref_of(change.raw) or ref_of(change.raw))

    def _allow(self, who: Who, action: str, ref: str) -> None:
        decision = self._decide(who, action, ref)
        if not decision.allowed:
            raise Refused(decision.reason, way_out=decision.way_out, detail=action)

    def _check_valid(self, raw: Raw) -> None:
        wrong = [found.path for found in self._validate(raw) if found.level == "error"]
        if wrong:
            raise _bug("not valid FHIR: " + ", ".join(wrong))

    # writing

    def _write(self, writing: Writing, ready: _Ready) -> Done:
        refuse_unguarded(writing, ready.acts)
        op_ids = [self._op_id() for _ in ready.acts]
        group = writing.origin = op_ids[0]
        for op_id, act in zip(op_ids, ready.acts, strict=True):
            self._write_act(writing, act, op_id, group, ready.stamp)
        refs = frozenset(ref_of(change.raw) for act in ready.acts for change in act.changes)
        return Done(group, tuple(op_ids), refs, ready.acts[0].label)

    def _write_act(
        self, writing: Writing, act: Act, op_id: str, group: str, stamp: Stamp, corrects: str = ""
    ) -> None:
        who = stamp.who
        entries = tuple(_entry(writing, change) for change in act.changes)
        patient_ref = _patient_of(act)
        writing.outbox.insert(
            NewAct(
                op_id=op_id,
                group=group,
                kind=act.kind,
                aggregate=act.aggregate,
                patient_ref=patient_ref,
                who_ref=who.practitioner_ref,
                who_name=who.name,
                workplace_ref=who.workplace_ref,
                label=act.label,
                created=stamp.when,
                entries=entries,
                provenance=provenance(op_id, act.changes, who, stamp.when),
                corrects=corrects,
            )
        )
        for entry in entries:
            writing.put_overlay(entry.ref, op_id, entry.raw)
        for file in act.files:
            writing.attachments.add(file, op_id=op_id, patient_ref=patient_ref, now=stamp.when)
        action = CREATE if all(entry.is_create for entry in entries) else UPDATE
        refs = [entry.ref for entry in entries]
        event = audit_event(action, who, stamp.when, patient_ref=patient_ref, refs=refs, what=act.kind)
        writing.audit.add(audit_row(event, stamp.when))

    # taking back

    def undo(self, done: Done, who: Who) -> Done:
        """Take a whole group back, or nothing of it.

        What has not begun to be sent is withdrawn; for the rest a correcting act is queued. Raises
        UserProblem when somebody has changed or built upon it since, or a conflict waits for a person.
        """
        self._once.forget(done)
        stamp = Stamp(who, self._clock.now(), _new_id)
        return self._cache.writer.run(lambda writing: self._undo(writing, done, stamp), durable=True)

    def _undo(self, writing: Writing, done: Done, stamp: Stamp) -> Done:
        group = writing.outbox.rows(group=done.group)
        acts = [
            act
            for act in reversed(group)
            if act.state != ActState.WITHDRAWN and not writing.outbox.correction_of(act.op_id)
        ]
        if not acts:
            raise UserProblem(L("This has already been taken back. Nothing more was changed."))
        taken: list[str] = []
        new_group = ""
        for act in acts:
            if act.state in _MAY_WITHDRAW:
                self._withdraw(writing, act, stamp)
                continue
            op_id = self._op_id()
            new_group = new_group or op_id
            self._correct(writing, act, op_id, new_group, stamp)
            taken.append(op_id)
        writing.origin = new_group or done.group
        refs = frozenset(ref for act in acts for ref in act.refs)
        label = L("Taken back: {what}", what=acts[-1].label)
        return Done(new_group or done.group, tuple(taken), refs, label)

    def _correct(self, writing: Writing, act: ActRow, op_id: str, group: str, stamp: Stamp) -> None:
        if act.state == ActState.CONFLICT:
            raise UserProblem(
                L(
                    "Somebody else has changed the same thing, so this cannot be taken back by itself. "
                    "Nothing was changed. Decide the conflict first; you find it under unsent work."
                )
            )
        ready = self._make(CorrectAct(act.op_id), stamp, writing.reading)
        self._write_act(writing, ready.acts[0], op_id, group, stamp, corrects=act.op_id)

    def withdraw(self, op_id: str, who: Who) -> None:
        """Take one unsent, refused or parked act back. UserProblem when it is on its way or finished."""
        stamp = Stamp(who, self._clock.now(), _new_id)
        self._cache.writer.run(lambda writing: self._withdraw_one(writing, op_id, stamp), durable=True)

    def _withdraw_one(self, writing: Writing, op_id: str, stamp: Stamp) -> None:
        act = writing.outbox.get(op_id)
        if act is None or act.state not in _MAY_WITHDRAW:
            raise UserProblem(
                L(
                    "This is already on its way to the record or settled, so it cannot be withdrawn. "
                    "Nothing was changed. Undo it instead; then a correction is sent."
                )
            )
        writing.origin = act.group
        self._withdraw(writing, act, stamp)

    def _withdraw(self, writing: Writing, act: ActRow, stamp: Stamp) -> None:
        if writing.outbox.dependants(act.op_id):
            raise UserProblem(
                L(
                    "Something done later builds upon this. Nothing was changed. Take the later one back "
                    "first; you find it under unsent work."
                )
            )
        if act.who_ref != stamp.who.practitioner_ref:  # one's own unsent work may always be taken back
            for ref in act.refs:
                self._allow(stamp.who, f"{ref.partition('/')[0]}.u", act.patient_ref or ref)
        if act.state == ActState.PARKED:
            note_doubtful(writing.keep, act.op_id)
        writing.outbox.transition(act.op_id, _MAY_WITHDRAW, ActState.WITHDRAWN)
        event = audit_event(
            UPDATE,
            stamp.who,
            stamp.when,
            patient_ref=act.patient_ref,
            refs=act.refs,
            what=f"withdraw {act.kind}",
        )
        writing.audit.add(audit_row(event, stamp.when))

    # reading

    def record_read(self, who: Who, patient_ref: str, query_name: str) -> None:
        """Log a reading of a patient's data. Returns at once; the same counts once in 15 minutes."""
        if not patient_ref or not self._reads.is_new(who, patient_ref, query_name):
            return
        when = self._clock.now()
        event = audit_event(READ, who, when, patient_ref=patient_ref, what=query_name)
        row = audit_row(event, when)
        self._cache.writer.submit(lambda writing: writing.audit.add(row)).add_done_callback(_report)

    def record_decision(self, who: Who, what: str) -> None:
        """Log a decision about the workstation itself; on disk before this returns."""
        when = self._clock.now()
        row = audit_row(audit_event(UPDATE, who, when, patient_ref="", what=what), when)
        self._cache.writer.run(lambda writing: writing.audit.add(row), durable=True)


def _report(future: Future[None]) -> None:
    problem = future.exception()
    if problem is not None:
        _log.error("a reading could not be logged: %s", type(problem).__name__)


def _new_id() -> str:
    return str(uuid.uuid4())


def _bug(detail: str) -> Bug:
    return Bug(
        L("Something is wrong in Clinician itself, so this was not saved. Everything saved before is safe."),
        detail=detail,
    )


def _covers(need: str, type_: str, letter: str) -> bool:
    needed, _, letters = need.partition(".")
    return needed in (type_, ANY_TYPE) and letter in letters


def _patient_of(act: Act) -> str:
    if act.aggregate.startswith("Patient/"):
        return act.aggregate
    return next((ref for change in act.changes if (ref := patient_ref_of(change.raw))), "")


def _entry(writing: Writing, change: Change) -> Entry:
    """What one change was made from, if that is still what is effective; else _Moved."""
    ref = ref_of(change.raw)
    current = writing.reading.get(ref)
    if change.base is None:
        if current is not None:
            raise _bug(f"{change.raw['resourceType']} to be made is already there")
        return Entry(ref, change.raw)
    if current is None or current.raw != change.base.raw or current.version_id != change.base.version_id:
        raise _Moved
    _refuse_unsettled(writing, ref, current.state)
    version, op_id = writing.base_of(ref)
    return Entry(ref, change.raw, version, op_id, change.base.raw)


def _refuse_unsettled(writing: Writing, ref: str, state: RowState) -> None:
    if state == RowState.CONFLICT or writing.conflicts.has_open(ref):
        raise Refused(
            L(
                "You and somebody else have changed this at the same time, and nobody has decided yet. "
                "Nothing was changed now. Decide the conflict first."
            ),
            way_out=L("Open the conflict"),
            detail="conflict",
        )
    if state == RowState.REFUSED:
        raise Refused(
            L(
                "The record has refused an earlier change to this. Nothing was changed now. Send that one "
                "again or withdraw it first."
            ),
            way_out=L("Open unsent work"),
            detail="refused",
        )
