"""Everything that is not at the record yet, in one file: what it is, what came of it, and the act itself.

With it what the record refused of the log of reading and writing, whole, with the status of the refusal.
"""

from __future__ import annotations

from typing import Final

import orjson

from clinician.cache.acts import PENDING, ActRow
from clinician.cache.open import Cache
from clinician.cache.writing import Writing
from clinician.fhir.reference import Raw

_WORDS: Final = ("op_id", "kind", "aggregate", "patient_ref", "who_ref", "who_name", "state", "attempts")
_ANSWER: Final = (
    "created",
    "first_sent",
    "last_sent",
    "last_status",
    "last_issue",
    "sha256",
    "superseded_by",
)


def letters(cache: Cache) -> bytes:
    """JSON: every act that is not settled, those that need a person with both sides of their conflict.

    "audit": AuditEvents the record refused.

    The frozen bundle stands text for text, so that its sha256 still holds and any FHIR record can take it.
    """
    return orjson.dumps({"clinician": "unsent acts", **cache.writer.run(_all)}, option=orjson.OPT_INDENT_2)


def _all(writing: Writing) -> Raw:
    return {
        "acts": [_letter(writing, act) for act in writing.outbox.rows(states=PENDING)],
        "audit": [
            {"id": row.id, "status": status, "resource": orjson.loads(row.body)}
            for row, status in writing.audit.refused()
        ],
    }


def _letter(writing: Writing, act: ActRow) -> Raw:
    held: Raw = {name: getattr(act, name) for name in (*_WORDS, *_ANSWER)}
    bundle = writing.outbox.bundle(act.op_id)
    conflicts = writing.conflicts.rows(act.op_id, open_only=False)
    return held | {
        "what": str(act.label),
        "bundle": bundle.decode("utf-8") if bundle else "",
        "resources": [entry.raw for entry in writing.outbox.entries(act.op_id)],
        "conflicts": [
            {"ref": row.ref, "kind": row.kind, "base": row.base, "mine": row.mine, "theirs": row.theirs}
            for row in conflicts
        ],
    }
