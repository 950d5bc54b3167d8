"""What a hand does to a plan, as moves. Pure."""

from __future__ import annotations

from clinician import texts
from modules.homecare.rows import DaySums, Move, Suggestion, ZoneDay, ZoneRoute, ZoneVisit
from modules.homecare.views.suggestion_panel import Tally
from modules.homecare.views.zone_blocks import appointment_of

_ = texts.translator("homecare")


def route_of(zone: ZoneDay | None, key: str) -> ZoneRoute | None:
    """The route of a key."""
    return next((route for route in zone.routes if route.key == key), None) if zone else None


def visit_of(zone: ZoneDay | None, appointment_ref: str) -> ZoneVisit | None:
    """The visit of a reference, wherever it lies."""
    if zone is None:
        return None
    everyone = [*(visit for route in zone.routes for visit in route.visits), *zone.unassigned]
    return next((visit for visit in everyone if visit.key == appointment_ref), None)


def as_move(zone: ZoneDay | None, key: str) -> Move | None:
    """A block as it lies, as a move that changes nothing yet."""
    visit = visit_of(zone, appointment_of(key))
    if visit is None or zone is None:
        return None
    holders = [route for route in zone.routes if any(v.key == visit.key for v in route.visits)]
    here = route_of(zone, key.rpartition("|")[0])
    return Move(
        appointment_ref=visit.key,
        patient_name=visit.patient_name,
        title=visit.title,
        from_name=here.name if here else "",
        to_route_key=here.key if here else "",
        to_name=here.name if here else "",
        to_practitioner_refs=tuple(route.practitioner_ref for route in holders),
        start=visit.start,
        end=visit.end,
        order=visit.order,
        travel_minutes=visit.travel_minutes,
        reason="",
    )


def tally(zone: ZoneDay | None, suggestion: Suggestion) -> Tally:
    """Visits before and after, counted one by one: a suggestion neither makes nor removes any."""
    before = {visit.key for route in (zone.routes if zone else ()) for visit in route.visits}
    before |= {visit.key for visit in (zone.unassigned if zone else ())}
    moved = [move.appointment_ref for move in (*suggestion.moves, *suggestion.unplaced)]
    return Tally(len(before), len(before - set(moved)) + len(moved))


def sums_text(sums: DaySums) -> str:
    """'62 besøk · 24 utført · 2 ikke utført · 1 flyttet · 1 avlyst · 34 åpne'."""
    parts = [_.n("{n} visit", "{n} visits", sums.planned), _.n("{n} done", "{n} done", sums.done)]
    if sums.not_done:
        parts.append(_.n("{n} not done", "{n} not done", sums.not_done))
    if sums.moved:
        parts.append(_.n("{n} moved", "{n} moved", sums.moved))
    if sums.cancelled:
        parts.append(_.n("{n} cancelled", "{n} cancelled", sums.cancelled))
    parts.append(_.n("{n} open", "{n} open", sums.open))
    return " · ".join(parts)
