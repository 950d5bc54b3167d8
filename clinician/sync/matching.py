"""Whether a resource belongs to a search, judged here: an index of the record that lags removes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from clinician.fhir.reference import Raw
from clinician.fhir.search_params import SearchParam, for_type, values
from clinician.fhir.search_values import DateValue, RefValue, Token, Value
from clinician.fhir.times import period_bounds


def fits(raw: Raw, query: Iterable[tuple[str, str]]) -> bool | None:
    """True or False; None where a parameter cannot be judged without the record (chains, modifiers)."""
    unsure = False
    for name, wanted in query:
        found = _fits_one(raw, name, wanted)
        if found is False:
            return False
        unsure = unsure or found is None
    return None if unsure else True


def _fits_one(raw: Raw, name: str, wanted: str) -> bool | None:
    if name == "_id":
        return raw.get("id") in wanted.split(",")
    param = for_type(str(raw.get("resourceType"))).get(name)
    if param is None or param.kind not in ("token", "date", "reference"):
        return None
    held = values(raw, param)
    judged = [_matches(param, held, one) for one in wanted.split(",")]
    if True in judged:
        return True
    return None if None in judged else False


def _matches(param: SearchParam, held: tuple[Value, ...], wanted: str) -> bool | None:
    if param.kind == "date":
        return _in_time([value for value in held if isinstance(value, DateValue)], wanted)
    if param.kind == "reference":
        return any(_is_ref(value, wanted) for value in held if isinstance(value, RefValue))
    return any(_is_token(value, wanted) for value in held if isinstance(value, Token))


def _is_token(value: Token, wanted: str) -> bool:
    system, mark, code = wanted.rpartition("|")
    return value.code == code and (not mark or value.system == system)


def _is_ref(value: RefValue, wanted: str) -> bool:
    type_, mark, id_ = wanted.rpartition("/")
    return value.id == id_ and (not mark or value.type == type_)


def _in_time(held: list[DateValue], wanted: str) -> bool | None:
    prefix, text = wanted[:2], wanted[2:]
    try:
        low, high = period_bounds(text)
    except ValueError:
        return None
    if prefix == "ge":
        return any(value.high > low for value in held)
    return any(value.low < high for value in held) if prefix == "le" else None
