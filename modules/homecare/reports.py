"""The day list and the zone list as PDF, from the cache."""

from __future__ import annotations

from datetime import datetime

from modules.homecare.rows import Sheet


def day_list_pdf(sheet: Sheet, *, printed_at: datetime, printed_by: str) -> bytes:
    """One person's day (queries.day_sheet). Runs in a job: ctx.jobs.run(lambda progress: day_list_pdf(…))."""
    raise NotImplementedError


def zone_list_pdf(sheet: Sheet, *, printed_at: datetime, printed_by: str) -> bytes:
    """All routes of the zone (queries.zone_sheet)."""
    raise NotImplementedError
