"""The rows home care shows. Display strings are made in queries, in the language in force.

A row's first field is its key: a FHIR reference. Instants are aware; `*_text` is ready to paint.
"""

from __future__ import annotations

from modules.homecare.rows.day import DayRow, DaySums, ItemKind, MyDay, Section
from modules.homecare.rows.ledger import BrokenLink, BrokenRow, Ledger, RemovalRow
from modules.homecare.rows.measurements import MeasurementField, MeasurementKind, MeasurementPoint, News2Row
from modules.homecare.rows.paper import AccessLine, Sheet, SheetRoute, SheetVisit
from modules.homecare.rows.plan import Candidate, Move, Suggestion
from modules.homecare.rows.user import FactRow, NoteRow, PlanRow, QuickText, UserCard
from modules.homecare.rows.visit import ChangeRow, NotDone, TaskRow, ValueRow, VisitCard, VisitState
from modules.homecare.rows.zone import ZoneDay, ZoneRoute, ZoneVisit

__all__ = [
    "AccessLine",
    "BrokenLink",
    "BrokenRow",
    "Candidate",
    "ChangeRow",
    "DayRow",
    "DaySums",
    "FactRow",
    "ItemKind",
    "Ledger",
    "MeasurementField",
    "MeasurementKind",
    "MeasurementPoint",
    "Move",
    "MyDay",
    "News2Row",
    "NotDone",
    "NoteRow",
    "PlanRow",
    "QuickText",
    "RemovalRow",
    "Section",
    "Sheet",
    "SheetRoute",
    "SheetVisit",
    "Suggestion",
    "TaskRow",
    "UserCard",
    "ValueRow",
    "VisitCard",
    "VisitState",
    "ZoneDay",
    "ZoneRoute",
    "ZoneVisit",
]
