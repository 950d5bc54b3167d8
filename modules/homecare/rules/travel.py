"""Travel time between homes, from coordinates.

Straight line × 1.3 (the usual detour of Norwegian town roads against the crow) at 35 km/h door to
door, plus two minutes to park and walk in; the same building is no travel. Without coordinates: 8
minutes. A road network is not on this PC, so these are estimates and shown in whole minutes.
"""

from __future__ import annotations

from math import asin, ceil, cos, radians, sin, sqrt
from typing import Final

Position = tuple[float, float]
"""(latitude, longitude) in degrees, WGS 84."""

EARTH_KM: Final = 6371.0
ROAD_FACTOR: Final = 1.3
KM_PER_HOUR: Final = 35.0
PARKING_MINUTES: Final = 2
SAME_PLACE_KM: Final = 0.04
UNKNOWN_MINUTES: Final = 8


def distance_km(a: Position, b: Position) -> float:
    """Great-circle distance (haversine)."""
    (lat1, lon1), (lat2, lon2) = (map(radians, a), map(radians, b))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(h)))


def travel_minutes(a: Position | None, b: Position | None) -> int:
    """Whole minutes from door to door."""
    if a is None or b is None:
        return UNKNOWN_MINUTES
    km = distance_km(a, b)
    if km <= SAME_PLACE_KM:
        return 0
    return PARKING_MINUTES + ceil(km * ROAD_FACTOR / KM_PER_HOUR * 60)
