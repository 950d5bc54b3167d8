"""A module's page: its views as dockable panes, laid out as the workplace's layout says.

The panes are built from data; what the person then moves is kept as the docking library's own
state, for that person only.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import PySide6QtAds as QtAds
from PySide6.QtCore import QByteArray, QSignalBlocker, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from clinician.layouts.layout import Pane
from ui.shell.desk import Desk
from ui.shell.layout_plan import in_order, plan_of, shares
from ui.shell.offers import ModuleOffer
from ui.shell.perch import Perches
from ui.shell.running import Running
from ui.shell.view_holder import ViewHolder, placeholder
from ui.widgets.words import shown

_log = logging.getLogger(__name__)
_REST_MS = 1_500
"""Panes still for so long are where the person wants them"""

_AREAS = {
    "centre": QtAds.CenterDockWidgetArea,
    "left": QtAds.LeftDockWidgetArea,
    "right": QtAds.RightDockWidgetArea,
    "bottom": QtAds.BottomDockWidgetArea,
}


def _configure() -> None:
    flag = QtAds.CDockManager.eConfigFlag
    for wanted in (flag.OpaqueSplitterResize, flag.DisableStylesheet, flag.XmlCompressionEnabled):
        QtAds.CDockManager.setConfigFlag(wanted, True)
    for unwanted in (
        flag.ActiveTabHasCloseButton,
        flag.DockAreaHasCloseButton,
        flag.DockAreaHasUndockButton,
        flag.DockAreaHasTabsMenuButton,
        flag.FocusHighlighting,
    ):
        QtAds.CDockManager.setConfigFlag(unwanted, False)


class ModulePage(QWidget):
    """The views of one module, side by side or in tabs; all stay alive while the person is here.

    `rearranged` when panes were moved and have come to rest.
    """

    rearranged = Signal()

    def __init__(
        self, desk: Desk, running: Running, offer: ModuleOffer, panes: tuple[Pane, ...] = ()
    ) -> None:
        super().__init__()
        _configure()
        self.setObjectName(f"shell.module.{offer.key}")
        self._desk, self._running, self.offer = desk, running, offer
        self._docks: dict[str, QtAds.CDockWidget] = {}
        self.holders: dict[str, ViewHolder] = {}
        self._is_shared, self._kept = False, ""
        self._perches = Perches(self)
        self._resting = QTimer(self, singleShot=True, interval=_REST_MS)
        self._resting.timeout.connect(self.rearranged)
        self._perches.followed.connect(self._on_stirred)
        self._manager = QtAds.CDockManager(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._manager)
        self._build(panes or plan_of(offer))

    def _build(self, panes: tuple[Pane, ...]) -> None:
        areas: dict[str, QtAds.CDockAreaWidget] = {}
        for pane in in_order(panes):
            dock = self._dock(pane.view)
            area = areas.get(pane.area)
            if area is not None:
                self._manager.addDockWidgetTabToArea(dock, area)
            else:
                areas[pane.area] = self._manager.addDockWidget(_AREAS[pane.area], dock)
        for area in areas.values():
            area.setDockAreaFlag(QtAds.CDockAreaWidget.eDockAreaFlag.HideSingleWidgetTitleBar, True)
            area.setCurrentIndex(0)
        self._areas, self._panes = areas, panes

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._is_shared:
            # A splitter has no size to share out before it is shown.
            self._is_shared = True
            QTimer.singleShot(0, self, self._share)

    def _on_stirred(self) -> None:
        if self._is_shared and self.isVisible():
            self._resting.start()

    def _share(self) -> None:
        across, down = shares(self._panes)
        if down:
            high = self._manager.height()
            self._manager.setSplitterSizes(self._areas["bottom"], [high * part // 100 for part in down])
        if len(across) > 1:
            wide = self._manager.width()
            self._manager.setSplitterSizes(self._areas["centre"], [wide * part // 100 for part in across])

    def _dock(self, view_key: str, arguments: Mapping[str, str] | None = None) -> QtAds.CDockWidget:
        offer = self.offer.view(view_key)
        dock = QtAds.CDockWidget(self._manager, shown(offer.title) if offer else view_key)
        dock.setObjectName(view_key)
        feature = QtAds.CDockWidget.DockWidgetFeature
        dock.setFeature(feature.DockWidgetClosable, offer is not None and offer.kind == "sheet")
        dock.setMinimumSizeHintMode(QtAds.CDockWidget.eMinimumSizeHintMode.MinimumSizeHintFromContent)
        if offer is None:
            _log.warning("the layout names a view nobody has")
            self._put(dock, placeholder(view_key))
        else:
            holder = ViewHolder(self._desk, self._running, self.offer, offer, arguments)
            self.holders[view_key] = holder
            self._put(dock, holder)
        self._docks[view_key] = dock
        return dock

    def _put(self, dock: QtAds.CDockWidget, view: QWidget) -> None:
        dock.setWidget(self._perches.add(view), QtAds.CDockWidget.eInsertMode.ForceNoScrollArea)

    @property
    def open_views(self) -> tuple[str, ...]:
        """Views that have a place on this page, in the order of the layout."""
        return tuple(self._docks)

    def visible_holders(self) -> list[ViewHolder]:
        """The views one can see now."""
        return [holder for holder in self.holders.values() if holder.isVisible()]

    def open_view(self, view_key: str, arguments: Mapping[str, str] | None = None) -> bool:
        """Bring a view to the front, making a place for it if it has none. False: no such view."""
        offer = self.offer.view(view_key)
        if offer is None:
            return False
        if view_key not in self._docks:
            dock = self._dock(view_key, arguments)
            self._manager.addDockWidgetTab(_AREAS["centre"], dock)
        dock = self._docks[view_key]
        dock.toggleView(True)
        dock.setAsCurrentTab()
        holder = self.holders[view_key]
        holder.open_with(arguments or {})
        holder.take_focus()
        return True

    def open_page(self, number: int) -> None:
        """Bring the n-th page (from 1) to the front."""
        pages = [key for key in self._docks if (view := self.offer.view(key)) and view.kind == "page"]
        if 0 < number <= len(pages):
            self.open_view(pages[number - 1])

    def take_focus(self) -> None:
        """Give the keyboard to the first view one can see."""
        for holder in self.visible_holders()[:1]:
            holder.take_focus()

    def retranslate(self) -> None:
        """The language changed."""
        for key, dock in self._docks.items():
            offer = self.offer.view(key)
            if offer is not None:
                dock.setWindowTitle(shown(offer.title))
        for holder in self.holders.values():
            holder.retranslate()

    def states(self) -> dict[str, dict[str, str]]:
        """The state of every view that has one."""
        return {key: state for key, holder in self.holders.items() if (state := holder.state())}

    def restore_states(self, states: Mapping[str, Mapping[str, str]]) -> None:
        """Give the views back their states."""
        for key, state in states.items():
            if key in self.holders:
                self.holders[key].restore(state)

    def arrangement(self) -> str:
        """Where the person has put the panes, as text."""
        return bytes(self._manager.saveState().toBase64().data()).decode("ascii")

    def arrange(self, arrangement: str) -> bool:
        """Put the panes where the person had them; False (and nothing done) when that does not read."""
        with QSignalBlocker(self._manager):
            return bool(self._manager.restoreState(QByteArray.fromBase64(arrangement.encode("ascii"))))

    def arranged(self) -> str:
        """The arrangement with the plan it was made from, to be kept; '' while the page was never seen."""
        if not self._is_shared or set(self._docks) != {pane.view for pane in self._panes}:
            return self._kept
        self._kept = json.dumps({"plan": self._plan(), "state": self.arrangement()})
        return self._kept

    def arrange_as(self, kept: str) -> bool:
        """Put the panes as they were kept, the first page in front.

        False, and nothing done, when that does not read or the workplace has got another layout since.
        """
        self._kept = kept
        try:
            raw = json.loads(kept) if kept else {}
            is_ours = raw.get("plan") == self._plan() and self.arrange(str(raw["state"]))
        except (ValueError, AttributeError, KeyError):
            _log.warning("the kept arrangement of the panes does not read")
            return False
        if is_ours:
            self._is_shared = True
            for dock in self._docks.values():
                if dock.dockAreaWidget() is not None:
                    dock.dockAreaWidget().setCurrentIndex(0)
        return is_ours

    def _plan(self) -> list[list[object]]:
        return [[pane.view, pane.area, pane.share] for pane in self._panes]

    def end(self) -> None:
        """Take every view away."""
        self._resting.stop()
        for holder in self.holders.values():
            holder.end()
