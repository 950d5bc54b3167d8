"""Rescuing what was not yet sent from a cache that is damaged or locked by a newer schema. Read-only."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from clinician.cache import driver
from clinician.cache.body import Press, shipped_dictionary
from clinician.cache.reading import Raw
from clinician.errors import ClinicianError

_FIELDS: Final = "op_id, kind, patient, who, who_name, state, created, bundle, sha256"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """One act that was not finished. bundle: the frozen transaction, or b'' where only parts were left.

    resources: the signed resources as far as they read. is_whole: everything of the act was read.
    """

    op_id: str
    kind: str
    patient_ref: str
    who_ref: str
    who_name: str
    state: str
    created: str
    bundle: bytes
    sha256: str
    resources: tuple[Raw, ...]
    is_whole: bool


def salvage_outbox(folder: Path, key: bytes) -> tuple[Salvaged, ...]:
    """Unfinished acts, row by row; a row that does not read is passed over. The file is not written to.

    Raises WrongKey when the key does not open the file, CacheDamaged when not even its first page reads.
    """
    with driver.translated(knows_key=(folder / "cache.mark").exists()):
        opened = driver.connect(folder / "cache.db", key, cache_kib=4096, read_only=True)
    with closing(opened) as connection:
        press = _press(connection)
        found = (_salvaged(connection, press, seq) for seq in _sequence(connection))
        return tuple(act for act in found if act is not None)


def refused_audit(folder: Path, key: bytes) -> tuple[tuple[int, Raw], ...]:
    """AuditEvents the record refused for good, each with the HTTP status, the oldest first. Read-only.

    Raises as `salvage_outbox` does.
    """
    with driver.translated(knows_key=(folder / "cache.mark").exists()):
        opened = driver.connect(folder / "cache.db", key, cache_kib=4096, read_only=True)
    with closing(opened) as connection:
        rows = _try(connection, "SELECT sent, body FROM audit WHERE sent > 1 ORDER BY number")
        return tuple((status, orjson.loads(body)) for status, body in rows)


def _try(connection: Any, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """What reads; [] when the pages do not."""
    try:
        with driver.translated():
            rows: list[tuple[Any, ...]] = connection.execute(sql, values).fetchall()
            return rows
    except ClinicianError:
        return []


def _press(connection: Any) -> Press:
    kept = dict(_try(connection, "SELECT number, body FROM dictionary"))
    return Press(kept or dict([shipped_dictionary()]))


def _sequence(connection: Any) -> list[int]:
    """Row numbers of unfinished acts: from the index, else every number the table may have used."""
    unfinished = "state NOT IN ('applied', 'withdrawn')"
    rows = _try(connection, f"SELECT seq FROM outbox WHERE {unfinished}")  # noqa: S608
    if rows:
        return sorted(row[0] for row in rows)
    highest = _try(connection, "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
    return list(range(1, highest[0][0] + 1)) if highest else []


def _salvaged(connection: Any, press: Press, seq: int) -> Salvaged | None:
    where = "seq = ? AND state NOT IN ('applied', 'withdrawn')"
    rows = _try(connection, f"SELECT {_FIELDS} FROM outbox WHERE {where}", (seq,))  # noqa: S608
    if not rows:
        return None
    op_id, kind, patient, who, who_name, state, created, bundle, sha256 = rows[0]
    bodies = _try(connection, "SELECT body FROM outbox_ref WHERE op_id = ? ORDER BY place", (op_id,))
    resources = tuple(press.read(body) for (body,) in bodies)
    whole = bool(resources) and (bundle is None or bool(orjson.loads(bundle)))
    return Salvaged(
        op_id, kind, patient, who, who_name, state, created, bundle or b"", sha256, resources, whole
    )
