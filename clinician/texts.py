"""Texts in three languages: gettext catalogues, switchable while the program runs.

A room owns one gettext domain. Source strings are English; `resources/locale/<lang>/<domain>.po`
(or the locale folder of a module's own distribution) hold nb, nn and en. A `.mo` beside the `.po`
is used when it is newer, otherwise the catalogue is compiled in memory.

    _ = texts.translator("homecare")
    _("Visit done")                            -> str, now
    _("{count} waiting", count=3)              -> str with parameters
    _.n("{n} visit", "{n} visits", count)      -> plural; {n} is filled in
    _.c("noun", "plan")                        -> with a context (first argument)
    L = texts.lazy("homecare"); L("Visit done")  -> Text, translated when shown
"""

from __future__ import annotations

import gettext
import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("nb", "nn", "en")
DEFAULT_LANGUAGE: Final = "nb"
_LOCALE_ROOT: Final = Path(__file__).resolve().parent.parent / "resources" / "locale"

_lock = threading.Lock()
_state = {"language": DEFAULT_LANGUAGE}
_folders: dict[str, Path] = {}
_loaded: dict[tuple[str, str], gettext.NullTranslations] = {}


def language() -> str:
    """The language in force: nb, nn or en."""
    return _state["language"]


def set_language(code: str) -> None:
    """Switch the language of the whole program. Unknown codes raise ValueError."""
    if code not in LANGUAGES:
        raise ValueError(f"unknown language {code!r}")
    _state["language"] = code


def register(domain: str, folder: Path) -> None:
    """Tell where a module outside this distribution keeps `<lang>/<domain>.po`."""
    with _lock:
        _folders[domain] = folder
        for key in [key for key in _loaded if key[1] == domain]:
            del _loaded[key]


def unregister(domain: str) -> None:
    """Forget a module's catalogues when it is switched off."""
    with _lock:
        _folders.pop(domain, None)
        for key in [key for key in _loaded if key[1] == domain]:
            del _loaded[key]


def _compile(po: Path, lang: str) -> gettext.NullTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with po.open("rb") as source:
        catalog = read_po(source, locale=lang)
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    buffer.seek(0)
    return gettext.GNUTranslations(buffer)


def _load(lang: str, domain: str) -> gettext.NullTranslations:
    folder = _folders.get(domain, _LOCALE_ROOT) / lang
    po, mo = folder / f"{domain}.po", folder / f"{domain}.mo"
    if mo.exists() and (not po.exists() or mo.stat().st_mtime >= po.stat().st_mtime):
        with mo.open("rb") as compiled:
            return gettext.GNUTranslations(compiled)
    if po.exists():
        return _compile(po, lang)
    return gettext.NullTranslations()


def catalogue(domain: str, lang: str | None = None) -> gettext.NullTranslations:
    """The catalogue of a domain in a language (the one in force by default)."""
    key = (lang or language(), domain)
    found = _loaded.get(key)
    if found is None:
        with _lock:
            found = _loaded.setdefault(key, _load(*key))
    return found


def _fill(template: str, params: Mapping[str, object], lang: str | None = None) -> str:
    if not params:
        return template
    shown = {k: v.render(lang) if isinstance(v, Text | Joined) else str(v) for k, v in params.items()}
    return template.format_map(shown)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is translated when shown; safe to keep, log by `msgid`, and compare."""

    domain: str
    msgid: str
    params: Mapping[str, object] = field(default_factory=dict, hash=False)
    context: str = ""

    def render(self, lang: str | None = None) -> str:
        """The text in `lang`, by default the language in force."""
        found = catalogue(self.domain, lang)
        translated = found.pgettext(self.context, self.msgid) if self.context else found.gettext(self.msgid)
        return _fill(translated, self.params, lang)

    def __str__(self) -> str:
        return self.render()


@dataclass(frozen=True, slots=True)
class Joined:
    """Several texts as one parameter of another, translated when shown."""

    parts: tuple[Text | str, ...]
    mark: str = "; "

    def render(self, lang: str | None = None) -> str:
        """The parts in `lang`, with the mark between."""
        return self.mark.join(part.render(lang) if isinstance(part, Text) else part for part in self.parts)

    def __str__(self) -> str:
        return self.render()


@dataclass(frozen=True, slots=True)
class Translator:
    """Translates the strings of one domain into the language in force."""

    domain: str

    def __call__(self, msgid: str, /, **params: object) -> str:
        return _fill(catalogue(self.domain).gettext(msgid), params)

    def n(self, one: str, many: str, count: int, /, **params: object) -> str:
        """The plural form for `count`; the placeholder {n} holds the count."""
        template = catalogue(self.domain).ngettext(one, many, count)
        return _fill(template, {"n": count, **params})

    def c(self, context: str, msgid: str, /, **params: object) -> str:
        """A text whose English is ambiguous, told apart by `context`."""
        return _fill(catalogue(self.domain).pgettext(context, msgid), params)


def translator(domain: str) -> Translator:
    """The function `_` of a room."""
    return Translator(domain)


class Lazy:
    """Makes Text values of one domain."""

    __slots__ = ("domain",)

    def __init__(self, domain: str) -> None:
        self.domain = domain

    def __call__(self, msgid: str, /, **params: object) -> Text:
        return Text(self.domain, msgid, params)


def lazy(domain: str) -> Lazy:
    """The function `L` of a room."""
    return Lazy(domain)
