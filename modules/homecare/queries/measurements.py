"""Measurements as points and kinds."""

from __future__ import annotations

from datetime import datetime

from clinician.queries.query import Reading, query
from modules.homecare.rows import MeasurementKind, MeasurementPoint
from modules.homecare.rules.measures import Measured


@query(watches=("Observation",), audit="patient_ref")
def measurement_points(
    reading: Reading, *, patient_ref: str, kind: str, since: datetime | None = None
) -> tuple[MeasurementPoint, ...]:
    """Points in time order; blood pressure gives two series."""
    raise NotImplementedError


@query(watches=())
def measurement_kinds(reading: Reading) -> tuple[MeasurementKind, ...]:
    """The forms M may open, with units and limits."""
    raise NotImplementedError


@query(watches=("Observation",), audit="patient_ref")
def measurement_doubts(
    reading: Reading, *, patient_ref: str, values: tuple[Measured, ...]
) -> tuple[str, ...]:
    """Questions to ask before signing: unusual, but possible. () when nothing is odd."""
    raise NotImplementedError
