"""Lists on paper: read from the cache, made in a job, kept where the person keeps files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from clinician import texts
from clinician.modulekit.context import ModuleContext
from modules.homecare.queries import day_sheet, zone_sheet
from modules.homecare.reports import day_list_pdf, zone_list_pdf
from modules.homecare.rows import Sheet

_ = texts.translator("homecare")


class Paper:
    """Makes the lists of one view."""

    def __init__(self, ctx: ModuleContext) -> None:
        self._ctx = ctx

    def day_list(self) -> None:
        """The person's own day."""
        ctx = self._ctx
        name = _("day-list-{day}.pdf", day=ctx.today().isoformat())
        ctx.queries.run(
            day_sheet,
            lambda sheet: self._make(lambda: self._day(sheet), name, _("Making the day list")),
            None,
            practitioner_ref=ctx.who.practitioner_ref,
            workplace_ref=ctx.who.workplace_ref,
            day=ctx.today(),
            now=ctx.clock.now(),
        )

    def zone_list(self, day: date) -> None:
        """Every route of the zone."""
        ctx = self._ctx
        name = _("zone-list-{day}.pdf", day=day.isoformat())
        ctx.queries.run(
            zone_sheet,
            lambda sheet: self._make(lambda: self._zone(sheet), name, _("Making the zone list")),
            None,
            workplace_ref=ctx.who.workplace_ref,
            day=day,
            now=ctx.clock.now(),
        )

    def _day(self, sheet: Sheet) -> bytes:
        return day_list_pdf(sheet, printed_at=self._ctx.clock.now(), printed_by=self._ctx.who.name)

    def _zone(self, sheet: Sheet) -> bytes:
        return zone_list_pdf(sheet, printed_at=self._ctx.clock.now(), printed_by=self._ctx.who.name)

    def _make(self, build: Callable[[], bytes], name: str, title: str) -> None:
        """Off the GUI thread; the place says where the file lies."""
        ctx = self._ctx

        def keep(content: bytes) -> None:
            ctx.places.save_file(name, content)

        ctx.jobs.run(lambda _progress: build(), keep, title=title)
