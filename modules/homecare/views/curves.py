"""Measurements of one user: the form, NEWS2 from complete sets, and the curve or the table."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from clinician import texts
from clinician.modulekit.context import Ending, ModuleContext
from clinician.texts import Text
from modules.homecare import facts, labels
from modules.homecare.queries import measurement_kinds, measurement_points
from modules.homecare.rows import MeasurementKind, MeasurementPoint, News2Row
from modules.homecare.rules import news2
from modules.homecare.views.acting import Acting
from modules.homecare.views.live import Live
from modules.homecare.views.measurement_form import MeasurementForm
from modules.homecare.words import number_text
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.fields import ChoiceField
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Hairline, Scrolled
from ui.widgets.timeline_plot import Band, Point, Series, TimelinePlot

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_BANDS: Final = {"low": "done", "low-medium": "warn", "medium": "warn", "high": "danger"}
_SPANS: Final[tuple[tuple[str, Text], ...]] = (
    ("30", L("30 days")),
    ("90", L("3 months")),
    ("365", L("1 year")),
    ("0", L("All")),
)


def series_of(points: tuple[MeasurementPoint, ...]) -> tuple[Series, ...]:
    """Points as curves; a panel's parts are read together: '142/88 mmHg'."""
    whole: dict[str, list[MeasurementPoint]] = {}
    for point in points:
        whole.setdefault(point.key.partition("#")[0], []).append(point)
    made: dict[str, list[Point]] = {}
    for point in points:
        parts = whole[point.key.partition("#")[0]]
        words = point.value_text
        if len(parts) > 1:
            numbers = "/".join(part.value_text.removesuffix(part.unit).strip() for part in parts)
            words = f"{numbers} {point.unit}".strip()
        shown = Point(point.key, point.when, point.value, words, point.author)
        made.setdefault(point.series, []).append(shown)
    return tuple(Series(key, labels.label(labels.FIELDS, key), tuple(found)) for key, found in made.items())


def band_of(kind: str) -> Band | None:
    """The range that gives no points in NEWS2 (scale 1); only where NEWS2 has one."""
    table = facts.news2_table()
    ranges: dict[str, tuple[news2.Band, ...]] = {
        "blood-pressure": table.systolic,
        "pulse": table.pulse,
        "temperature": table.temperature,
        "respiration": table.respiration,
    }
    found = next((band for band in ranges.get(kind, ()) if band.points == 0), None)
    if found is None or found.low is None or found.high is None:
        return None
    decimals = 1 if kind == "temperature" else 0
    field = "systolic" if kind == "blood-pressure" else kind
    name = labels.label(labels.FIELDS, field)
    span = f"{number_text(found.low, decimals)}–{number_text(found.high, decimals)}"
    return Band(found.low, found.high, _("▒ {name} {span}: 0 points in NEWS2", name=name, span=span))


class Curves(QWidget):
    """One tab of the user page."""

    def __init__(self, ctx: ModuleContext, acting: Acting) -> None:
        super().__init__()
        self._ctx, self._patient = ctx, ""
        self._kinds: dict[str, MeasurementKind] = {}
        self._kind = ChoiceField(L("Measurement"), "homecare.user.kind", show_label=False)
        self._span = ChoiceField(L("Period"), "homecare.user.period", _SPANS, show_label=False)
        self._span.set_value("90")
        self._table = Button(L("As a table (T)"), "homecare.user.as_table", kind="quiet", icon="table")
        self._table.setCheckable(True)
        self._new = Button(L("New measurement (M)"), "homecare.user.measure", icon="heartbeat")
        self._score = StateLabel("gear", "", "ink_quiet", wrap=True)
        self._earlier = Label("", size=12, tone="ink_quiet", wrap=True)
        self.plot = TimelinePlot("homecare.user.plot", _("Curve"))
        self.form = MeasurementForm(ctx, acting, "user")
        self.form.hide()
        self._none = Label(L("No measurements in this period."), tone="ink_quiet")
        self._build()
        self._live = Live(self, self._watch, every_ms=600_000)
        self._connect()
        ctx.queries.run(measurement_kinds, self._on_kinds)

    def _build(self) -> None:
        space = theme.current().space
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, space(2), 0)
        column.setSpacing(space(2))
        self._tools = QGridLayout()
        self._tools.setHorizontalSpacing(space(2))
        self._tools.setVerticalSpacing(space(1))
        self._arrange()
        theme.theme_changed.connect(self._arrange)
        self._line = Hairline()
        self._line.hide()
        self.plot.setMinimumHeight(220)
        column.addLayout(self._tools)
        column.addWidget(self.form)
        for part in (self._line, self._score, self._earlier, self._none):
            column.addWidget(part)
        column.addWidget(self.plot, 100)
        column.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(Scrolled(inner))

    def _arrange(self) -> None:
        """One row of tools; two where the text is large."""
        across = 4 if theme.current().text_scale < 150 else 2
        self._kind.setMaximumWidth(theme.current().px(13) * 30)
        self._span.setMaximumWidth(theme.current().px(13) * 18)
        for place, part in enumerate((self._kind, self._span, self._table, self._new)):
            self._tools.addWidget(part, *divmod(place, across))
        for number, stretch in enumerate((3, 2, 0, 0) if across == 4 else (1, 1, 0, 0)):
            self._tools.setColumnStretch(number, stretch)

    def _connect(self) -> None:
        self._kind.chosen.connect(lambda _value: self._live.again())
        self._span.chosen.connect(lambda _value: self._live.again())
        self._table.toggled.connect(self.plot.show_table)
        self._new.clicked.connect(self._on_new)
        self.form.left.connect(self._leave_form)

    def _on_kinds(self, kinds: tuple[MeasurementKind, ...]) -> None:
        shown = {kind.key: kind for kind in kinds if kind.fields and not kind.fields[0].choices}
        self._kinds = shown
        self._kind.set_choices(tuple((key, kind.label) for key, kind in shown.items()))
        if self._patient:
            self._live.again()

    def open(self, patient_ref: str, name: str, visit_ref: str = "") -> None:
        """Turn to a user; visit_ref: the visit that measurements taken back were made in."""
        if self.form.open(patient_ref=patient_ref, name=name, appointment_ref=visit_ref):
            self.form.show()
        elif patient_ref != self._patient:
            self.form.hide()
        if patient_ref == self._patient:
            return
        self._patient = patient_ref
        if self._kinds:
            self._live.again()

    def _watch(self) -> Ending:
        days = int(self._span.value or 0)
        since = self._ctx.clock.now() - timedelta(days=days) if days else None
        kind = self._kind.value
        return self._ctx.queries.watch(
            measurement_points,
            lambda points: self._show(kind, points),
            None,
            patient_ref=self._patient,
            kind=kind,
            since=since,
        )

    def _show(self, kind: str, points: tuple[MeasurementPoint, ...]) -> None:
        band = band_of(kind)
        self.plot.show_series(
            series_of(points), (band,) if band and points else (), unit=points[0].unit if points else ""
        )
        self._none.setVisible(not points)
        self.plot.setVisible(bool(points))

    def show_news2(self, rows: tuple[News2Row, ...]) -> None:
        """The newest score, and the ones before in one line. Never from a partial set."""
        if not rows:
            none = _("NEWS2: no complete set of measurements in the last 30 days")
            self._score.set_state("info", none, "ink_quiet")
            self._earlier.hide()
            return
        newest = rows[0]
        words = (f"NEWS2 {newest.score}", newest.band_text, newest.when_text, newest.parts_text)
        icon = "check" if newest.band == "low" else "warning"
        shown = " · ".join(word for word in words if word)
        self._score.set_state(icon, shown, _BANDS.get(newest.band, "ink"))
        before = " · ".join(f"{row.score} ({row.when_text})" for row in rows[1:5])
        self._earlier.set_words(_("Earlier: {scores}", scores=before) if before else "")
        self._earlier.setVisible(bool(before))

    def toggle_table(self) -> None:
        """Curve or table."""
        self._table.setChecked(not self._table.isChecked())
        (self.plot.table if self.plot.is_table else self.plot).setFocus(Qt.FocusReason.OtherFocusReason)

    def measure(self, measure: str = "") -> None:
        """Open the form."""
        self.form.show()
        self.form.fit(self.width() - theme.current().space(4))
        self.form.take_cursor(measure)

    def _on_new(self) -> None:
        self.measure()

    def _leave_form(self) -> None:
        self.form.hide()
        (self.plot.table if self.plot.is_table else self.plot).setFocus(Qt.FocusReason.OtherFocusReason)
