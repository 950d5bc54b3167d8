"""The window's own keys. While it is covered or nobody is signed in, none reaches what lies beneath."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence, QShortcut

if TYPE_CHECKING:
    from ui.shell.window import Shell


class Chords:
    """Lays the keys on a shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._keys: list[QShortcut] = []
        for keys, call in (
            ("Ctrl+K", shell.search.begin),
            ("Ctrl+L", shell.lock),
            ("Ctrl+,", partial(shell.go, "page:settings")),
            ("Alt+0", partial(shell.go, "page:outbox")),
            ("Ctrl+Z", shell.desk.writes.undo_last),
            ("F1", shell.show_keys),
            ("F6", partial(shell.step_pane, 1)),
            ("Shift+F6", partial(shell.step_pane, -1)),
            ("F8", shell.desk.messages.act),
        ):
            self._lay(keys, call)
        for number in range(1, 10):
            self._lay(f"Alt+{number}", partial(shell.go_number, number))
            self._lay(f"Ctrl+{number}", partial(shell.go_page, number))

    def _lay(self, keys: str, call: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(keys), self._shell)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(lambda: call() if self._shell.is_open else None)
        self._keys.append(shortcut)
