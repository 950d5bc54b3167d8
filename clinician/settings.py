"""Settings in four levels: machine < municipality < workplace < user. A key locked below cannot be set above.

    # <folder>/settings/machine.toml
    locked = ["ui.language"]
    [values]
    "ui.language" = "nn"

A file with a mistake is passed over with a message; the other levels and the defaults stand, and the
file is kept as it is. A user's level is the person signed in at this PC.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from clinician import texts
from clinician.durable import write_whole
from clinician.errors import DiskFull, UserProblem

L = texts.lazy("core")
_log: Final = logging.getLogger(__name__)
LEVELS: Final = ("machine", "municipality", "workplace", "user")
Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Declared:
    """What a setting may hold. kind: text, number, yes_no, choice. level: the nearest that may set it."""

    key: str
    kind: str
    default: Value
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    level: str = "user"

    def fits(self, value: object) -> bool:
        """Whether a value may stand for it."""
        if self.kind == "yes_no":
            return isinstance(value, bool)
        if self.kind == "number":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return is_number and self._within(float(value))  # type: ignore[arg-type] # as just asked
        return isinstance(value, str) and (self.kind != "choice" or value in self.choices)

    def _within(self, value: float) -> bool:
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


@dataclass(slots=True)
class _Level:
    values: dict[str, Value] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()


class Settings:
    """Read with `get`; `set` writes the user's level. `problems` holds what could not be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user = ""
        self._levels: dict[str, _Level] = {}
        self.problems: list[UserProblem] = []
        self.defaults: dict[str, Value] = {}
        """What holds where no level says anything; the workstation puts this PC's own facts here."""
        self._declared: dict[str, Declared] = {}
        for level in LEVELS[:-1]:
            self._levels[level] = self._read(folder / f"{level}.toml")
        self._levels["user"] = self._read(folder / "user.toml")

    @classmethod
    def load(cls, folder: Path) -> Settings:
        """The settings of a data folder."""
        return cls(folder / "settings")

    def declare(self, declared: Declared) -> None:
        """Say what a key may hold: its default holds from now on, and a value that does not fit is passed
        over for the level beneath, with a message in `problems`.
        """
        self._declared[declared.key] = declared
        for level in LEVELS:
            value = self._levels[level].values.get(declared.key)
            if value is not None and not declared.fits(value):
                self.problems.append(
                    UserProblem(
                        L(
                            "The setting {key} has a value that does not fit and is passed over; what stood "
                            "beneath it holds.",
                            key=declared.key,
                        ),
                        field=declared.key,
                        detail=level,
                    )
                )

    def withdraw(self, module_id: str) -> None:
        """Forget what a module declared, when it is switched off."""
        for key in [key for key in self._declared if key.startswith(f"{module_id}.")]:
            del self._declared[key]

    def _counts(self, key: str, level: str, value: Value) -> bool:
        declared = self._declared.get(key)
        if declared is None:
            return True
        return declared.fits(value) and LEVELS.index(level) <= LEVELS.index(declared.level)

    def of_user(self, user_id: str) -> None:
        """Read and write the level of this person from now on; '' is the level of nobody signed in."""
        self._user = user_id
        self._levels["user"] = self._read(self._user_file())

    def _user_file(self) -> Path:
        return self._folder / (f"user-{self._user}.toml" if self._user else "user.toml")

    def _read(self, file: Path) -> _Level:
        try:
            raw = tomllib.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            return _Level()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
            self._pass_over(file, str(fault) if isinstance(fault, tomllib.TOMLDecodeError) else "")
            return _Level()
        values, locked = raw.get("values", {}), raw.get("locked", [])
        plain = isinstance(values, dict) and all(
            isinstance(value, str | int | float | bool) for value in values.values()
        )
        if not plain or not isinstance(locked, list) or set(raw) - {"values", "locked"}:
            self._pass_over(file, "")
            return _Level()
        return _Level(values, frozenset(str(key) for key in locked))

    def _pass_over(self, file: Path, why: str) -> None:
        _log.warning("settings file %s is passed over", file.name)
        self.problems.append(
            UserProblem(
                L(
                    "The settings file {name} has a mistake and is passed over; the defaults stand and the "
                    "file is kept. {why}",
                    name=file.name,
                    why=why,
                ),
                field=file.stem,
            )
        )

    def get(self, key: str, default: Any = None) -> Any:
        """The value that holds: the highest level that has the key, but never above a lock."""
        declared = self._declared.get(key)
        found = self.defaults.get(key, declared.default if declared is not None else default)
        for level in LEVELS:
            part = self._levels[level]
            if key in part.values and self._counts(key, level, part.values[key]):
                found = part.values[key]
            if key in part.locked:
                return found
        return found

    def is_locked(self, key: str) -> bool:
        """Whether a level below the user's has locked the key."""
        return any(key in self._levels[level].locked for level in LEVELS[:-1])

    def set(self, key: str, value: Value) -> None:
        """Keep a value for this person. Raises UserProblem when the key is locked or the value
        unfit, DiskFull when it cannot be written; then the old one stands.
        """
        declared = self._declared.get(key)
        if self.is_locked(key) or (declared is not None and declared.level != "user"):
            raise UserProblem(L("This setting is decided by the workplace or the municipality."), field=key)
        if declared is not None and not declared.fits(value):
            raise UserProblem(L("This value does not fit the setting. The old one stands."), field=key)
        level = self._levels["user"]
        wanted = _Level(level.values | {key: value}, level.locked)
        self._write(_toml(wanted).encode("utf-8"))
        self._levels["user"] = wanted

    def _write(self, content: bytes) -> None:
        try:
            write_whole(self._user_file(), content, mode=0o666)
        except OSError as problem:
            raise DiskFull(
                L(
                    "The setting could not be written to the disk of this PC, so the old one stands. Nothing "
                    "else is touched. Make room on the disk and try again."
                ),
                detail=type(problem).__name__,
            ) from problem

    def of_module(self, module_id: str) -> Mapping[str, Any]:
        """Every value of a module by its own ids ('homecare.late_after' → 'late_after')."""
        prefix = f"{module_id}."
        keys = {key for part in self._levels.values() for key in part.values if key.startswith(prefix)}
        keys |= {key for key in self._declared if key.startswith(prefix)}
        return {key.removeprefix(prefix): self.get(key) for key in sorted(keys)}


def _toml(level: _Level) -> str:
    lines = [f"locked = [{', '.join(_quoted(key) for key in sorted(level.locked))}]", "", "[values]"]
    lines += [f"{_quoted(key)} = {_literal(value)}" for key, value in sorted(level.values.items())]
    return "\n".join(lines) + "\n"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    plain = "".join(
        letter if letter.isprintable() or ord(letter) > 0x9F else f"\\U{ord(letter):08X}"
        for letter in escaped
    )
    return f'"{plain}"'
