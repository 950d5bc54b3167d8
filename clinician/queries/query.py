"""How a query declares itself.

    @query(watches=("Appointment", "Task"), audit="patient_ref")
    def visits_of_the_day(reading: Reading, *, patient_ref: str, day: date) -> tuple[VisitRow, ...]: ...

A query is named by a noun phrase, takes a Reading first and keywords after, returns frozen rows
(tuples or one frozen dataclass), and makes its display strings itself, off the GUI thread.
`audit` names the keyword that holds the patient whose data are read; the runner records the read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

from clinician.cache.reading import Cached, Freshness, Raw, Reading, RowState

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["Cached", "Freshness", "Query", "Raw", "Reading", "RowState", "query"]


@dataclass(frozen=True, slots=True)
class Query(Generic[P, R]):
    """A read function with what it watches. Call it like the function it wraps."""

    function: Callable[Concatenate[Reading, P], R]
    watches: frozenset[str]
    audit: str

    @property
    def name(self) -> str:
        """'module.function', for logs and audit."""
        inner: Any = self.function
        return f"{inner.__module__}.{inner.__name__}"

    def __call__(self, reading: Reading, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(reading, *args, **kwargs)


_NONE: Final = ""


def query(
    *, watches: tuple[str, ...], audit: str = _NONE
) -> Callable[[Callable[Concatenate[Reading, P], R]], Query[P, R]]:
    """Make a read function a query."""

    def wrap(function: Callable[Concatenate[Reading, P], R]) -> Query[P, R]:
        return Query(function, frozenset(watches), audit)

    return wrap
