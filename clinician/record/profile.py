"""What a record was found to do, as words and numbers that are stored and shown (SYNC §1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

CHANGES: Final = "changes"
DELTA: Final = "delta"
CAS_ROW: Final = "cas-row"
IF_NONE_MATCH: Final = "if-none-match"
IF_MATCH_0: Final = "if-match-0"
CONDITIONAL_CREATE: Final = "conditional-create"


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """Abilities found by the probe; what was never asked is False. notes: check → what was seen instead.

    node_skew: seconds by which the clocks of the record's nodes differ. ping_seconds: from a write to its
    ping over a websocket; 0 where nobody listened. websocket_url: where the record says it has one.
    """

    software: str = ""
    version: str = ""
    checked_at: str = ""
    update_as_create: bool = False
    unchanged_put_keeps_version: bool = False
    if_match_alone: bool = False
    if_match_in_transaction: bool = False
    transaction_atomic: bool = False
    if_none_match_star: bool = False
    put_if_none_match: bool = False
    missing_put_refused: bool = False
    if_match_zero: bool = False
    conditional_create: bool = False
    ge_inclusive: bool = False
    milliseconds: bool = False
    no_cache: bool = False
    no_cache_in_batch: bool = False
    history: bool = False
    history_deletes: bool = False
    deleted_is_gone: bool = False
    numeric_versions: bool = False
    gzip_requests: bool = False
    largest_count: int = 0
    node_skew: float = 0.0
    change_hint: str = ""
    websocket: bool = False
    websocket_url: str = ""
    ping_seconds: float = 0.0
    epoch: str = ""
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def may_write(self) -> bool:
        """Lost updates are impossible: If-Match is obeyed alone and in an all-or-nothing transaction."""
        return self.if_match_alone and self.if_match_in_transaction and self.transaction_atomic

    @property
    def pull(self) -> str:
        """'changes': the record tells of them and is then asked; 'delta': it is asked often."""
        return CHANGES if self.change_hint or self.websocket else DELTA

    @property
    def claim(self) -> str:
        """How two people are kept from the same dose where its slot has no row yet; '' when they cannot be.

        'cas-row': only by a row made beforehand that each must change from the version seen (SYNC §1.9).
        """
        if not self.may_write:
            return ""
        if self.put_if_none_match:
            return IF_NONE_MATCH
        if self.if_match_zero:
            return IF_MATCH_0
        return CONDITIONAL_CREATE if self.conditional_create else CAS_ROW

    @property
    def page_size(self) -> int:
        """Resources to ask for per page."""
        return min(500, self.largest_count) if self.largest_count else 500

    def as_raw(self) -> dict[str, Any]:
        """For the cache; the modes that follow from the checks stand beside them as words."""
        return asdict(self) | {"pull": self.pull, "claim": self.claim}


def from_raw(raw: Mapping[str, Any]) -> ServerProfile:
    """A stored profile; what an older program did not know is False."""
    known = {f.name for f in fields(ServerProfile)}
    return ServerProfile(**{key: value for key, value in raw.items() if key in known})


def hint_path(capability: Mapping[str, Any]) -> str:
    """Where the record holds a request open until something changes; '' when it does not say so."""
    rest = capability.get("rest")
    for part in rest if isinstance(rest, list) else []:
        said = str(part.get("documentation", "")) if isinstance(part, dict) else ""
        if "_history?_after=" in said and "_wait=" in said:
            return "_history"
    return ""


def epoch_of(capability: Mapping[str, Any]) -> str:
    """The life of this record, where it names one; another means another or a restored record."""
    url = str(capability.get("url", ""))
    return url if url.startswith("urn:uuid:") else ""


def version_of(capability: Mapping[str, Any]) -> str:
    """The version of the record's software."""
    software = capability.get("software")
    return str(software.get("version", "")) if isinstance(software, dict) else ""
