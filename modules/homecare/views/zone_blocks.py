"""Zone rows as lanes and blocks of the time grid. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from clinician import texts
from clinician.queries.query import RowState
from modules.homecare.rows import Move, VisitState, ZoneDay, ZoneRoute, ZoneVisit
from modules.homecare.views import states
from modules.homecare.words import span_text
from ui.widgets.time_grid_rows import Block, Lane, Tone

_ = texts.translator("homecare")
_TONES: Final = {
    VisitState.UNASSIGNED: Tone.DANGER,
    VisitState.OPEN: Tone.OPEN,
    VisitState.IN_PROGRESS: Tone.NOW,
    VisitState.DONE: Tone.DONE,
    VisitState.NOT_HOME: Tone.WARN,
    VisitState.NOT_DONE: Tone.WARN,
    VisitState.MOVED: Tone.QUIET,
    VisitState.CANCELLED: Tone.QUIET,
}
_MOVABLE: Final = (VisitState.OPEN, VisitState.UNASSIGNED)


def block_key(route_key: str, appointment_ref: str) -> str:
    """A visit by two people stands in two lanes: a block is a visit in a lane."""
    return f"{route_key}|{appointment_ref}"


def appointment_of(key: str) -> str:
    """The visit of a block."""
    return key.rpartition("|")[2]


def _marks(visit: ZoneVisit) -> tuple[str, ...]:
    of_record = states.row_state(visit.state)
    marks = [of_record.icon] if of_record is not None and visit.state is not RowState.QUEUED else []
    if visit.visit_state not in (VisitState.OPEN, VisitState.UNASSIGNED):
        marks.append(states.visit_state(visit.visit_state).icon)
    marks += ["clock"] if visit.late_minutes else []
    marks += ["users"] if visit.two_persons else []
    marks += ["push-pin"] if visit.fixed_time else []
    return tuple(marks)


def spoken(visit: ZoneVisit, name: str) -> str:
    """What a screen reader says of a block."""
    late = _.n("{n} minute late", "{n} minutes late", visit.late_minutes) if visit.late_minutes else ""
    of_record = states.row_state(visit.state)
    parts = (
        visit.patient_name,
        span_text(visit.start, visit.end),
        visit.title,
        _("with {name}", name=name) if name else "",
        states.visit_state(visit.visit_state).words,
        late,
        _("two persons") if visit.two_persons else "",
        _("fixed time") if visit.fixed_time else "",
        _("needs {competence}", competence=visit.competence_text) if visit.competence_text else "",
        visit.why_text,
        of_record.words if of_record else "",
    )
    return ", ".join(part for part in parts if part)


def block(visit: ZoneVisit, route_key: str, name: str) -> Block:
    """One visit in one lane, or in the pool."""
    detail = " · ".join(p for p in (visit.title, visit.why_text or visit.competence_text) if p)
    return Block(
        key=block_key(route_key, visit.key),
        lane_key=route_key,
        start=visit.start,
        end=visit.end,
        title=visit.patient_name,
        detail=detail,
        marks=_marks(visit),
        tone=_TONES[visit.visit_state] if route_key else Tone.DANGER,
        link_key=visit.key,
        is_fixed=visit.fixed_time,
        is_late=visit.late_minutes > 0,
        is_movable=visit.visit_state in _MOVABLE,
        travel_minutes=visit.travel_minutes,
        description=spoken(visit, name),
    )


def _load(route: ZoneRoute) -> float:
    minutes = (route.shift_end - route.shift_start).total_seconds() / 60
    planned = sum((v.end - v.start).total_seconds() / 60 + v.travel_minutes for v in route.visits)
    return planned / minutes if minutes > 0 else 0.0


def lanes(day: ZoneDay) -> tuple[Lane, ...]:
    """One lane per route."""
    return tuple(
        Lane(
            key=route.key,
            title=route.name,
            detail=route.profession_text,
            note=route.absent_text if route.is_absent else "",
            start=route.shift_start,
            end=route.shift_end,
            is_dimmed=route.is_absent,
            load_text=route.load_text,
            load=_load(route),
        )
        for route in day.routes
    )


def blocks(day: ZoneDay, suggested: Iterable[Move] = ()) -> tuple[Block, ...]:
    """Every visit of the day, and where a suggestion would put those it moves."""
    found = [block(visit, route.key, route.name) for route in day.routes for visit in route.visits]
    found += [block(visit, "", "") for visit in day.unassigned]
    found += [preview(move) for move in suggested if move.to_route_key]
    return tuple(found)


def preview(move: Move) -> Block:
    """A visit where a suggestion would put it."""
    words = _("Suggested: {patient} to {name}", patient=move.patient_name, name=move.to_name)
    return Block(
        key=f"suggested|{move.to_route_key}|{move.appointment_ref}",
        lane_key=move.to_route_key,
        start=move.start,
        end=move.end,
        title=move.patient_name,
        detail=move.title,
        marks=("sparkle",),
        tone=Tone.OPEN,
        is_movable=False,
        is_preview=True,
        description=f"{words}, {span_text(move.start, move.end)}, {move.reason}",
    )
