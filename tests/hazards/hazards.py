"""What a record may do to a client, each a switch of its own. All off: a well-behaved record."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hazards:
    """Seconds, shares (0 to 1) or switches. Sources: HAPI FHIR's code and issues as named in SYNC §3."""

    # time
    late_commits: float = 0.0
    """Longest time between the stamp of a write and the moment it can be seen; heavy-tailed below it."""
    late_share: float = 0.03
    """Share of writes that are slow at all."""
    shared_stamps: bool = True
    """Everything in a transaction has one stamp."""
    node_skew: tuple[float, ...] = (0.0,)
    """Clocks of the nodes, of which one answers each request, as seconds beside the true time."""
    whole_seconds: bool = False
    """meta.lastUpdated and searches know seconds only."""

    # searching
    snapshot_pages: bool = True
    """A search freezes the ids on its first page; each page shows what those resources are by then."""
    reuse_searches: float = 0.0
    """The same search within this time is answered from the old list, unless Cache-Control: no-cache."""
    ignores_no_cache: bool = False
    batch_ignores_no_cache: bool = False
    exclusive_ge: bool = False
    """ge behaves as gt."""
    largest_count: int = 1000
    expired_pages: float = 0.0
    """Share of next links that are no longer known (410)."""
    expired_status: int = 410
    endless_next: bool = False
    """The last page has a next link to itself."""
    empty_page_first: bool = False
    """A search with matches begins with a page of none and a next link."""
    lying_totals: bool = False
    subsetted: float = 0.0
    """Share of entries that come with id and meta only, tagged SUBSETTED."""
    unknown_elements: bool = False
    """Entries and bundles hold elements that FHIR R4 does not know."""
    lagging_index: float = 0.0
    """A search sees what was written this long ago; a read by id sees it at once."""

    # history
    history_cache: float = 0.0
    """A history is answered as it was up to so long ago."""
    no_history: bool = False

    # writing
    conflict_status: int = 412
    ignores_if_match: bool = False
    ignores_if_match_in_transactions: bool = False
    breaks_transactions: bool = False
    """What stood before a refused entry of a transaction stays written."""
    ignores_if_none_match: bool = True
    """If-None-Match on PUT is younger than R4 (FHIR-28495); HAPI does not know it."""
    takes_version_zero: bool = False
    """If-Match: W/"0" means 'must be new'."""
    creates_on_if_match: bool = False
    """PUT with any If-Match on an id that never was creates it (HAPI)."""
    conditional_create_race: bool = False
    """If-None-Exist does not see what was created within the last second."""
    unchanged_put_bumps: bool = True
    opaque_versions: bool = False
    absolute_references: bool = False
    no_tombstones: bool = False
    """What was deleted is 404, not 410."""
    numbers_again_after_delete: bool = False
    takes_gzip: bool = False

    # what is in a page
    poisoned: dict[str, str] = field(default_factory=dict)
    """Reference → 'types', 'no id', 'surrogate', 'long id' or 'json': how its entry is spoilt."""
    huge: dict[str, int] = field(default_factory=dict)
    """Reference → bytes of a note that make the resource that large."""


HAPI = Hazards(
    shared_stamps=True,
    snapshot_pages=True,
    reuse_searches=60.0,
    history_cache=60.0,
    conflict_status=412,
    creates_on_if_match=True,
    conditional_create_race=True,
    unchanged_put_bumps=False,
    takes_gzip=True,
)
"""As read from HAPI FHIR's code and issues; a running one must be probed."""
