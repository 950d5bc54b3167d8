"""Finds modules, checks what they declare, hands out their callables at first use, and lets them go.

    found ──▶ checked ──▶ allowed ──▶ active (at first use)
      └──────────┴───────────┴──▶ broken (shown, with the reason; stops no other)
    any ──▶ off: texts, callables and what was imported are withdrawn

Nothing of a module is imported before a person first uses it.
"""

from __future__ import annotations

import ast
import importlib
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from clinician import texts
from clinician.errors import ClinicianError, Refused
from clinician.modulekit.manifest import Manifest, parse
from clinician.texts import Text

L = texts.lazy("modulekit")
_log: Final = logging.getLogger(__name__)
GROUP: Final = "clinician.modules"
_OWN: Final = "clinician"


class ModuleState(StrEnum):
    """How far a module has come."""

    FOUND = "found"
    CHECKED = "checked"
    ACTIVE = "active"
    OFF = "off"
    BROKEN = "broken"


@dataclass(slots=True)
class Entry:
    """One module. manifest is None when it could not be read; problem says why it does not work."""

    id: str
    package: str
    distribution: str
    state: ModuleState = ModuleState.FOUND
    manifest: Manifest | None = None
    problem: Text | None = None
    folder: Path | None = None
    resolved: dict[str, Any] = field(default_factory=dict)
    clashes: bool = False
    """Broken only because another module has its key; whole again when that one is off"""


class Registry:
    """Every module of this installation. `off` are the ids a person has switched off.

    on_switched: told the module, its manifest (None when it went off) and every id that is off now.
    """

    def __init__(
        self,
        *,
        group: str = GROUP,
        off: Iterable[str] = (),
        allow: Callable[[Manifest], bool] = lambda manifest: True,
        on_switched: Callable[[str, Manifest | None, frozenset[str]], None] = lambda name, manifest, off: (
            None
        ),
    ) -> None:
        self._group = group
        self._off = set(off)
        self._allow = allow
        self._on_switched = on_switched
        self._entries: dict[str, Entry] = {}

    # finding and checking ---------------------------------------------------------------------

    def discover(self) -> tuple[Entry, ...]:
        """Find and check every module anew; those already active stay as they are."""
        importlib.invalidate_caches()
        found = self._points()
        for gone in [name for name in self._entries if name not in found]:
            self._withdraw(self._entries.pop(gone))
        for name, point in found.items():
            if name not in self._entries:
                self._entries[name] = self._look_at(point)
        self._check_shortcuts()
        return self.entries()

    def _points(self) -> dict[str, EntryPoint]:
        """Entry points by name. Of two by the same name the built-in one stays, else the first by origin."""
        found: dict[str, EntryPoint] = {}
        order = sorted(entry_points(group=self._group), key=lambda p: (_origin(p) != _OWN, _origin(p)))
        for point in order:
            if found.setdefault(point.name, point).value != point.value:
                _log.warning("module %s of %s is passed over: the name is taken", point.name, _origin(point))
        return dict(sorted(found.items()))

    def _look_at(self, point: EntryPoint) -> Entry:
        entry = Entry(point.name, point.value, _origin(point))
        if point.name in self._off:
            entry.state = ModuleState.OFF
        try:
            self._check(entry)
        except ClinicianError as problem:
            self._break(entry, problem.text)
        except Exception as fault:  # noqa: BLE001  a stranger's fault must not stop the others
            _log.warning("module %s: %s", entry.id, type(fault).__name__)
            self._break(entry, L("The module could not be read ({kind}).", kind=type(fault).__name__))
        return entry

    def _check(self, entry: Entry) -> None:
        spec = find_spec(entry.package)
        if spec is None or not spec.submodule_search_locations:
            raise Refused(L("The package {name} is not installed.", name=entry.package))
        entry.folder = Path(next(iter(spec.submodule_search_locations)))
        source = entry.folder / "manifest.toml"
        if not source.exists():
            raise Refused(L("The module has no manifest.toml."))
        manifest = parse(source.read_text("utf-8"))
        if manifest.id != entry.id:
            raise Refused(
                L(
                    "The module calls itself {found}, but is installed as {name}.",
                    found=manifest.id,
                    name=entry.id,
                )
            )
        for where, dotted in manifest.callables():
            if not _is_there(entry, dotted):
                raise Refused(L("{where} names {dotted}, which is not there.", where=where, dotted=dotted))
        for layout in manifest.layouts:
            if not (entry.folder / layout.file).is_file():
                raise Refused(L("The layout file {name} is not there.", name=layout.file))
        entry.manifest = manifest
        if entry.state is not ModuleState.OFF:
            self._take_in(entry)

    def _take_in(self, entry: Entry) -> None:
        locale = entry.folder / "locale" if entry.folder is not None else None
        if entry.manifest is not None and locale is not None and locale.is_dir():
            texts.register(entry.manifest.domain, locale)
        entry.state = ModuleState.CHECKED

    def _check_shortcuts(self) -> None:
        """Two modules may not take the same key everywhere; keys of a row live in its own list."""
        taken: dict[str, str] = {}
        for entry in sorted(self._entries.values(), key=lambda e: (e.distribution != _OWN, e.id)):
            if entry.clashes:
                entry.clashes, entry.problem, entry.state = False, None, ModuleState.CHECKED
            if entry.manifest is None or entry.state in (ModuleState.OFF, ModuleState.BROKEN):
                continue
            keys = [a.shortcut for a in entry.manifest.actions if a.shortcut and "row" not in a.places]
            clash = next((key for key in keys if key in taken), None)
            if clash is not None:
                other = taken[clash]
                self._break(entry, L("The key {key} is taken by {other} already.", key=clash, other=other))
                entry.clashes = True
                continue
            taken.update(dict.fromkeys(keys, entry.id))

    def _break(self, entry: Entry, reason: Text) -> None:
        entry.state, entry.problem = ModuleState.BROKEN, reason

    # what the shell and the workstation ask ---------------------------------------------------

    def entries(self) -> tuple[Entry, ...]:
        """Every module, broken and switched-off ones too, by id."""
        return tuple(self._entries[name] for name in sorted(self._entries))

    def entry(self, module_id: str) -> Entry | None:
        """One module."""
        return self._entries.get(module_id)

    def manifests(self) -> tuple[Manifest, ...]:
        """Of every module that is on, whole and allowed here."""
        return tuple(self._usable())

    def _usable(self) -> Iterator[Manifest]:
        for entry in self.entries():
            if entry.manifest is None or entry.state not in (ModuleState.CHECKED, ModuleState.ACTIVE):
                continue
            if self._allow(entry.manifest):
                yield entry.manifest

    def resolve(self, module_id: str, dotted: str) -> Any:
        """The callable 'package.module:name', imported at first use. Raises Refused with the reason."""
        entry = self._entries.get(module_id)
        if entry is None or entry.manifest not in self.manifests():
            raise Refused(L("The module {name} is not in use.", name=module_id))
        if dotted not in entry.resolved:
            entry.resolved[dotted] = self._import(entry, dotted)
            entry.state = ModuleState.ACTIVE
        return entry.resolved[dotted]

    def _import(self, entry: Entry, dotted: str) -> Any:
        where, _, name = dotted.partition(":")
        try:
            return getattr(importlib.import_module(where), name)
        except Exception as fault:
            _log.warning("module %s: %s at first use", entry.id, type(fault).__name__)
            reason = L("The module failed when it was first used ({kind}).", kind=type(fault).__name__)
            self._withdraw(entry)
            self._break(entry, reason)
            raise Refused(reason, detail=f"{entry.id}: {type(fault).__name__}") from fault

    # switching --------------------------------------------------------------------------------

    def switch(self, module_id: str, on: bool) -> None:
        """Off withdraws everything; on checks anew. Raises Refused with the reason when it is broken."""
        entry = self._entries.get(module_id)
        if entry is None:
            raise Refused(L("The module {name} is not installed.", name=module_id))
        if not on:
            self._off.add(module_id)
            self._withdraw(entry)
            entry.state, entry.problem, entry.clashes = ModuleState.OFF, None, False
            self._check_shortcuts()
            self._on_switched(module_id, None, frozenset(self._off))
            return
        self._off.discard(module_id)
        point = self._points().get(module_id)
        if point is None:
            raise Refused(L("The module {name} is not installed.", name=module_id))
        self._entries[module_id] = entry = self._look_at(point)
        self._check_shortcuts()
        self._on_switched(module_id, entry.manifest, frozenset(self._off))
        problem = self._entries[module_id].problem
        if problem is not None:
            raise Refused(problem)

    def _withdraw(self, entry: Entry) -> None:
        entry.resolved.clear()
        if entry.manifest is not None:
            texts.unregister(entry.manifest.domain)
        inner = f"{entry.package}."
        for name in [name for name in sys.modules if name == entry.package or name.startswith(inner)]:
            del sys.modules[name]
        parent, _, child = entry.package.rpartition(".")
        if parent in sys.modules and hasattr(sys.modules[parent], child):
            delattr(sys.modules[parent], child)


def _is_there(entry: Entry, dotted: str) -> bool:
    """Whether the source of a dotted callable defines the name, read without importing it."""
    where, _, name = dotted.partition(":")
    if where != entry.package and not where.startswith(f"{entry.package}."):
        return False
    assert entry.folder is not None
    inner = entry.folder.joinpath(*where.removeprefix(entry.package).strip(".").split("."))
    source = inner.with_suffix(".py") if inner.with_suffix(".py").exists() else inner / "__init__.py"
    return source.exists() and name in _defined(source, source.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _defined(source: Path, _changed: int) -> frozenset[str]:
    """What a source file defines; a module names several callables of one file, and it is parsed once."""
    return frozenset(_names(ast.parse(source.read_text("utf-8"))))


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else ""


def _names(tree: ast.Module | ast.If | ast.Try) -> set[str]:
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.If | ast.Try):
            found |= _names(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return found
