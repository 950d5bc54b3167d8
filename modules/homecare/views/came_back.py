"""A visit whose act was taken back: chosen again in the list, with the words that were typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from modules.homecare.rows import DayRow, Section
from modules.homecare.views.day_list import DayList
from modules.homecare.views.why_line import WhyLine


class CameBack:
    """Waits until the list shows the visit as open again. `ask` opens the line for another reason."""

    def __init__(self, days: DayList, why: WhyLine, ask: Callable[[], None]) -> None:
        self._list, self._why, self._ask = days, why, ask
        self._visit, self._words = "", ""

    def expect(self, arguments: Mapping[str, str]) -> None:
        """visit: 'Appointment/…'; why: what was typed as its reason, or ''."""
        self._visit, self._words = arguments.get("visit", ""), arguments.get("why", "")

    def show(self, rows: Sequence[DayRow]) -> None:
        """The list is new: is the visit there?"""
        if not any(row.key == self._visit and row.section is not Section.DONE for row in rows):
            return
        self._list.choose(self._visit)
        words, self._visit = self._words, ""
        if words:
            self._ask()
            self._why.field.set_text(words)
