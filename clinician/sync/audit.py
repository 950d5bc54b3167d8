"""AuditEvents go up in batches, after everything else (they delay no act)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from clinician.cache.synced import AuditRow
from clinician.cache.writing import Writing
from clinician.errors import RecordTrouble, Refused
from clinician.fhir.bundles import Response
from clinician.record.client import Busy
from clinician.sync.halves import in_halves
from clinician.sync.line import Line

_log = logging.getLogger(__name__)
_PER_BATCH: Final = 100
_DONE: Final = frozenset({200, 201, 409, 412})
"""Stored, now or by an earlier try."""
_REFUSED: Final = frozenset({400, 403, 404, 405, 410, 413, 415, 422})
"""Refused for good: kept here in sight, and never blocks the rest."""


def send_audit(line: Line) -> int:
    """Send one batch of waiting AuditEvents as PUT AuditEvent/{id}; how many went. Raises Offline or Busy.

    What the record refuses one by one is set aside, so that later ones go on; where it refuses the whole
    batch all wait: it may be no more than this workstation's access.
    """
    waiting = line.write(lambda writing: writing.audit.waiting(limit=_PER_BATCH))
    if not waiting:
        return 0
    try:
        responses = in_halves(waiting, lambda rows: line.client.post_batch(_bundle(rows)))
    except Busy:
        raise
    except (RecordTrouble, Refused) as trouble:  # they wait; that the record is silent would be untrue
        _log.warning("the audit trail waits: %s", trouble.detail)
        return 0
    sent, refused = _sorted(waiting, responses)
    if refused:
        _log.warning("the record refused %d entries of the audit trail; they are set aside", len(refused))
    if sent or refused:
        line.write(lambda writing: _note(writing, sent, refused))
    return len(sent)


def _sorted(
    rows: Sequence[AuditRow], responses: Sequence[Response | None]
) -> tuple[list[str], dict[str, int]]:
    """Ids the record has, and ids it will not take with the status of each; the others wait."""
    told = [(row.id, response.status) for row, response in zip(rows, responses, strict=True) if response]
    sent = [id_ for id_, status in told if status in _DONE]
    return sent, {id_: status for id_, status in told if status in _REFUSED}


def _note(writing: Writing, sent: Sequence[str], refused: Mapping[str, int]) -> None:
    writing.audit.sent(sent)
    writing.audit.set_aside(refused)


def _bundle(rows: Sequence[AuditRow]) -> bytes:
    """The bodies go as they were written, byte for byte."""
    entries = b",".join(
        b'{"resource":' + row.body + b',"request":' + orjson.dumps(_request(row)) + b"}" for row in rows
    )
    return b'{"resourceType":"Bundle","type":"batch","entry":[' + entries + b"]}"


def _request(row: AuditRow) -> dict[str, str]:
    return {"method": "PUT", "url": f"AuditEvent/{row.id}"}
