"""The module pages: made when first visited, alive until the person leaves."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QStackedWidget, QWidget

from clinician.layouts.layout import Pane
from ui.shell.desk import Desk
from ui.shell.offers import ModuleOffer
from ui.shell.running import Running

if TYPE_CHECKING:
    from ui.shell.docks import ModulePage

_log = logging.getLogger(__name__)
_ARRANGED: Final = "shell.docks."
States = dict[str, dict[str, str]]


class Rooms:
    """Holds a ModulePage per module. The docking library is imported at the first visit."""

    def __init__(self, desk: Desk, running: Running, pages: QStackedWidget) -> None:
        self._desk, self._running, self._pages = desk, running, pages
        self._offers: dict[str, ModuleOffer] = {}
        self._plans: dict[str, tuple[Pane, ...]] = {}
        self._open: dict[str, ModulePage] = {}
        self._states: States = {}

    def set_offers(
        self, found: tuple[ModuleOffer, ...], plans: Mapping[str, tuple[Pane, ...]] | None = None
    ) -> None:
        """The modules there are, and the workplace's layout of each."""
        self._offers = {offer.key: offer for offer in found if offer.is_on and not offer.is_broken}
        self._plans = dict(plans or {})

    @property
    def offers(self) -> tuple[ModuleOffer, ...]:
        """Modules that are on and work."""
        return tuple(self._offers.values())

    def page(self, module: str) -> ModulePage | None:
        """The page of a module, made now if need be; None when there is no such module."""
        offer = self._offers.get(module)
        if offer is None:
            return None
        if module not in self._open:
            from ui.shell.docks import ModulePage

            page = ModulePage(self._desk, self._running, offer, self._plans.get(module, ()))
            page.restore_states(self._states)
            page.arrange_as(self._desk.drafts.load(f"{_ARRANGED}{module}", ""))
            page.rearranged.connect(self.keep_arrangements)
            self._open[module] = page
            self._pages.addWidget(page)
        return self._open[module]

    def show(self, module: str) -> bool:
        """Bring a module to the front; its views, selection and scroll are as they were left."""
        page = self.page(module)
        if page is None:
            return False
        self._pages.setCurrentWidget(page)
        page.take_focus()
        return True

    def open_view(self, view_id: str, arguments: Mapping[str, str]) -> bool:
        """Bring 'module.view' to the front."""
        page = self.page(view_id.partition(".")[0])
        if page is None:
            return False
        self._pages.setCurrentWidget(page)
        return page.open_view(view_id, arguments)

    def patient_view(self, place: str) -> str:
        """The page about one patient: of the module one stands in; from a page of the shell, of the first
        module that has one; '' when there is none."""
        kind, _, name = place.partition(":")
        asked = [self._offers[name]] if kind == "module" and name in self._offers else []
        if kind != "module":
            asked = list(self._offers.values())
        pages = (view for offer in asked for view in offer.views)
        return next((v.key for v in pages if v.patient == "required" and v.kind == "page"), "")

    def open_page(self, place: str, number: int) -> None:
        """The n-th page of the module one stands in."""
        page = self._open.get(place.partition(":")[2])
        if page is not None:
            page.open_page(number)

    def take_focus(self, place: str) -> None:
        """Give the keyboard to the module one stands in."""
        page = self._open.get(place.partition(":")[2])
        if page is not None:
            page.take_focus()

    def visible(self, place: str) -> list[QWidget]:
        """The views one can see, for F6."""
        page = self._open.get(place.partition(":")[2])
        return list(page.visible_holders()) if page is not None else []

    def trigger(self, action_id: str) -> bool:
        """Let a view of the action's module do it; the visible ones are asked first."""
        module, _, action = action_id.partition(".")
        page = self.page(module)
        if page is None:
            return False
        holders = [*page.visible_holders(), *page.holders.values()]
        return any(holder.trigger(action) for holder in holders)

    def keep_arrangements(self) -> None:
        """Keep where the person has put the panes."""
        for module, page in self._open.items():
            self._desk.drafts.save(f"{_ARRANGED}{module}", "", page.arranged())

    def states(self) -> States:
        """The state of every view, seen or kept."""
        for page in self._open.values():
            self._states |= page.states()
        return dict(self._states)

    def keep_states(self, states: States) -> None:
        """States to give to views when they are made."""
        self._states = dict(states)

    def retranslate(self) -> None:
        """The language changed."""
        for page in self._open.values():
            page.retranslate()

    def end(self) -> None:
        """Take every page away."""
        for page in self._open.values():
            page.end()
            self._pages.removeWidget(page)
            page.hide()
            page.deleteLater()
        self._open = {}
