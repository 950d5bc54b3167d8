"""AuditEvents go up in batches, after everything else (they delay no act)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import orjson

from clinician.cache.synced import AuditRow
from clinician.errors import RecordTrouble, Refused
from clinician.fhir.bundles import slices
from clinician.record.client import Busy
from clinician.sync.line import Line

_log = logging.getLogger(__name__)
_PER_BATCH: Final = 100
_DONE: Final = frozenset({200, 201, 400, 409, 412, 422})
"""Stored, or refused for good; a refusal is kept in the log of the record, and never blocks the rest."""


def send_audit(line: Line) -> int:
    """Send one batch of waiting AuditEvents as PUT AuditEvent/{id}; how many went. Raises Offline or Busy."""
    waiting = line.write(lambda writing: writing.audit.waiting(limit=_PER_BATCH))
    if not waiting:
        return 0
    try:
        answer = line.client.post_batch(_bundle(waiting))
    except Busy:
        raise
    except (RecordTrouble, Refused) as trouble:  # they wait; that the record is silent would be untrue
        _log.warning("the audit trail waits: %s", trouble.detail)
        return 0
    responses = slices(answer.body).responses
    sent = [row.id for row, r in zip(waiting, responses, strict=False) if r.status in _DONE]
    if sent:
        line.write(lambda writing: writing.audit.sent(sent))
    return len(sent)


def _bundle(rows: Sequence[AuditRow]) -> bytes:
    """The bodies go as they were written, byte for byte."""
    entries = b",".join(
        b'{"resource":' + row.body + b',"request":' + orjson.dumps(_request(row)) + b"}" for row in rows
    )
    return b'{"resourceType":"Bundle","type":"batch","entry":[' + entries + b"]}"


def _request(row: AuditRow) -> dict[str, str]:
    return {"method": "PUT", "url": f"AuditEvent/{row.id}"}
