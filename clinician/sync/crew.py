"""Who fetches during a first download: one after the other, or a few side by side over a slow network.

The thread of the round gives out the keys in order, sends acts between pages, and meets what went wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType

from clinician.cache.synced import Watermark
from clinician.errors import Offline, RecordTrouble, Refused
from clinician.record.client import Busy
from clinician.sync.download import full_pass
from clinician.sync.gather import Gather
from clinician.sync.line import Line
from clinician.sync.plan import Key

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Empty:
    """A key without a full pass. had: how far an earlier try came."""

    key: Key
    patients: Sequence[str]
    had: Watermark | None


class Crew:
    """Use it in a `with`: at its end everything that came is committed, whatever happened.

    taken: names of the keys given; failed: of those the record did not give. width: how many at once.
    """

    def __init__(self, line: Line, width: int) -> None:
        self.taken: set[str] = set()
        self.failed: set[str] = set()
        self._line = line
        self._gather = Gather(line)
        self._width = width
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="sync-download") if width > 1 else None
        self._busy: set[Future[None]] = set()
        self._news: SimpleQueue[None] = SimpleQueue()

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._gather.flush()

    def give(self, one: Empty) -> None:
        """Have a key fetched; returns when somebody is free again. Raises Offline, Busy or Stopped."""
        self.taken.add(one.key.name)
        if self._pool is None:
            self._fetch(one, self._line.between)
            return
        deed = self._pool.submit(self._fetch, one, self._tick)
        self._busy.add(deed)
        deed.add_done_callback(lambda _: self._tick())
        while len(self._busy) >= self._width:
            self._hear()

    def rest(self) -> None:
        """Until everything given is fetched and committed."""
        while self._busy:
            self._hear()
        self.flush()

    def flush(self) -> None:
        """Commit what has come."""
        self._gather.flush()

    def _tick(self) -> None:
        self._news.put(None)

    def _hear(self) -> None:
        """A page came, or a key is done: acts do not wait for the rest."""
        self._news.get()
        self._line.between()
        for deed in [deed for deed in self._busy if deed.done()]:
            self._busy.discard(deed)
            deed.result()

    def _fetch(self, one: Empty, between: Callable[[], None]) -> None:
        try:
            full_pass(self._line, one.key, one.patients, one.had, store=self._gather.put, between=between)
        except (Offline, Busy):
            raise
        except (RecordTrouble, Refused) as trouble:
            _log.warning("%s could not be fetched: %s", one.key.rule.type, trouble.detail)
            self.failed.add(one.key.name)
