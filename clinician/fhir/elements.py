"""Tolerant reading of elements: values at a dotted path, codings, extensions, references, times.

Nothing here raises on a resource that is wrongly built: what cannot be read is absent. Lists on the way
are walked ('participant.actor.reference').
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from clinician.clock import OSLO
from clinician.fhir.reference import Raw, relative, type_of
from clinician.fhir.times import PartialDate, earliest_or_none, parse_datetime


class Coded(NamedTuple):
    """One coding. Absent parts are ''."""

    system: str
    code: str
    display: str

    @property
    def key(self) -> str:
        """'system|code'."""
        return f"{self.system}|{self.code}"


def values_at(raw: object, path: str) -> Iterator[Any]:
    """Every value at a dotted path; lists on the way are walked."""
    if isinstance(raw, list):
        for one in raw:
            yield from values_at(one, path)
        return
    if not path:
        if raw is not None:
            yield raw
        return
    if isinstance(raw, dict):
        name, _, rest = path.partition(".")
        if name in raw:
            yield from values_at(raw[name], rest)


def value_at(raw: object, path: str) -> Any:
    """The first value at a dotted path, or None."""
    return next(values_at(raw, path), None)


def text_at(raw: object, path: str) -> str:
    """The first string at a dotted path, or ''."""
    return next((v for v in values_at(raw, path) if isinstance(v, str)), "")


def codings(raw: object, path: str = "") -> tuple[Coded, ...]:
    """All codings at a path: of CodeableConcepts, Codings, and bare codes (system '')."""
    found: list[Coded] = []
    for value in values_at(raw, path):
        inner = value.get("coding") if isinstance(value, dict) else None
        held = inner if isinstance(inner, list) else [value]
        for one in held:
            if isinstance(one, str):
                found.append(Coded("", one, ""))
            elif isinstance(one, dict) and isinstance(one.get("code"), str):
                found.append(Coded(as_text(one.get("system")), one["code"], as_text(one.get("display"))))
    return tuple(found)


def code_in(raw: object, path: str, system: str) -> str:
    """The first code of `system` at a path, or ''."""
    return next((c.code for c in codings(raw, path) if c.system == system), "")


def codes_in(raw: object, path: str, system: str) -> tuple[str, ...]:
    """Every code of `system` at a path."""
    return tuple(c.code for c in codings(raw, path) if c.system == system)


def has_code(raw: object, path: str, system: str, code: str) -> bool:
    """Whether a path holds a coding."""
    return any(c.system == system and c.code == code for c in codings(raw, path))


def as_text(value: object) -> str:
    """The text, or '' for anything else."""
    return value if isinstance(value, str) else ""


def _extension_value(one: Raw) -> Any:
    return next((v for k, v in one.items() if k.startswith("value") and len(k) > 5), None)


def extensions(raw: object, url: str) -> tuple[Any, ...]:
    """The value[x] of every extension with this address."""
    held = raw.get("extension") if isinstance(raw, dict) else None
    if not isinstance(held, list):
        return ()
    found = (_extension_value(e) for e in held if isinstance(e, dict) and e.get("url") == url)
    return tuple(v for v in found if v is not None)


def extension(raw: object, url: str) -> Any:
    """The value[x] of the first extension with this address, or None."""
    return next(iter(extensions(raw, url)), None)


def with_extension(raw: Raw, url: str, value_key: str, value: Any) -> Raw:
    """A copy of `raw` where the extension has this value; None takes it away.

    value_key: 'valueString', 'valueReference' …
    """
    kept = [e for e in raw.get("extension") or [] if e.get("url") != url]
    if value is not None:
        kept.append({"url": url, value_key: value})
    rest = {k: v for k, v in raw.items() if k != "extension"}
    return rest | {"extension": kept} if kept else rest


def refs(raw: object, path: str) -> tuple[str, ...]:
    """References ('Type/id') of every Reference at a path; `path` ends before '.reference'."""
    found = (v.get("reference") for v in values_at(raw, path) if isinstance(v, dict))
    return tuple(relative(r) for r in found if isinstance(r, str))


def ref_at(raw: object, path: str, type_: str = "") -> str:
    """The first reference at a path (of a type, if given), or ''."""
    return next((r for r in refs(raw, path) if not type_ or type_of(r) == type_), "")


def when_at(raw: object, path: str) -> datetime | None:
    """The instant at a path (UTC), or None."""
    return earliest_or_none(value_at(raw, path))


def day_at(raw: object, path: str) -> date | None:
    """The Norwegian day at a path, None where less than a day was written."""
    text = value_at(raw, path)
    if not isinstance(text, str):
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found.exact if isinstance(found, PartialDate) else found.astimezone(OSLO).date()
