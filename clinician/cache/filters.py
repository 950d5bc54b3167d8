"""What `find` was asked for: once as SQL over the synced rows, once as a test of an overlay's columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from clinician.cache import declared
from clinician.cache.indexer import Columns, to_ms
from clinician.cache.packing import number_of, pack_id, pack_ref
from clinician.fhir.reference import relative
from clinician.fhir.times import day_bounds

ORDERS: Final = {"start": "start", "sort_key": "sort_key", "id": "id"}
Wanted = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Filter:
    """One question. None: not asked. codes: 'system|code', or '|code' suffixes for any system."""

    type: str
    patients: Wanted
    statuses: Wanted
    owners: Wanted
    codes: Wanted
    start_from: int | None
    start_before: int | None
    token: tuple[str, str] | None

    def admits(self, columns: Columns) -> bool:
        """Whether a resource with these columns is an answer."""
        return (
            (self.patients is None or columns.patient in self.patients)
            and (self.statuses is None or columns.status in self.statuses)
            and (self.owners is None or not self.owners.isdisjoint(columns.owners))
            and (self.codes is None or any(self.admits_code(code) for code in columns.codes))
            and self._admits_start(columns.start)
            and (self.token is None or self._admits_token(columns))
        )

    def admits_code(self, key: str) -> bool:
        """Whether a 'system|code' is asked for."""
        assert self.codes is not None
        return key in self.codes or key.rpartition("|")[2] in self.codes

    def _admits_start(self, start: int | None) -> bool:
        if self.start_from is None and self.start_before is None:
            return True
        return (
            start is not None
            and (self.start_from is None or start >= self.start_from)
            and (self.start_before is None or start < self.start_before)
        )

    def _admits_token(self, columns: Columns) -> bool:
        assert self.token is not None
        name, value = self.token
        if declared.parameters_of(self.type)[name] == "link" and columns.link == value:
            return True
        if name == "identifier" and columns.ident == value:
            return True
        return (name, value) in columns.tokens

    def sql(self, codings: dict[str, int]) -> tuple[str, list[Any], str, list[Any]]:
        """(conditions, parameters, a second set for rows with more than one owner, its parameters).

        codings: numbers of the 'system|code' keys this cache knows.
        """
        parts = [f"type = {number_of(self.type)}"]
        values: list[Any] = []
        self._plain(parts, values)
        if self.codes is not None:
            numbers = ",".join(str(n) for key, n in codings.items() if self.admits_code(key)) or "-1"
            among = f"SELECT rid FROM token WHERE param = 'code' AND value IN ({numbers})"  # noqa: S608  # numbers
            parts.append(f"(code IN ({numbers}) OR rid IN ({among}))")
        if self.token is not None:
            self._token(parts, values)
        if self.owners is None:
            return " AND ".join(parts), values, "", []
        packed = [pack_ref(ref) for ref in sorted(self.owners)]
        marks = _marks(packed)
        column = [*parts, f"owner IN ({marks})"]
        among = f"SELECT rid FROM token WHERE param = 'owner' AND value IN ({marks})"  # noqa: S608  # marks only
        more = [*parts, f"rid IN ({among})"]
        return " AND ".join(column), [*values, *packed], " AND ".join(more), [*values, *packed]

    def _plain(self, parts: list[str], values: list[Any]) -> None:
        if self.patients is not None:
            ids = [pack_id(ref.removeprefix("Patient/")) for ref in sorted(self.patients)]
            parts.append(f"patient IN ({_marks(ids)})")
            values += ids
        if self.statuses is not None:
            parts.append(f"status IN ({_marks(list(self.statuses))})")
            values += sorted(self.statuses)
        if self.start_from is not None:
            parts.append("start >= ?")
            values.append(self.start_from)
        if self.start_before is not None:
            parts.append("start < ?")
            values.append(self.start_before)

    def _token(self, parts: list[str], values: list[Any]) -> None:
        assert self.token is not None
        name, value = self.token
        where = declared.parameters_of(self.type)[name]
        stored = value if name == "identifier" else pack_ref(value)
        column = {"link": "link", "ident": "ident"}.get(where, "")
        among = "rid IN (SELECT rid FROM token WHERE param = ? AND value = ?)"
        parts.append(f"({column} = ? OR {among})" if column else among)
        values += [stored, name, stored] if column else [name, stored]


def _marks(values: list[Any]) -> str:
    return ",".join("?" * len(values))


def make_filter(
    type_: str,
    patient: str | Iterable[str] | None,
    status: str | Iterable[str] | None,
    owner: str | Iterable[str] | None,
    code: str | Iterable[str] | None,
    start_from: datetime | date | None,
    start_before: datetime | date | None,
    token: tuple[str, str] | None,
) -> Filter:
    """The question as `Reading.find` takes it. ValueError for an undeclared token or an unknown type."""
    number_of(type_)
    if token is not None:
        known = declared.parameters_of(type_)
        if token[0] not in known:
            raise ValueError(f"{type_} has no declared parameter {token[0]!r}; declared: {', '.join(known)}")
        name, value = token
        token = (name, value.rpartition("|")[2] if name == "identifier" else relative(value))
    return Filter(
        type_,
        _wanted(patient),
        _wanted(status),
        _wanted(owner),
        _wanted(code),
        _bound(start_from),
        _bound(start_before),
        token,
    )


def _wanted(value: str | Iterable[str] | None) -> Wanted:
    if value is None:
        return None
    return frozenset((value,)) if isinstance(value, str) else frozenset(value)


def _bound(value: datetime | date | None) -> int | None:
    """Milliseconds; a day is its first instant in Norway. A sub-millisecond bound is rounded up."""
    if value is None:
        return None
    when = value if isinstance(value, datetime) else day_bounds(value)[0]
    if when.tzinfo is None:
        raise ValueError("a naive time has no instant")
    return to_ms(when) + bool(when.microsecond % 1000)
