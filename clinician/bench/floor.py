"""The floor of an initial sync: gzip over loopback, one parse, one raw insert in SQLCipher.

Nothing a sync can do is cheaper than this, so the share of it that a whole sync reaches says how
much our columns, search index, membership and watermarks cost (SYNC §2).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import sqlcipher3


@dataclass(frozen=True, slots=True)
class Run:
    """resources moved, wall seconds, CPU seconds of this process, bytes of JSON."""

    resources: int
    wall_s: float
    cpu_s: float
    json_bytes: int

    @property
    def per_second(self) -> float:
        """Resources a wall second."""
        return self.resources / self.wall_s

    @property
    def per_cpu_second(self) -> float:
        """Resources a CPU second of this process; the server's work is not in it."""
        return self.resources / self.cpu_s


def download_and_insert(searches: list[tuple[str, str]], base_url: str, file: Path) -> Run:
    """Run `searches` ((type, form body) pairs) page by page and insert every body raw."""
    connection = sqlcipher3.connect(str(file), isolation_level=None)
    connection.execute(f"PRAGMA key=\"x'{'5a' * 32}'\"")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE resource (ref TEXT PRIMARY KEY, body BLOB)")
    resources = size = 0
    started, cpu = time.perf_counter(), time.process_time()
    with httpx.Client(base_url=base_url, headers={"Accept-Encoding": "gzip"}, timeout=120) as client:
        for type_, form in searches:
            answer = client.post(
                f"/{type_}/_search",
                content=form,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            while True:
                page = orjson.loads(answer.content)
                rows = [_row(entry["resource"]) for entry in page.get("entry", ())]
                connection.execute("BEGIN")
                connection.executemany("INSERT OR REPLACE INTO resource VALUES (?, ?)", rows)
                connection.execute("COMMIT")
                resources += len(rows)
                size += sum(len(row[1]) for row in rows)
                following = [link["url"] for link in page.get("link", ()) if link["relation"] == "next"]
                if not following:
                    break
                answer = client.get(following[0])
    run = Run(resources, time.perf_counter() - started, time.process_time() - cpu, size)
    connection.close()
    return run


def _row(resource: dict[str, object]) -> tuple[str, bytes]:
    return f"{resource['resourceType']}/{resource['id']}", orjson.dumps(resource)
