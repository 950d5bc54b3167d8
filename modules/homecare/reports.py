"""The day list and the zone list as PDF, from the cache; and the key sheet, always a paper of its own."""

from __future__ import annotations

from datetime import datetime

from clinician import texts
from clinician.queries.query import RowState
from clinician.reports.page import Stamp
from clinician.reports.visit_list import KeyLine, VisitBlock, VisitGroup, key_sheet, visit_list
from modules.homecare.rows import Sheet, SheetRoute, SheetVisit

_ = texts.translator("homecare")


def day_list_pdf(sheet: Sheet, *, printed_at: datetime, printed_by: str) -> bytes:
    """One person's day (queries.day_sheet). Runs in a job: ctx.jobs.run(lambda progress: day_list_pdf(…))."""
    return _list(sheet, _("Day list"), printed_at, printed_by)


def zone_list_pdf(sheet: Sheet, *, printed_at: datetime, printed_by: str) -> bytes:
    """All routes of the zone (queries.zone_sheet), each on its own page."""
    return _list(sheet, _("Zone list"), printed_at, printed_by)


def key_sheet_pdf(sheet: Sheet, *, printed_at: datetime, printed_by: str) -> bytes:
    """Keys and doors of a sheet asked for with_access=True; confidential on every page."""
    stamp = _stamp(sheet, _("Key sheet"), printed_at, printed_by, confidential=_("CONFIDENTIAL"))
    lines = tuple(KeyLine(a.patient_name, a.birth_text, a.address, a.secret) for a in sheet.access)
    return key_sheet(stamp, sheet.day_text, lines)


def _list(sheet: Sheet, title: str, printed_at: datetime, printed_by: str) -> bytes:
    groups = tuple(_group(route) for route in sheet.routes)
    return visit_list(_stamp(sheet, title, printed_at, printed_by), sheet.day_text, groups)


def _stamp(
    sheet: Sheet, title: str, printed_at: datetime, printed_by: str, *, confidential: str = ""
) -> Stamp:
    return Stamp(
        title=f"{title} · {sheet.day_text}",
        workplace=sheet.workplace_name,
        printed_at=printed_at,
        printed_by=printed_by,
        as_of=sheet.as_of,
        is_complete=sheet.complete,
        is_practice=sheet.is_practice,
        waiting=sheet.waiting,
        confidential=confidential,
    )


def _group(route: SheetRoute) -> VisitGroup:
    return VisitGroup(route.title, route.detail, tuple(_block(visit) for visit in route.visits))


def _block(visit: SheetVisit) -> VisitBlock:
    return VisitBlock(
        time=visit.time_text,
        name=visit.patient_name,
        born=visit.birth_text,
        address=visit.address,
        phone=visit.phone,
        access=visit.access_hint,
        tasks=visit.tasks,
        warnings=visit.warnings,
        marks=visit.marks,
        colleagues=visit.colleague_text,
        travel=visit.travel_text,
        comment=visit.comment,
        status=visit.status_text,
        is_waiting=visit.state is not RowState.CONFIRMED,
    )
