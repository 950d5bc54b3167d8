"""What home care reads. Every name here is a Query (clinician.queries.query)."""

from __future__ import annotations

from modules.homecare.queries.ledger import ledger
from modules.homecare.queries.measurements import (
    measurement_doubts,
    measurement_kinds,
    measurement_points,
)
from modules.homecare.queries.my_day import my_day
from modules.homecare.queries.notes import quick_texts
from modules.homecare.queries.planning import candidates, planning_problem
from modules.homecare.queries.sheets import day_sheet, zone_sheet
from modules.homecare.queries.user_card import user_card
from modules.homecare.queries.visit_card import access_detail, visit_card
from modules.homecare.queries.zone_day import zone_day

__all__ = [
    "access_detail",
    "candidates",
    "day_sheet",
    "ledger",
    "measurement_doubts",
    "measurement_kinds",
    "measurement_points",
    "my_day",
    "planning_problem",
    "quick_texts",
    "user_card",
    "visit_card",
    "zone_day",
    "zone_sheet",
]
