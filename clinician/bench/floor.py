"""The floors: what the same work costs when nothing but the unavoidable is done.

Initial sync (SYNC §2): gzip over loopback, one parse, one raw insert in SQLCipher. The share of it
that a whole sync reaches says how much our columns, search words, membership and watermarks cost.
Reading: the same resources by key from a bare table, parsed. Acting: one durable commit of a row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import orjson
import sqlcipher3

Search = tuple[str, str]
"""(type, form body)."""
Rows = list[tuple[str, bytes]]
Parse = Callable[[bytes], tuple[Rows, str]]
"""A page as ('Type/id', body) rows and its next link, '' at the end."""
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Run:
    """Resources moved, wall seconds, CPU seconds of this process (the server's are not in it)."""

    resources: int
    wall_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Resources a wall second."""
        return self.resources / self.wall_s

    @property
    def per_cpu_second(self) -> float:
        """Resources a CPU second of this process."""
        return self.resources / self.cpu_s


class BareStore:
    """One table in SQLCipher: reference and raw JSON. No columns, no search, no history."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlcipher3.connect(str(file), isolation_level=None)
        for pragma in (
            f"key=\"x'{'5a' * 32}'\"",
            "cipher_page_size=8192",
            "cache_size=-65536",
            "journal_mode=WAL",
            "synchronous=NORMAL",
        ):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._connection.execute("CREATE TABLE IF NOT EXISTS resource (ref TEXT PRIMARY KEY, body BLOB)")

    def put(self, rows: Iterable[tuple[str, bytes]], *, durable: bool = False) -> None:
        """Insert or replace in one transaction; durable waits for the disk."""
        if durable:
            self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR REPLACE INTO resource VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")

    def read(self, refs: Sequence[str]) -> list[Any]:
        """These resources, parsed."""
        found = []
        for ref in refs:
            row = self._connection.execute("SELECT body FROM resource WHERE ref = ?", (ref,)).fetchone()
            if row is not None:
                found.append(orjson.loads(row[0]))
        return found

    def size(self) -> tuple[int, int]:
        """(rows, bytes of their JSON)."""
        count, size = self._connection.execute("SELECT count(*), sum(length(body)) FROM resource").fetchone()
        return int(count), int(size or 0)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def parsed(page: bytes) -> tuple[Rows, str]:
    """The floor the goals of SYNC §2 are set against: parse everything, write each body anew."""
    held = orjson.loads(page)
    rows = [_row(entry["resource"]) for entry in held.get("entry", ())]
    links = held.get("link", ())
    return rows, next((link["url"] for link in links if link["relation"] == "next"), "")


def _row(resource: dict[str, Any]) -> tuple[str, bytes]:
    return f"{resource['resourceType']}/{resource['id']}", orjson.dumps(resource)


class _Link(msgspec.Struct):
    relation: str
    url: str


class _Entry(msgspec.Struct):
    resource: msgspec.Raw


class _Page(msgspec.Struct):
    entry: list[_Entry] = []
    link: list[_Link] = []


class _Name(msgspec.Struct):
    resourceType: str
    id: str


_page: Final = msgspec.json.Decoder(_Page)
_name: Final = msgspec.json.Decoder(_Name)


def sliced(page: bytes) -> tuple[Rows, str]:
    """A harder floor: bodies stay the bytes that came; only type and id are read."""
    held = _page.decode(page)
    rows: Rows = []
    for entry in held.entry:
        body = bytes(entry.resource)
        name = _name.decode(body)
        rows.append((f"{name.resourceType}/{name.id}", body))
    return rows, next((link.url for link in held.link if link.relation == "next"), "")


def download(searches: Sequence[Search], base_url: str, store: BareStore, parse: Parse = parsed) -> Run:
    """Run `searches` page by page and put every body down raw, a transaction a page."""
    count = 0
    started, cpu = time.perf_counter(), time.process_time()
    with httpx.Client(headers={"Accept-Encoding": "gzip"}, timeout=120) as client:
        for type_, form in searches:
            answer = client.post(f"{base_url}/{type_}/_search", content=form, headers=_FORM)
            while True:
                rows, following = parse(answer.raise_for_status().content)
                store.put(rows)
                count += len(rows)
                if not following:
                    break
                answer = client.get(following)
    return Run(count, time.perf_counter() - started, time.process_time() - cpu)


class EmptyPoll:
    """One search that finds nothing: the least a client can ask to learn that nothing is new."""

    def __init__(self, base_url: str, after: str) -> None:
        self._client = httpx.Client(headers={"Accept-Encoding": "gzip"}, timeout=30)
        self._url, self._form = f"{base_url}/Patient/_search", f"_lastUpdated=gt{after}&_count=1"
        self.bytes = 0

    def __call__(self) -> None:
        with self._client.stream("POST", self._url, content=self._form, headers=_FORM) as answer:
            body = b"".join(answer.iter_raw())
        self.bytes = len(body) + len(self._form)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
