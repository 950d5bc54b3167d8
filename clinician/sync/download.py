"""Walks one key from a stamp to the end, page by page.

A full pass can stop anywhere and goes on from its cursor (SYNC §1.3): the cursor is the last stamp, at
most T0, of rows that are committed; the search starts again there, inclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from clinician.cache.synced import SyncedRow, Watermark
from clinician.cache.writing import Writing
from clinician.errors import RecordTrouble
from clinician.fhir.times import to_instant
from clinician.record.client import Busy
from clinician.sync.by_id import EMPTY_CAP, fetch
from clinician.sync.line import Line, Stopped
from clinician.sync.pages import Taken, only_new, set_aside, take
from clinician.sync.plan import LIVE_STATUSES, MEMBERSHIP, Key, encoded

PAGE_CAP: Final = 10_000
"""Pages of one walk; a record that never ends is not followed for ever."""
TROUBLE_CAP: Final = 10
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Query = list[tuple[str, str]]
Store = Callable[[Sequence[SyncedRow], Callable[[Writing], None]], None]
_ELEMENTS: Final = (("_elements", "id,meta"),)


@dataclass(slots=True)
class Walk:
    """One walk over keys of one type that are asked for together.

    t0: upper bound and next mark. since: inclusive lower bound or None.
    """

    keys: tuple[Key, ...]
    query: Query
    since: datetime | None
    t0: datetime | None = None
    size: int = 500
    rows: int = 0
    known: Mapping[str, str] | None = None
    """id → version of what is cached, where the walk asks for ids and fetches only what is new."""
    store: Store | None = None
    """Takes pages, in order; None: each is committed at once."""
    between: Callable[[], None] | None = None
    """Called after each page; None: the line's own."""
    troubles: int = 0
    """Pages in a row that could not be had."""
    empties: int = 0
    """Pages in a row with nothing in them and yet a next link (HAPI #7711 never ends them)."""
    returned: dict[str, str] = field(default_factory=dict)
    """Version by reference of what a delta's walk brought."""
    resumes: bool = True
    """A full pass leaves a cursor behind; a delta starts again from its mark."""

    @property
    def type(self) -> str:
        """The type searched."""
        return self.keys[0].rule.type

    def search(self, cursor: datetime | None, *, bounded: bool) -> str:
        """The form body for the next page from `cursor`."""
        query = [*self.query, *_ELEMENTS] if self.known is not None else list(self.query)
        if cursor is not None:
            query.append(("_lastUpdated", f"ge{to_instant(cursor)}"))
        if bounded and self.t0 is not None:
            query.append(("_lastUpdated", f"le{to_instant(self.t0)}"))
        return encoded([*query, ("_sort", "_lastUpdated"), ("_count", str(self.size)), ("_total", "none")])


def full_pass(
    line: Line,
    key: Key,
    patients: Sequence[str],
    had: Watermark | None = None,
    *,
    store: Store | None = None,
    between: Callable[[], None] | None = None,
) -> int:
    """Fetch everything of a key; the watermark is written with the last page. Rows received.

    had: how far an earlier try came. store, between: see Walk.
    Raises Offline, RecordTrouble or Refused; what came before stays, and the next call goes on from there.
    """
    walk = Walk(
        (key,), _full_query(line, key, patients), had.cursor if had else None, had.t0 if had else None
    )
    walk.size = line.profile.page_size
    if key.rule.repeats:
        walk.known = line.write(lambda writing: writing.versions(key.rule.type))
    if key.rule.by_patient and not patients:
        line.write(lambda writing: writing.marks.set_watermark(_mark(key, line.server_now or EPOCH)))
        return 0
    walk.store, walk.between = store, between
    run(line, walk, walk.since, bounded=True)
    return walk.rows


def _full_query(line: Line, key: Key, patients: Sequence[str]) -> Query:
    query = line.plan.query(key, patients, line.today())
    if key.rule == MEMBERSHIP:
        query += [("status", ",".join(LIVE_STATUSES)), ("_include", "EpisodeOfCare:patient")]
    return query


def run(line: Line, walk: Walk, cursor: datetime | None, *, bounded: bool) -> None:
    """Follow a key from `cursor` to its end and write its mark."""
    follow: str | None = None
    seen: set[str] = set()
    between = walk.between or line.between
    for _ in range(PAGE_CAP):  # pragma: no branch - ten thousand pages
        if line.stopped.is_set():
            raise Stopped
        taken = _page(line, walk, cursor, follow, bounded=bounded)
        if taken is None:
            follow = None
            continue
        before, cursor = cursor, lifted(cursor, taken, walk.t0)
        walk.troubles = 0 if cursor != before else walk.troubles
        link = taken.next_url
        ends = link is None or link in seen or _is_spent(walk, taken)
        if walk.known is not None:
            only_new(taken, walk.known)
        _commit(line, walk, taken, cursor, ends=ends)
        if ends:
            return
        assert link is not None
        follow = link if _must_follow(before, cursor, taken) else None
        if follow is not None:
            seen.add(link)
        between()


def _page(
    line: Line, walk: Walk, cursor: datetime | None, follow: str | None, *, bounded: bool
) -> Taken | None:
    """The next page; None where it is to be asked for once more from the cursor.

    A link that leads nowhere any more is let go of. A page that cannot be read (one resource of 50 MB is
    enough) is asked for by ids, and each is fetched by itself.
    """
    try:
        if follow is None:
            answer = line.client.search(walk.type, walk.search(cursor, bounded=bounded))
        else:
            answer = line.client.follow(follow, within=walk.type)
        taken = take(answer.body)
    except Busy:
        raise
    except RecordTrouble:
        walk.troubles += 1
        if walk.troubles > TROUBLE_CAP or (follow is None and walk.known is not None):
            raise
        if follow is None:
            walk.known = line.write(lambda writing: writing.versions(walk.type))
        return None
    heard = line.heard(answer, taken.at)
    walk.t0 = walk.t0 or heard
    return taken


def _is_spent(walk: Walk, taken: Taken) -> bool:
    """One empty page may come before full ones; a row of them is a record that does not end."""
    walk.empties = 0 if taken.rows or taken.partial or taken.poison else walk.empties + 1
    return walk.empties >= EMPTY_CAP


def lifted(cursor: datetime | None, taken: Taken, t0: datetime | None) -> datetime | None:
    """The cursor after a page: its last stamp, at most T0; unchanged where rows are out of order."""
    if taken.stamps != sorted(taken.stamps):
        return cursor
    fit = [stamp for stamp in taken.stamps if t0 is None or stamp <= t0]
    return max(fit[-1], cursor) if fit and cursor is not None else (fit[-1] if fit else cursor)


def _must_follow(before: datetime | None, after: datetime | None, taken: Taken) -> bool:
    """The stamp did not move: a whole page of one instant, or a record that does not sort."""
    return after is None or after == before or taken.stamps != sorted(taken.stamps)


def _commit(line: Line, walk: Walk, taken: Taken, cursor: datetime | None, *, ends: bool) -> None:
    """Rows and progress in one transaction; the mark only with the last page (I10)."""
    _fetch_partial(line, taken)
    walk.rows += len(taken.rows)
    if not walk.resumes:
        walk.returned.update({f"{row.type}/{row.id}": row.version for row in taken.rows})

    def finish(writing: Writing) -> None:
        set_aside(writing, taken.poison, line.clock.now())
        for key in walk.keys:
            if ends:
                writing.marks.set_watermark(_mark(key, walk.t0 or cursor or EPOCH))
            elif walk.resumes:
                had = writing.marks.watermark(key.name)
                kept = had.mark if had is not None else None
                writing.marks.set_watermark(_mark(key, kept, cursor, walk.t0))

    (walk.store or line.store)(taken.rows, finish)


def _mark(
    key: Key, mark: datetime | None, cursor: datetime | None = None, t0: datetime | None = None
) -> Watermark:
    return Watermark(key.name, key.rule.type, mark, cursor, t0)


def _fetch_partial(line: Line, taken: Taken) -> None:
    """Rows of which only some elements came must never replace whole ones: read them whole."""
    if taken.partial:
        taken.rows += fetch(line, list(taken.partial))
