"""Lists of visits on paper: per person a heading, per visit a block that never breaks over two pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, PageBreak, Paragraph, Spacer, Table, TableStyle

from clinician import texts
from clinician.reports.page import BODY, INK, LARGE, LINE, SMALL, TITLE, Stamp, render, style

_ = texts.translator("reports")

_WIDE: Final = 180 * mm
_TIME: Final = 29 * mm
_WHO: Final = 80 * mm
_BOX: Final = 3.2 * mm


@dataclass(frozen=True, slots=True)
class VisitBlock:
    """One visit as it is printed. '' and () leave the line out."""

    time: str
    name: str
    born: str
    address: str = ""
    phone: str = ""
    access: str = ""
    tasks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    marks: str = ""
    colleagues: str = ""
    travel: str = ""
    comment: str = ""
    status: str = ""
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class VisitGroup:
    """One person's visits."""

    title: str
    detail: str
    visits: tuple[VisitBlock, ...]


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One line of the key sheet."""

    name: str
    born: str
    address: str
    secret: str


class Tick(Flowable):  # type: ignore[misc]  # reportlab is untyped
    """A box to tick with words beside it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = Paragraph(escape(words), style())
        self._indent = _BOX + 2 * mm

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        _width, self.height = self._words.wrap(width - self._indent, height)
        return width, self.height

    def draw(self) -> None:
        self.canv.setStrokeColor(INK)
        self.canv.setLineWidth(0.7)
        self.canv.rect(0, self.height - _BOX - 0.7 * mm, _BOX, _BOX)
        self._words.drawOn(self.canv, self._indent, 0)


def visit_list(stamp: Stamp, day: str, groups: tuple[VisitGroup, ...]) -> bytes:
    """The list as PDF; each group begins on a page of its own, so that it can be handed out alone."""
    story: list[Flowable] = []
    for number, group in enumerate(groups):
        if number:
            story.append(PageBreak())
        story += _group(day, group)
    if not groups:
        story += [_words(day, TITLE, strong=True, after=8), _words(_("No visits this day."))]
    return render(stamp, story)


def key_sheet(stamp: Stamp, day: str, lines: tuple[KeyLine, ...]) -> bytes:
    """How to get in, alone on a paper of its own, never in the list."""
    story: list[Flowable] = [
        _words(_("Key sheet"), TITLE, strong=True, after=2),
        _words(day, LARGE, colour="quiet", after=6),
        _words(
            _("Keep it on you, apart from the list. Hand it in or shred it after the shift."),
            colour="danger",
            after=8,
        ),
    ]
    heads = [_("User"), _("Address"), _("How to get in")]
    rows: list[list[Any]] = [[_words(head, SMALL, colour="quiet") for head in heads]]
    for line in lines:
        who = [
            _words(line.name, strong=True),
            _words(_("born {date}", date=line.born), SMALL, colour="quiet"),
        ]
        rows.append([who, _words(line.address), _words(line.secret, strong=True)])
    if not lines:
        story.append(_words(_("No key information for the users of this list.")))
    else:
        story.append(Table(rows, colWidths=[50 * mm, 58 * mm, 72 * mm], repeatRows=1, style=_rules()))
    return render(stamp, story)


def _group(day: str, group: VisitGroup) -> Iterator[Flowable]:
    yield _words(group.title, TITLE, strong=True, after=2)
    count = _.n("{n} visit", "{n} visits", len(group.visits))
    yield _words(
        " · ".join(part for part in (day, group.detail, count) if part), BODY, colour="quiet", after=8
    )
    if not group.visits:
        yield _words(_("No visits this day."))
    for visit in group.visits:
        yield KeepTogether([_block(visit)])


def _block(visit: VisitBlock) -> Table:
    table = Table(
        [[list(_when(visit)), list(_who(visit)), list(_what(visit))]],
        colWidths=[_TIME, _WHO, _WIDE - _TIME - _WHO],
    )
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEABOVE", (0, 0), (-1, 0), 0.5, LINE),
                ("LEFTPADDING", (0, 0), (0, 0), 0),
                ("LEFTPADDING", (1, 0), (-1, -1), 4),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), 4),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ]
        )
    )
    return table


def _when(visit: VisitBlock) -> Iterator[Flowable]:
    yield _words(visit.time, LARGE, strong=True)
    if visit.travel:
        yield _words(_("travel {minutes}", minutes=visit.travel), SMALL, colour="quiet")


def _who(visit: VisitBlock) -> Iterator[Flowable]:
    yield _words(visit.name, LARGE, strong=True)
    if visit.born:
        yield _words(_("born {date}", date=visit.born), SMALL, colour="quiet", after=1)
    for line in (visit.address, visit.phone and _("Phone {number}", number=visit.phone)):
        if line:
            yield _words(line)
    if visit.access:
        yield _words(_("Way in: {hint}", hint=visit.access))
    if visit.colleagues:
        yield _words(_("Together: {names}", names=visit.colleagues))
    if visit.marks:
        yield _words(visit.marks, strong=True)
    for warning in visit.warnings:
        yield _words(f"! {warning}", strong=True, colour="danger")


def _what(visit: VisitBlock) -> Iterator[Flowable]:
    for task in visit.tasks:
        yield Tick(task)
    if visit.comment:
        yield _words(visit.comment, colour="quiet")
    yield Spacer(0, 3)
    if visit.status:
        words = _("{status} (not sent yet)", status=visit.status) if visit.is_waiting else visit.status
        yield _words(words, strong=True)
    else:
        yield _words(_("Done at ______ – ______    Sign. __________"), SMALL, colour="quiet")


def _words(
    text: str, size: float = BODY, *, strong: bool = False, colour: str = "ink", after: float = 0
) -> Paragraph:
    return Paragraph(
        escape(text).replace("\n", "<br/>"), style(size, strong=strong, colour=colour, after=after)
    )


def _rules() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ]
    )
