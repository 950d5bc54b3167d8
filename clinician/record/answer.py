"""What the record answered: status, version and times of its own clock, and the body as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from clinician.errors import RecordTrouble
from clinician.record.outcome import reasons
from clinician.texts import lazy

L = lazy("record")


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer. version_id is the ETag without W/"…"; times are by the record's clock.

    retry_after is in seconds; None where the record did not ask for a pause.
    """

    status: int
    body: bytes = b""
    version_id: str | None = None
    date: datetime | None = None
    last_modified: datetime | None = None
    retry_after: float | None = None
    location: str = ""
    is_json: bool = True
    sequence: int | None = None
    """X-Change-Sequence of the embedded record: its newest commit."""

    @property
    def is_ok(self) -> bool:
        """The record did what was asked (or had nothing newer)."""
        return 200 <= self.status < 300 or self.status == 304

    def raw(self) -> dict[str, Any]:
        """The body as parsed JSON. Raises RecordTrouble when it is not one whole resource."""
        try:
            parsed = orjson.loads(self.body)
        except orjson.JSONDecodeError as fault:
            raise broken_answer(f"{self.status}: {fault.msg}") from fault
        if not isinstance(parsed, dict) or not isinstance(parsed.get("resourceType"), str):
            raise broken_answer(f"{self.status}: no resource in the body")
        return parsed

    def reasons(self) -> tuple[str, ...]:
        """The plain reasons of an OperationOutcome in the body; () when there is none."""
        return reasons(self.body) if self.is_json else ()


def broken_answer(detail: str) -> RecordTrouble:
    """The record sent something FHIR does not promise."""
    return RecordTrouble(
        L(
            "The central record sent an answer that cannot be read. Nothing is lost: your work is kept on "
            "this PC and is sent by itself. Tell support if this lasts."
        ),
        detail=detail,
    )


def etag_version(etag: str | None) -> str | None:
    """'W/"3"' → '3'."""
    if not etag:
        return None
    return etag.removeprefix("W/").strip('"') or None


def http_date(value: str | None) -> datetime | None:
    """An HTTP date as an instant; None when absent or unreadable."""
    if not value:
        return None
    try:
        parsed = parsedate_to_datetime(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def pause_asked(value: str | None, sent_at: datetime | None) -> float | None:
    """Retry-After in seconds: a number, or a date measured on the record's own clock."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    until = http_date(value)
    if until is None or sent_at is None:
        return None
    return max(0.0, (until - sent_at).total_seconds())


def answer_from(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Make an Answer of what came over the wire."""
    date = http_date(headers.get("date"))
    return Answer(
        status=status,
        body=body,
        version_id=etag_version(headers.get("etag")),
        date=date,
        last_modified=http_date(headers.get("last-modified")),
        retry_after=pause_asked(headers.get("retry-after"), date),
        location=headers.get("location", ""),
        is_json="json" in headers.get("content-type", "json" if not body else ""),
        sequence=int(sequence) if (sequence := headers.get("x-change-sequence", "")).isdigit() else None,
    )
