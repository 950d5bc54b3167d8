"""How this person likes the window: language, theme, density, text size; kept in the settings."""

from __future__ import annotations

import logging
from typing import Any

from clinician import texts
from clinician.errors import UserProblem
from ui.widgets import theme

_log = logging.getLogger(__name__)
IDLE_S = 120
DEFAULTS = {"language": "nb", "theme": "light", "density": "normal", "text_scale": 100, "workplace": ""}


class Face:
    """Reads and remembers; a value it does not know is passed over for the default."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def read(self, name: str) -> Any:
        """One value: 'language', 'theme', 'density', 'text_scale' or 'workplace'."""
        found = self._settings.get(f"ui.{name}", DEFAULTS[name])
        return found if _known(name, found) else DEFAULTS[name]

    def remember(self, **values: Any) -> UserProblem | None:
        """Keep values for the next time; the problem when one is locked or cannot be written."""
        try:
            for name, value in values.items():
                if self._settings.get(f"ui.{name}", None) != value:
                    self._settings.set(f"ui.{name}", value)
        except UserProblem as problem:
            return problem
        except OSError as error:
            _log.warning("a setting was not kept: %s", type(error).__name__)
        return None

    def of_person(self, practitioner_ref: str) -> None:
        """Read and keep for this person from now on; '' for nobody."""
        self._settings.of_user(practitioner_ref.rpartition("/")[2])

    def of_module(self, module_id: str) -> dict[str, Any]:
        """The settings of a module by their own ids; {} when there are none."""
        return dict(self._settings.of_module(module_id))

    def idle_seconds(self) -> int:
        """After how long without input the privacy cover goes on (NEEDS §3: two minutes)."""
        found = self._settings.get("ui.idle_seconds", IDLE_S)
        return found if isinstance(found, int) and 10 <= found <= 3600 else IDLE_S

    def put_on(self) -> None:
        """Dress the application as remembered."""
        texts.set_language(self.read("language"))
        theme.apply(
            theme.Theme(str(self.read("theme")), str(self.read("density")), int(self.read("text_scale")))
        )


def _known(name: str, value: Any) -> bool:
    if name == "workplace":
        return isinstance(value, str)
    known: tuple[Any, ...] = {
        "language": texts.LANGUAGES,
        "theme": theme.THEMES,
        "density": theme.DENSITIES,
        "text_scale": theme.TEXT_SCALES,
    }[name]
    return value in known
