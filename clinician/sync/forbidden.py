"""Patients the record forbids: out of every list at once, gone when nothing is pending (SYNC §1.10)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from clinician.cache.synced import Evidence, Member, MemberState, Why
from clinician.cache.writing import Writing
from clinician.fhir.bundles import slices
from clinician.record.client import BatchEntry
from clinician.sync.line import Line


def hide_now(writing: Writing, patient_ref: str, now: datetime) -> None:
    """The record forbids this patient: nothing is shown from now on; what is pending is still settled."""
    evidence = Evidence(Why.FORBIDDEN, now, status=403)
    if writing.purge_patient(patient_ref, evidence) >= 0:
        writing.marks.drop_member(patient_ref)
        return
    writing.hide_patient(patient_ref, evidence)
    writing.marks.set_member(Member(patient_ref, MemberState.FORBIDDEN, now))


def hide_the_forbidden(line: Line, patient_refs: Collection[str]) -> int:
    """Something of these patients is forbidden: are they themselves? Those that are go; how many."""
    forbidden = [ref for ref, status in _statuses(line, patient_refs).items() if status == 403]

    def work(writing: Writing) -> None:
        for ref in forbidden:
            hide_now(writing, ref, line.clock.now())

    if forbidden:
        line.write(work)
    return len(forbidden)


def show_again(line: Line) -> int:
    """Ask for those who are hidden: whom the record shows again may enter the scope anew; how many."""
    hidden = line.write(lambda writing: writing.marks.members(MemberState.FORBIDDEN))
    statuses = _statuses(line, [member.patient_ref for member in hidden])
    back = [ref for ref, status in statuses.items() if status == 200]

    def work(writing: Writing) -> None:
        for ref in back:
            writing.marks.drop_member(ref)
            writing.show_patient_again(ref)

    if back:
        line.write(work)
    return len(back)


def _statuses(line: Line, patient_refs: Collection[str]) -> dict[str, int]:
    """What the record answers to a read of each. Raises what a batch raises; asks nothing for nobody."""
    if not patient_refs:
        return {}
    refs = sorted(patient_refs)
    answer = line.client.batch(BatchEntry("GET", ref) for ref in refs)
    return {ref: r.status for ref, r in zip(refs, slices(answer.body).responses, strict=False)}
