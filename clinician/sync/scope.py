"""Who is kept: patients of the workplace in chunks that share their watermarks (SYNC §1.2)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from clinician.cache.reading import Reading
from clinician.cache.synced import Evidence, Member, MemberState, Watermark, Why
from clinician.cache.writing import Writing
from clinician.fhir.reference import relative
from clinician.sync.line import Line
from clinician.sync.plan import CHUNK, LIVE_STATUSES, Key, Plan

TEMPORARY: Final = timedelta(hours=24)
GRACE: Final = timedelta(hours=24)
_TEMPORARY_KEY: Final = "sync.temporary"
_NUMBER_KEY: Final = "sync.chunks"
KEPT: Final = frozenset({MemberState.BACKFILL, MemberState.LIVE})
SETTLED: Final = KEPT | {MemberState.FORBIDDEN}
"""Nobody enters anew from here: kept already, or forbidden until the record shows them again."""


def belonging(reading: Reading, workplace_ref: str) -> frozenset[str]:
    """Patients with an open EpisodeOfCare at the workplace, from the cache."""
    found: set[str] = set()
    for cached in reading.find("EpisodeOfCare"):
        owner = relative(str(cached.raw.get("managingOrganization", {}).get("reference", "")))
        if owner == workplace_ref and cached.raw.get("status") in LIVE_STATUSES:
            found.add(relative(str(cached.raw.get("patient", {}).get("reference", ""))))
    return frozenset(ref for ref in found if ref.startswith("Patient/"))


def temporary(writing: Writing) -> dict[str, str]:
    """Patients asked for by a person: reference → until when (ISO, this PC's clock)."""
    stored = writing.keep.get(_TEMPORARY_KEY)
    return dict(json.loads(stored)) if stored else {}


def ask_for(writing: Writing, patient_refs: Iterable[str], until: datetime) -> None:
    """Keep patients for a while although they are not of this workplace."""
    asked = temporary(writing) | {ref: until.isoformat() for ref in patient_refs}
    writing.keep.set(_TEMPORARY_KEY, json.dumps(asked))


def refresh(writing: Writing, plan: Plan, now: datetime) -> bool:
    """Bring the membership up to the EpisodeOfCare rows. True when somebody entered scope."""
    asked = {ref: until for ref, until in temporary(writing).items() if datetime.fromisoformat(until) > now}
    writing.keep.set(_TEMPORARY_KEY, json.dumps(asked))
    wanted = belonging(writing.reading, plan.workplace_ref) | asked.keys()
    members = {member.patient_ref: member for member in writing.marks.members()}
    for ref, member in members.items():
        if member.state in KEPT and ref not in wanted:
            writing.marks.set_member(replace(member, state=MemberState.LEAVING, since=now, chunk=""))
    entering = sorted(ref for ref in wanted if ref not in members or members[ref].state not in SETTLED)
    for start in range(0, len(entering), CHUNK):
        _open_chunk(writing, plan, entering[start : start + CHUNK], now)
    return bool(entering)


def _open_chunk(writing: Writing, plan: Plan, refs: list[str], now: datetime) -> None:
    """A chunk of newcomers has watermarks of its own, empty until its full pass is complete."""
    number = int(writing.keep.get(_NUMBER_KEY) or "0") + 1
    writing.keep.set(_NUMBER_KEY, str(number))
    chunk = f"c{number}"
    for ref in refs:
        writing.marks.set_member(Member(ref, MemberState.BACKFILL, now, chunk))
    ensure_marks(writing, plan, [chunk])


def ensure_marks(writing: Writing, plan: Plan, chunks: Iterable[str]) -> None:
    """Every key of the plan has a watermark row, so that an unfinished list never looks complete."""
    wanted = {key.name: key for key in plan.keys(chunks)}
    for name in wanted.keys() - {mark.key for mark in writing.marks.watermarks()}:
        writing.marks.set_watermark(Watermark(name, wanted[name].rule.type))


def drop_foreign_marks(writing: Writing, plan: Plan) -> None:
    """Forget marks of rules that are gone and of chunks nobody is in."""
    wanted = {key.name for key in plan.keys(chunks_of(writing))}
    for mark in writing.marks.watermarks():
        if mark.key not in wanted:
            writing.marks.drop_watermark(mark.key)


def chunks_of(writing: Writing) -> dict[str, list[str]]:
    """Chunk → ids of its patients, for those whose data are kept."""
    chunks: dict[str, list[str]] = {}
    for member in writing.marks.members():
        if member.state in KEPT and member.chunk:
            chunks.setdefault(member.chunk, []).append(member.patient_ref.partition("/")[2])
    return {chunk: sorted(ids) for chunk, ids in sorted(chunks.items())}


def settle_chunk(writing: Writing, plan: Plan, chunk: str, now: datetime) -> bool:
    """Make a chunk live once every one of its keys has its full pass behind it."""
    keys = [key for key in plan.keys([chunk]) if key.chunk == chunk]
    marks = [writing.marks.watermark(key.name) for key in keys]
    if any(mark is None or mark.mark is None for mark in marks):
        return False
    members = [member for member in writing.marks.members() if member.chunk == chunk]
    if all(member.state is not MemberState.BACKFILL for member in members):
        return False
    home = _room_for(writing, chunk, len(members))
    for member in members:
        writing.marks.set_member(replace(member, state=MemberState.LIVE, since=now, chunk=home))
    if home != chunk:
        _join_marks(writing, keys, home)
    return True


def _room_for(writing: Writing, chunk: str, newcomers: int) -> str:
    """A live chunk with room for the newcomers, else their own. A chunk is live as a whole or not at all."""
    sizes = Counter(member.chunk for member in writing.marks.members(MemberState.LIVE))
    fitting = sorted(name for name, size in sizes.items() if size + newcomers <= CHUNK)
    return fitting[0] if fitting else chunk


def _join_marks(writing: Writing, keys: list[Key], home: str) -> None:
    """The joined chunk goes on from the older of the two marks."""
    for key in keys:
        joined = writing.marks.watermark(Key(key.rule, home).name)
        mine = writing.marks.watermark(key.name)
        if joined is not None and joined.mark is not None and mine is not None and mine.mark is not None:
            writing.marks.set_watermark(replace(joined, mark=min(joined.mark, mine.mark)))
        writing.marks.drop_watermark(key.name)


def purge(line: Line, now: datetime) -> int:
    """Remove patients whose grace is over, and those the record forbids; how many rows went.

    One with anything pending stays until that is settled: shown to the end of it, or hidden from the start.
    """
    members = line.write(lambda writing: writing.marks.members())
    left = Evidence(Why.PURGED, now, detail="left the workplace; grace over")
    forbidden = Evidence(Why.FORBIDDEN, now, status=403, detail="nothing is pending any more")
    gone = 0
    for member in members:
        if member.state is MemberState.FORBIDDEN:
            gone += _purge_one(line, member, forbidden)
        elif member.state is MemberState.LEAVING and now - member.since >= GRACE:
            gone += _purge_one(line, member, left)
    return gone


def _purge_one(line: Line, member: Member, evidence: Evidence) -> int:
    def work(writing: Writing) -> int:
        gone = writing.purge_patient(member.patient_ref, evidence)
        if gone >= 0:
            writing.marks.drop_member(member.patient_ref)
        return max(gone, 0)

    return line.write(work)
