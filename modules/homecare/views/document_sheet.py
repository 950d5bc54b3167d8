"""One document beside the list: a picture or a text as it is, anything else as a copy to save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy
from typing_extensions import override

from clinician import texts
from clinician.modulekit.context import ModuleContext
from clinician.queries.documents import DocumentRow
from ui.widgets.buttons import Button
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Pane, Scrolled
from ui.widgets.words import Words

if TYPE_CHECKING:
    from clinician.modulekit.context import Content

_ = texts.translator("homecare")
L = texts.lazy("homecare")
SIDE: Final = 1600
"""Pixels a picture is brought down to while it is read: what a large screen shows of it."""
MOST_PIXELS: Final = 120_000_000
"""A picture that says it is larger is not decoded (a bomb of a few bytes may say so)."""
_LONGEST: Final = 200_000


class Picture(QLabel):
    """A picture as large as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("homecare.documents.picture")
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self._image: QImage | None = None

    def show_image(self, image: QImage | None) -> None:
        """Show it; None shows nothing."""
        self._image = image
        self._fit()

    def _fit(self) -> None:
        if self._image is None or self._image.isNull():
            self.clear()
            return
        room = QSize(max(1, self.width()), max(160, self.height()))
        smooth = Qt.TransformationMode.SmoothTransformation
        fitted = self._image.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        self.setPixmap(QPixmap.fromImage(fitted))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(160, 160)


class DocumentSheet(Pane):
    """Title, where its content is, the content, and a way to save a copy."""

    copied = Signal()
    withdrawn = Signal()

    def __init__(self, ctx: ModuleContext) -> None:
        super().__init__(L("Document"))
        self.setObjectName("homecare.documents.sheet")
        self._ctx = ctx
        self._content: Content | None = None
        self._title = Label("", size=15, weight=600, wrap=True)
        self._about = Label("", size=12, tone="ink_quiet", wrap=True)
        self._state = StateLabel("circle", "", "ink_quiet", wrap=True)
        self._help = Label("", wrap=True)
        self.picture = Picture()
        self.text = Label("", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words = Scrolled(self.text)
        self.copy = Button(
            L("Save a copy …"),
            "homecare.documents.copy",
            icon="floppy-disk",
            hint=L("S · outside the record"),
        )
        self.copy.clicked.connect(self.save_copy)
        self.withdraw = Button(
            L("Withdraw …"),
            "homecare.documents.withdraw",
            kind="quiet",
            hint=L("R · it stays in the list as such"),
        )
        self.withdraw.clicked.connect(self.withdrawn)
        ways = QHBoxLayout()
        ways.addWidget(self.copy)
        ways.addWidget(self.withdraw)
        ways.addStretch(1)
        for part in (self._title, self._about, self._state, self._help):
            self.body.addWidget(part)
        self.body.addWidget(self.picture, 1)
        self.body.addWidget(self._words, 1)
        self.body.addLayout(ways)
        self.body.addStretch(0)
        self.clear()

    @property
    def has_content(self) -> bool:
        """Whether the content is here, shown or ready to be copied."""
        return self._content is not None

    def clear(self) -> None:
        """Nothing of anybody stays on the screen."""
        self._content = None
        self.picture.show_image(None)
        self.text.set_words("")
        for part in (self.picture, self._words, self.copy):
            part.hide()
        self._title.set_words("")
        self.hide()

    def show_row(self, row: DocumentRow) -> None:
        """What is known of it."""
        from modules.homecare.views.documents import face

        self._title.set_words(row.title)
        told = (row.kind_text, row.when_text, row.author, row.size_text, row.about_text)
        self._about.set_words(" · ".join(part for part in told if part))
        icon, role = face(row)
        self._state.set_state(icon, row.place_text, role)
        self._help.set_words(row.help_text)
        self._help.setVisible(bool(row.help_text))
        self.withdraw.setVisible(not row.is_withdrawn)
        self.show()

    def show_problem(self, words: Words) -> None:
        """It cannot be shown."""
        self._help.set_words(words)
        self._help.show()

    def show_content(self, content: Content) -> None:
        """Show it, by what its bytes are; a picture is decoded off the window's thread."""
        assert content.content is not None
        self._content = content
        self.copy.show()
        held = content.content
        if not content.showable:
            self.show_problem(
                L("This kind is not opened inside the program. Save a copy to open it in another one.")
            )
        elif content.content_type.startswith("image/"):
            self._ctx.jobs.run(lambda _progress: decoded(held), lambda image: self._on_image(content, image))
        else:
            self.text.set_words(held[:_LONGEST].decode("utf-8", "replace"))
            self._words.show()

    def _on_image(self, content: Content, image: QImage) -> None:
        if content is not self._content:
            return
        if image.isNull():
            self.show_problem(L("This picture cannot be read. Save a copy and try another program."))
            return
        self.picture.setAccessibleName(_("Picture: {title}", title=content.title))
        self.picture.show()
        self.picture.show_image(image)

    def save_copy(self) -> None:
        """A copy where the person keeps documents, with a word of warning."""
        content = self._content
        if content is None or content.content is None:
            return
        title = content.title or _("Document")
        if self._ctx.places.save_file(f"{title}{content.ending}", content.content) is not None:
            self.copied.emit()


def decoded(content: bytes, most_pixels: int = MOST_PIXELS) -> QImage:
    """The picture, turned as it was taken and brought down to SIDE; null when it does not read."""
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > most_pixels:
        return QImage()
    if max(size.width(), size.height()) > SIDE:
        reader.setScaledSize(size.scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
