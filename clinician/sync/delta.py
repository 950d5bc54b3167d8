"""What changed since the marks: one batch request for every key (SYNC §1.3, §1.4).

By patient, all rules and chunks of a type ask as one and without their filters: a task that was completed
leaves the search for open ones, and must be seen doing so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from clinician.cache.synced import SyncedRow, Watermark
from clinician.cache.writing import Writing
from clinician.errors import RecordTrouble, Refused
from clinician.fhir.bundles import Response, slices
from clinician.fhir.times import to_instant
from clinician.record.answer import broken_answer
from clinician.record.client import BatchEntry, Busy
from clinician.sync.by_id import fetch
from clinician.sync.download import EPOCH, Walk, lifted, run
from clinician.sync.line import NEGLIGIBLE, PER_COMMIT, Line
from clinician.sync.pages import Taken, instant, set_aside, take
from clinician.sync.plan import Key, encoded, patient_parameter

TOGETHER: Final = 200
"""Patients one search of a delta names. A quiet round is mostly these ids: once a type they pack best."""


@dataclass(slots=True)
class Delta:
    """What one delta found. returned: version by reference, for 'all sent'. types: of what had changed.

    failed: keys left behind.
    """

    at: datetime | None = None
    returned: dict[str, str] = field(default_factory=dict)
    changed: int = 0
    types: set[str] = field(default_factory=set)
    late: float = 0.0
    failed: list[Key] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Asked:
    keys: tuple[Key, ...]
    query: list[tuple[str, str]]
    mark: datetime
    since: datetime

    @property
    def type(self) -> str:
        return self.keys[0].rule.type


def delta(line: Line, chunks: Mapping[str, Sequence[str]], keys: Sequence[Key]) -> Delta:
    """One round over `keys`, all of which have a mark. One request unless something is larger than a page.

    Raises Offline, Busy or RecordTrouble for the batch as a whole; a key that fails alone keeps its mark.
    """
    asked = line.write(lambda writing: _asked(line, writing, chunks, keys))
    found = Delta()
    if not asked:
        return found
    try:
        answer = line.client.batch(BatchEntry("GET", _url(line, one)) for one in asked)
        page = slices(answer.body)
        if page.mended:  # which of its answers held half a character cannot be told any more
            raise broken_answer("half a character in a batch")
    except Busy:
        raise
    except RecordTrouble as trouble:
        return _each_alone(line, asked, trouble)
    found.at = line.heard(answer, instant(page.last_updated))
    small: list[tuple[_Asked, Taken, datetime]] = []
    for one, response in zip(asked, page.responses, strict=False):
        taken = _inner(response)
        if taken is None:
            found.failed += one.keys
            continue
        taken.rows += fetch(line, list(taken.partial)) if taken.partial else []
        if taken.next_url is not None:
            _walk_on(line, one, taken, found)
        else:
            small.append((one, taken, _at(line, found, taken)))
    found.failed += [key for one in asked[len(page.responses) :] for key in one.keys]
    _store_small(line, small, found)
    return found


def _asked(
    line: Line, writing: Writing, chunks: Mapping[str, Sequence[str]], keys: Sequence[Key]
) -> list[_Asked]:
    overlap = line.overlap(writing)
    marks = {mark.key: mark.mark for mark in writing.marks.watermarks()}
    asked: list[_Asked] = []
    for group in _groups([key for key in keys if marks.get(key.name) is not None], chunks):
        oldest = min(mark for key in group if (mark := marks[key.name]) is not None)
        query = _query(line, group, chunks)
        asked.append(_Asked(tuple(group), query, oldest, _earlier(oldest, overlap)))
    return asked


def _groups(keys: Sequence[Key], chunks: Mapping[str, Sequence[str]]) -> list[list[Key]]:
    """Keys that are asked for together: by patient, all of a type; what is not by patient asks for itself."""
    groups: dict[tuple[str, int], list[Key]] = {}
    shares = _shares(chunks)
    for key in keys:
        if not key.rule.by_patient:
            groups[key.name, 0] = [key]
        elif chunks.get(key.chunk):
            groups.setdefault((key.rule.type, shares[key.chunk]), []).append(key)
    return list(groups.values())


def _shares(chunks: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Which chunks go into one search: so many that no search names more than TOGETHER patients."""
    shares: dict[str, int] = {}
    share = size = 0
    for chunk, patients in chunks.items():
        if size and size + len(patients) > TOGETHER:
            share, size = share + 1, 0
        shares[chunk] = share
        size += len(patients)
    return shares


def _query(line: Line, group: Sequence[Key], chunks: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    first = group[0]
    if not first.rule.by_patient:
        return line.plan.query(first, (), line.today())
    asked = dict.fromkeys(key.chunk for key in group)
    patients = ",".join(id_ for chunk in asked for id_ in chunks[chunk])
    return [(patient_parameter(first.rule.type), patients)]


def _earlier(mark: datetime, overlap: timedelta) -> datetime:
    return mark - overlap if mark - EPOCH > overlap else EPOCH


def _url(line: Line, one: _Asked) -> str:
    since = ("_lastUpdated", f"ge{to_instant(one.since)}")
    tail = [since, ("_sort", "_lastUpdated"), ("_count", str(line.profile.page_size))]
    return f"{one.type}?{encoded([*one.query, *tail])}"


def _inner(response: Response) -> Taken | None:
    if response.status not in (200, 0) or not response.body:
        return None
    try:
        return take(response.body)
    except RecordTrouble:
        return None


def _at(line: Line, found: Delta, taken: Taken) -> datetime:
    """The new mark of a key: the earliest time the record named for it."""
    known = [when for when in (found.at, taken.at) if when is not None]
    return min(known) if known else (taken.stamps[-1] if taken.stamps else EPOCH)


def _walk_on(line: Line, one: _Asked, taken: Taken, found: Delta) -> None:
    """More than a page changed: store it and go on from its last stamp with searches of their own."""
    mark = _next_mark(line, one.mark, _at(line, found, taken))
    walk = Walk(one.keys, one.query, one.since, mark, line.profile.page_size, resumes=False)
    line.store(taken.rows, lambda writing: set_aside(writing, taken.poison, line.clock.now()))
    _note(found, taken.rows)
    try:
        run(line, walk, lifted(one.since, taken, mark), bounded=False)
    except (RecordTrouble, Refused):
        found.failed += one.keys
    found.returned.update(walk.returned)
    found.changed += len(taken.rows) + walk.rows


def _each_alone(line: Line, asked: Sequence[_Asked], trouble: RecordTrouble) -> Delta:
    """The batch as a whole could not be read: one resource of 50 MB is enough. Each key for itself, then.

    Raises what ended the batch when no key fares better.
    """
    found = Delta()
    for one in asked:
        walk = Walk(one.keys, one.query, one.since, None, line.profile.page_size, resumes=False)
        try:
            run(line, walk, one.since, bounded=False)
        except Busy:
            raise
        except (RecordTrouble, Refused):
            found.failed += one.keys
        found.returned.update(walk.returned)
        found.changed += walk.rows
    if len(found.failed) == sum(len(one.keys) for one in asked):
        raise trouble
    found.at = line.server_now
    return found


def _next_mark(line: Line, mark: datetime, at: datetime) -> datetime:
    """The mark after a pass begun at `at`. A clock set back takes it along: too low costs, too high loses."""
    if mark - at > NEGLIGIBLE:
        line.is_set_back = True
        return at
    return max(mark, at)


def _note(found: Delta, rows: Sequence[SyncedRow]) -> None:
    found.returned.update({f"{row.type}/{row.id}": row.version for row in rows})


def _store_small(line: Line, small: Sequence[tuple[_Asked, Taken, datetime]], found: Delta) -> None:
    """Rows and marks of as many keys as fit one commit; a mark never without its rows (I10)."""
    batch: list[tuple[_Asked, Taken, datetime]] = []
    size = 0
    for one in small:
        if batch and size + len(one[1].rows) > PER_COMMIT:
            _commit(line, batch, found)
            batch, size = [], 0
        batch.append(one)
        size += len(one[1].rows)
    _commit(line, batch, found)


def _commit(line: Line, batch: Sequence[tuple[_Asked, Taken, datetime]], found: Delta) -> None:
    def work(writing: Writing) -> None:
        for one, taken, at in batch:
            set_aside(writing, taken.poison, line.clock.now())
            report = line.put(writing, taken.rows)
            found.changed += len(report.changed)
            found.types |= {ref.partition("/")[0] for ref in report.changed}
            found.late = max(found.late, _lateness(writing, one, taken.rows, report.changed))
            for key in one.keys:
                mark = _next_mark(line, one.mark, at)
                writing.marks.set_watermark(Watermark(key.name, key.rule.type, mark))
        if timedelta(seconds=found.late) > line.overlap(writing) / 2:
            line.widen_overlap(writing)

    line.write(work)
    for _one, taken, _at in batch:
        _note(found, taken.rows)


def _lateness(writing: Writing, one: _Asked, rows: Sequence[SyncedRow], changed: frozenset[str]) -> float:
    """Seconds by which a row of this delta was stamped before the mark that should have covered it."""
    worst = 0.0
    for row in rows:
        late = (one.mark - row.last_updated).total_seconds()
        if late > 0 and f"{row.type}/{row.id}" in changed:
            writing.marks.add_lateness(row.type, late)
            worst = max(worst, late)
    return worst
