"""What was done on this PC and is not yet at rest, and why anything has left it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from clinician import texts
from clinician.cache.acts import PENDING, REFUSED, ActRow, ActState, ConflictRow
from clinician.cache.attachments import FileRow
from clinician.cache.conflicts import tasks_of
from clinician.cache.synced import EvidenceRow, MemberState, Why
from clinician.clock import oslo
from clinician.errors import UserProblem
from clinician.fhir import times
from clinician.fhir.codes import CODE_TASK
from clinician.fhir.read import patient_ref_of, ref_at, when_at
from clinician.fhir.reference import split_ref
from clinician.queries import waiting_files
from clinician.queries.decisions import decided_on
from clinician.queries.differences import FieldDiff, field_diffs
from clinician.queries.patients import name_of, patient_names
from clinician.queries.query import Cached, Reading, query
from clinician.queries.refusals import explained
from clinician.queries.wording import moment_text

_ = texts.translator("queries")
L = texts.lazy("queries")
_NEEDS_A_PERSON = frozenset({ActState.CONFLICT}) | REFUSED
_MOST_SENT: Final = 100
_WITHDRAWABLE = frozenset({ActState.DRAFT, ActState.QUEUED}) | REFUSED


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One act that is not yet at rest. key: its op_id. help_text: what it means and what to do."""

    key: str
    when_text: str
    label: str
    who: str
    patient_name: str
    state: str
    state_text: str
    help_text: str
    attempts: int
    can_retry: bool
    can_withdraw: bool
    can_export: bool
    group: str
    conflict_ref: str


@dataclass(frozen=True, slots=True)
class ConflictView:
    """Mine and theirs side by side. choices: of 'theirs', 'mine', 'merged' those that are open."""

    op_id: str
    title: str
    patient_name: str
    fields: tuple[FieldDiff, ...]
    theirs_author: str
    theirs_when: str
    choices: tuple[str, ...]
    patient_ref: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """Why one thing is no longer shown."""

    key: str
    when_text: str
    what_text: str
    why_text: str
    detail: str


@query(watches=("Outbox", "Patient", "Task", "Attachment"))
def outbox_rows(reading: Reading) -> tuple[OutboxRow, ...]:
    """Acts that wait or stand still: those that need a person first, then as they were done."""
    acts = reading.acts(PENDING)
    names = _names(reading, acts)
    conflicts = {row.op_id: row.ref for row in reading.conflicts()}
    elsewhere = _elsewhere(reading, acts)
    built_upon = {op_id for act in acts for op_id in act.depends_on}
    files = waiting_files.by_act(reading.attachments())
    own = [_with_file(_row(act, names, conflicts, built_upon), files.get(act.op_id)) for act in acts]
    own.sort(key=lambda row: row.state not in _NEEDS_A_PERSON)
    decide = sum(row.state in _NEEDS_A_PERSON for row in own)
    return (*own[:decide], *elsewhere, *_taken_back(reading), *own[decide:])


def _taken_back(reading: Reading) -> tuple[OutboxRow, ...]:
    """What was taken back while nobody knew whether the record had it; where it has, for a week."""
    held = reading.recalled()
    found = [act for op_id in held if (act := reading.act(op_id)) is not None]
    acts = [act for act in found if act.state is ActState.WITHDRAWN and not act.superseded_by]
    names = _names(reading, acts)
    return tuple(_recalled(_row(act, names, {}, ()), is_there=held[act.op_id] is not None) for act in acts)


def _recalled(row: OutboxRow, *, is_there: bool) -> OutboxRow:
    if is_there:
        return replace(
            row,
            state_text=_("taken back, but the record has it"),
            help_text=_(
                "It was taken back here, but it had reached the record before. It stands there, and others "
                "see it. Put it right where it stands, if it is wrong."
            ),
        )
    return replace(
        row,
        state_text=_("taken back; perhaps at the record"),
        help_text=_(
            "It is not sent any more, but the record never said whether it got it before. It is asked as "
            "soon as there is contact, and you are told here if the record has it."
        ),
    )


def _names(reading: Reading, acts: Iterable[ActRow]) -> dict[str, str]:
    """Names by reference. Of whom the record forbids there is none: that is said instead."""
    refs = {act.patient_ref for act in acts if act.patient_ref}
    names = patient_names(reading, refs)
    unknown = [found for ref in refs - names.keys() if (found := reading.membership(ref)) is not None]
    hidden = [member.patient_ref for member in unknown if member.state is MemberState.FORBIDDEN]
    return names | dict.fromkeys(hidden, _("blocked for this workplace"))


def _with_file(row: OutboxRow, file: FileRow | None) -> OutboxRow:
    """An act that waits for its attachment says so; one whose attachment was refused needs a person."""
    if file is None or row.state != ActState.QUEUED:
        return row
    refused = waiting_files.is_refused(file)
    return replace(
        row,
        state=waiting_files.NEEDS_A_PERSON if refused else row.state,
        state_text=waiting_files.state_text(file),
        help_text=waiting_files.help_text(file),
        attempts=file.attempts,
        can_retry=refused,
    )


def _elsewhere(reading: Reading, acts: Iterable[ActRow]) -> tuple[OutboxRow, ...]:
    """Conflicts of colleagues that wait at the record: whoever is there may decide them."""
    found = reading.find("Task", code=f"{CODE_TASK}|sync-conflict", status="requested")
    here = {told for act in acts for told in tasks_of(act)}
    open_ = [task for task in found if task.ref not in here]
    names = patient_names(reading, (ref for task in open_ if (ref := patient_ref_of(task.raw))))
    return tuple(_of_task(reading, task, names) for task in open_)


def _of_task(reading: Reading, task: Cached, names: Mapping[str, str]) -> OutboxRow:
    who = reading.get(ref_at(task.raw, "requester"))
    when = when_at(task.raw, "authoredOn")
    return OutboxRow(
        key=task.ref,
        when_text=moment_text(when) if when is not None else "",
        label=_("Two have changed the same thing"),
        who=name_of(who.raw) if who is not None else "",
        patient_name=names.get(patient_ref_of(task.raw), ""),
        state=ActState.CONFLICT.value,
        state_text=_("waits on another PC"),
        help_text=_(
            "A colleague and somebody else have changed the same thing. It waits on another PC, but you can "
            "decide it here: the first decision holds."
        ),
        attempts=0,
        can_retry=False,
        can_withdraw=False,
        can_export=False,
        group="",
        conflict_ref=task.ref,
    )


@query(watches=("Outbox", "Patient"))
def sent_rows(reading: Reading, *, day: date) -> tuple[OutboxRow, ...]:
    """What was sent that day and the record has confirmed, the last first; at most a hundred."""
    start, end = times.day_bounds(day)
    acts = reading.acts({ActState.APPLIED}, sent_since=start)
    sent = [act for act in acts if act.last_sent is not None and act.last_sent < end]
    latest = sorted(sent, key=lambda act: (act.last_sent, act.seq), reverse=True)[:_MOST_SENT]
    names = _names(reading, latest)
    return tuple(_row(act, names, {}, ()) for act in latest)


@query(watches=("Outbox", "Patient"))
def decided_rows(reading: Reading, *, day: date) -> tuple[OutboxRow, ...]:
    """Conflicts that were decided that day: what stood against what, who decided, and when."""
    return decided_on(reading, day)


def _row(
    act: ActRow, names: Mapping[str, str], conflicts: Mapping[str, str], built_upon: Iterable[str]
) -> OutboxRow:
    return OutboxRow(
        key=act.op_id,
        when_text=moment_text(act.created),
        label=str(act.label),
        who=act.who_name,
        patient_name=names.get(act.patient_ref, ""),
        state=act.state.value,
        state_text=_state_text(act),
        help_text=_help_text(act),
        attempts=act.attempts,
        can_retry=act.state in REFUSED,
        can_withdraw=act.state in _WITHDRAWABLE and act.op_id not in built_upon,
        can_export=bool(act.sha256),
        group=act.group,
        conflict_ref=conflicts.get(act.op_id, ""),
    )


def _state_text(act: ActRow) -> str:
    match act.state:
        case ActState.DRAFT:
            return _("draft")
        case ActState.QUEUED:
            return _("waiting to be sent")
        case ActState.SENDING:
            return _("being sent")
        case ActState.UNKNOWN:
            return _("waiting for an answer")
        case ActState.CONFLICT:
            return _("somebody was first")
        case ActState.REJECTED:
            return _("refused by the record")
        case ActState.PARKED:
            return _("set aside")
        case ActState.APPLIED if act.last_sent is not None:
            return _("sent {time}", time=f"{oslo(act.last_sent):%H:%M}")
        case _:
            return _("finished")


def _help_text(act: ActRow) -> str:
    match act.state:
        case ActState.CONFLICT:
            return _(
                "Somebody else changed the same thing first. Both versions are kept. Open it and decide."
            )
        case ActState.REJECTED:
            return explained(act)
        case ActState.PARKED:
            return explained(act)
        case ActState.APPLIED:
            return _("The record has confirmed this.")
        case ActState.UNKNOWN:
            return _("It was sent, but the answer got lost. It is sent again by itself and counts only once.")
        case _:
            return _("It is safe on this PC and is sent by itself as soon as the record answers.")


@query(watches=("Outbox",))
def conflict_view(reading: Reading, *, op_id: str) -> ConflictView:
    """One conflict, field by field. UserProblem when it has been decided meanwhile."""
    act, rows = reading.act(op_id), reading.conflicts(op_id)
    if act is None or not rows:
        raise UserProblem(L("This has been decided already. There is nothing more to do."))
    names = _names(reading, (act,))
    newest = max(rows, key=lambda row: (row.theirs_when is not None, row.theirs_when or row.noticed))
    return ConflictView(
        op_id=op_id,
        title=str(act.label),
        patient_name=names.get(act.patient_ref, ""),
        fields=tuple(diff for row in rows for diff in field_diffs(reading, row, several=len(rows) > 1)),
        theirs_author=_author(reading, newest),
        theirs_when=moment_text(newest.theirs_when) if newest.theirs_when is not None else "",
        choices=_choices(rows),
        patient_ref=act.patient_ref,
    )


def _author(reading: Reading, row: ConflictRow) -> str:
    """A name where the record told only a reference."""
    if "/" not in row.theirs_author:
        return row.theirs_author or _("somebody else")
    found = reading.get(row.theirs_author)
    return name_of(found.raw) if found is not None else _("somebody else")


def _choices(rows: tuple[ConflictRow, ...]) -> tuple[str, ...]:
    """Mine is not open where the record has taken the thing away; both only where they can stand together."""
    mine = () if any(row.theirs is None for row in rows) else ("mine",)
    both = ("merged",) if all(row.merged is not None for row in rows) else ()
    fields = ("fields",) if mine and all(row.kind == "overlap" for row in rows) else ()
    return ("theirs", *mine, *both, *fields)


@query(watches=("Outbox", "Patient"))
def evidence_rows(reading: Reading, *, patient_ref: str = "", limit: int = 200) -> tuple[EvidenceLine, ...]:
    """Why things are no longer shown, newest first; of one patient or of all."""
    found = reading.evidence(patient_ref or None, limit=limit)
    return tuple(_evidence(number, row) for number, row in enumerate(found))


def _evidence(number: int, row: EvidenceRow) -> EvidenceLine:
    answer = _("answer {status}", status=row.status) if row.status is not None else ""
    version = _("version {version}", version=row.version) if row.version else ""
    detail = " · ".join(part for part in (answer, version, row.detail) if part)
    what = split_ref(row.ref)[0]
    return EvidenceLine(f"{row.ref}#{number}", moment_text(row.seen), what, _why_text(row.why), detail)


def _why_text(why: Why) -> str:
    return {
        Why.DELETED: _("deleted at the record"),
        Why.OUT_OF_SCOPE: _("belongs to another workplace now"),
        Why.FORBIDDEN: _("blocked for this workplace"),
        Why.AGED_OUT: _("older than what is kept on this PC"),
        Why.PURGED: _("taken off this PC; it is still at the record"),
    }[why]
