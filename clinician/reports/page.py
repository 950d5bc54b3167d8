"""The frame of every page: what it is, for whom, how old its data are, page x of y.

A paper outlives the screen it came from, so every page says as of when its data were whole, when it
was printed, where and by whom (NEEDS §3.1), and every page of practice says so.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from clinician import texts
from clinician.clock import oslo

_ = texts.translator("reports")

OLD_AFTER: Final = timedelta(minutes=15)
"""Data older than this say so in red (NEEDS §3.1, PR)."""
REGULAR: Final = "SourceSans3"
STRONG: Final = "SourceSans3-Semibold"
ITALIC: Final = "SourceSans3-It"
INK: Final = HexColor("#1a1a1a")
QUIET: Final = HexColor("#595959")
LINE: Final = HexColor("#b8b8b8")
DANGER: Final = HexColor("#b00020")
PRACTICE: Final = HexColor("#6b2fb3")
SMALL, BODY, LARGE, TITLE = 8, 9.5, 12, 17
"""The one type scale, in points."""
MARGIN: Final = 15 * mm
_TOP: Final = 27 * mm
_BOTTOM: Final = 20 * mm
_FONTS: Final = Path(__file__).resolve().parents[2] / "resources" / "fonts"
_LANGUAGES: Final = {"nb": "nb-NO", "nn": "nn-NO", "en": "en-GB"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What stands on every page. as_of None: this PC has never had all of it."""

    title: str
    workplace: str
    printed_at: datetime
    printed_by: str
    as_of: datetime | None
    is_complete: bool
    is_practice: bool = False
    waiting: int = 0
    """Entries on the paper the record has not confirmed"""
    confidential: str = ""
    """A word of warning at the top of every page, '' for none"""

    @property
    def is_old(self) -> bool:
        """Whether the reader must be told that the data may have changed."""
        return not self.is_complete or self.as_of is None or self.printed_at - self.as_of > OLD_AFTER


@lru_cache(maxsize=1)
def fonts() -> bool:
    """Register the embedded family; once."""
    for name, file in ((REGULAR, "Regular"), (STRONG, "Semibold"), (ITALIC, "It")):
        pdfmetrics.registerFont(TTFont(name, str(_FONTS / f"SourceSans3-{file}.ttf")))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=STRONG, italic=ITALIC, boldItalic=STRONG)
    return True


@lru_cache(maxsize=32)
def style(
    size: float = BODY, *, strong: bool = False, colour: str = "ink", after: float = 0
) -> ParagraphStyle:
    """A paragraph style of the scale. colour: ink, quiet or danger."""
    fonts()
    shades = {"ink": INK, "quiet": QUIET, "danger": DANGER}
    return ParagraphStyle(
        name=f"{size}-{strong}-{colour}-{after}",
        fontName=STRONG if strong else REGULAR,
        fontSize=size,
        leading=size * 1.25,
        textColor=shades[colour],
        spaceAfter=after,
        splitLongWords=True,
    )


def clock(when: datetime) -> str:
    """'03.03.2026 07:10' in Norway."""
    return oslo(when).strftime("%d.%m.%Y %H:%M")


def age_text(stamp: Stamp) -> str:
    """As of when the data are whole, and how old that was when it was printed."""
    if stamp.as_of is None:
        return _("This PC has never had all the data. Check with the record before you rely on it.")
    when = clock(stamp.as_of)
    if not stamp.is_complete:
        return _("Data as of {when}, and not complete", when=when)
    minutes = int((stamp.printed_at - stamp.as_of).total_seconds() // 60)
    if stamp.printed_at - stamp.as_of > OLD_AFTER:
        age = _age(minutes)
        return _("Data as of {when}: {age} old when printed", when=when, age=age)
    return _("Data as of {when}", when=when)


def _age(minutes: int) -> str:
    hours, days = minutes // 60, minutes // (60 * 24)
    if days:
        return _.n("{n} day", "{n} days", days)
    return _.n("{n} hour", "{n} hours", hours) if hours else _.n("{n} minute", "{n} minutes", minutes)


def render(stamp: Stamp, story: Sequence[Flowable]) -> bytes:
    """The finished PDF: A4, fonts embedded, title and language set."""
    fonts()
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        title=stamp.title,
        author=stamp.printed_by,
        subject=stamp.workplace,
        creator="Clinician",
        lang=_LANGUAGES[texts.language()],
        displayDocTitle=True,
        initialFontName=REGULAR,
    )
    frame = Frame(
        MARGIN,
        _BOTTOM,
        A4[0] - 2 * MARGIN,
        A4[1] - _TOP - _BOTTOM,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )
    document.addPageTemplates([PageTemplate("page", [frame])])
    document.build(list(story), canvasmaker=_framed(stamp))
    return out.getvalue()


def _framed(stamp: Stamp) -> type[Canvas]:
    """A canvas that keeps its pages until their number is known, then draws the frame of each."""

    class Framed(Canvas):  # type: ignore[misc]  # reportlab is untyped
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            total = len(self._pages)
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                _draw_frame(self, stamp, number, total)
                super().showPage()
            super().save()

    return Framed


def _draw_frame(canvas: Any, stamp: Stamp, number: int, total: int) -> None:
    width, height = A4
    _draw_head(canvas, stamp, width, height)
    _draw_foot(canvas, stamp, width, _("Page {number} of {total}", number=number, total=total))
    if stamp.is_practice:
        canvas.setStrokeColor(PRACTICE)
        canvas.setLineWidth(2)
        canvas.rect(5 * mm, 5 * mm, width - 10 * mm, height - 10 * mm)


def _draw_head(canvas: Any, stamp: Stamp, width: float, height: float) -> None:
    y = height - 14 * mm
    _draw(canvas, MARGIN, y, stamp.workplace, STRONG, BODY, INK)
    _draw_right(canvas, width - MARGIN, y, stamp.title, REGULAR, BODY, QUIET)
    word = _("PRACTICE – none of this is real") if stamp.is_practice else stamp.confidential
    if stamp.is_practice and stamp.confidential:
        word = f"{word} · {stamp.confidential}"
    if word:
        colour = PRACTICE if stamp.is_practice else DANGER
        canvas.setFont(STRONG, BODY)
        canvas.setFillColor(colour)
        canvas.drawCentredString(width / 2, y - 5 * mm, word)
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, y - 8 * mm, width - MARGIN, y - 8 * mm)


def _draw_foot(canvas: Any, stamp: Stamp, width: float, page: str) -> None:
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, 17 * mm, width - MARGIN, 17 * mm)
    colour = DANGER if stamp.is_old else INK
    _draw(canvas, MARGIN, 13 * mm, age_text(stamp), STRONG, SMALL, colour)
    printed = _("Printed {when} by {who}", when=clock(stamp.printed_at), who=stamp.printed_by)
    if stamp.waiting:
        waits = _.n("{n} entry here is not sent yet", "{n} entries here are not sent yet", stamp.waiting)
        printed = f"{printed} · {waits}"
    _draw(canvas, MARGIN, 9.5 * mm, printed, REGULAR, SMALL, QUIET)
    _draw_right(canvas, width - MARGIN, 13 * mm, page, STRONG, SMALL, INK)


def _draw(canvas: Any, x: float, y: float, text: str, font: str, size: float, colour: Any) -> None:
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    canvas.drawString(x, y, text)


def _draw_right(canvas: Any, x: float, y: float, text: str, font: str, size: float, colour: Any) -> None:
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    canvas.drawRightString(x, y, text)
