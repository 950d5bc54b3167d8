"""The search parameters this record answers: the official R4 ones, kept in index tables by kind."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from clinician.fhir import search_params
from clinician.fhir.search_params import SearchParam
from clinician.fhir.structure import resource_types

TABLE_OF_KIND: Final[Mapping[str, str]] = MappingProxyType(
    {
        "token": "token",
        "uri": "token",
        "string": "word",
        "date": "moment",
        "quantity": "quantity",
        "number": "quantity",
        "reference": "ref",
    }
)
"""Composite and special parameters are not kept; /metadata does not list them."""
BUILT_IN: Final = frozenset({"_id", "_lastUpdated"})
"""Answered from the columns of `resource`."""
_CODE_TYPES: Final = frozenset({"code", "boolean", "string", "uri", "id", "integer", "positiveInt"})


_NOT_SERVED: Final = frozenset({"Subscription"})
"""A record that takes a Subscription promises to notify, which this one does not: it offers long poll."""


@cache
def served_types() -> frozenset[str]:
    """The resource types this record keeps."""
    return resource_types() - _NOT_SERVED


@cache
def indexed(type_: str) -> Mapping[str, SearchParam]:
    """Code → parameter of a type, those kept in index tables."""
    return {
        code: param
        for code, param in search_params.for_type(type_).items()
        if param.kind in TABLE_OF_KIND and code not in BUILT_IN and (param.walks or param.special)
    }


@cache
def has_implied_system(param: SearchParam) -> bool:
    """Whether the parameter looks at plain codes only, whose system FHIR implies."""
    return param.special is not None or all(walk.type in _CODE_TYPES for walk, _ in param.walks)


@cache
def pid(type_: str, code: str) -> int:
    """The number of a parameter in the index tables, the same in every file (a test finds no two alike)."""
    return zlib.crc32(f"{type_}.{code}".encode()) >> 1
