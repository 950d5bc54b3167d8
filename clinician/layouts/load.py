"""Layout files: read, publish, take back. A file with a mistake is told and the level beneath stands."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clinician import texts
from clinician.durable import NO_ROOM, write_whole
from clinician.errors import DiskFull, UserProblem
from clinician.layouts.check import parse, publishing_problems
from clinician.layouts.layout import Layer, Layout, ListColumn
from clinician.layouts.merge import merge
from clinician.texts import Joined

L = texts.lazy("layouts")
_log: Final = logging.getLogger(__name__)
_SHARED: Final = 0o666
SHIPPED: Final = Path(__file__).resolve().parent.parent.parent / "resources" / "layouts"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose layout it is: ids that name the files of the upper levels ('' leaves a level out)."""

    workplace_id: str = ""
    role: str = ""
    user_id: str = ""

    def files(self, folder: Path) -> Mapping[str, Path]:
        """Level → the file that may hold it."""
        found = {"municipality": folder / "municipality.toml"}
        if self.workplace_id:
            found["workplace"] = folder / f"workplace-{self.workplace_id}.toml"
        if self.role:
            found["role"] = folder / f"role-{self.role}.toml"
        if self.user_id:
            found["user"] = folder / f"user-{self.user_id}.toml"
        return found


@dataclass(frozen=True, slots=True)
class Loaded:
    """The layout that holds, and what could not be read."""

    layout: Layout
    problems: tuple[UserProblem, ...]


def load(
    folder: Path,
    place: Place,
    *,
    views: Iterable[str],
    columns: Iterable[ListColumn] = (),
    shipped: Iterable[Path] | None = None,
) -> Loaded:
    """The layout of a place. folder: <data folder>/layouts. shipped: files that come with the program and
    with modules, later ones over earlier; by default those in resources/layouts.
    """
    problems: list[UserProblem] = []
    layers: dict[str, Layer] = {}
    bottom = [
        _read(file, problems) for file in (shipped if shipped is not None else sorted(SHIPPED.glob("*.toml")))
    ]
    layers["shipped"] = _joined([layer for layer in bottom if layer is not None])
    for level, file in place.files(folder).items():
        layer = _read(file, problems) if file.exists() else None
        if layer is not None:
            layers[level] = layer
    return Loaded(merge(layers, views=views, columns=columns), tuple(problems))


def _joined(layers: list[Layer]) -> Layer:
    pages = {module: panes for layer in layers for module, panes in layer.pages.items()}
    lists = {view: columns for layer in layers for view, columns in layer.lists.items()}
    return Layer("shipped", "", pages, lists)


def _read(file: Path, problems: list[UserProblem]) -> Layer | None:
    try:
        return parse(file.read_text("utf-8"))
    except UserProblem as fault:
        why = fault.text
    except (OSError, UnicodeDecodeError):
        why = L("it cannot be read")
    _log.warning("layout file %s is passed over", file.name)
    problems.append(
        UserProblem(
            L(
                "The layout file {name} has a mistake and is passed over: {why}. The layout beneath it is "
                "used and the file is kept.",
                name=file.name,
                why=why,
            ),
            field=file.stem,
            detail=file.name,
        )
    )
    return None


def publish(file: Path, text: str, *, views: Iterable[str], columns: Iterable[ListColumn] = ()) -> Layer:
    """Put a superuser's layout in force; the one before is kept for `take_back`.

    Raises UserProblem when it has a fault, names what is not installed, or leaves out a safety column;
    then nothing was changed.
    """
    layer = parse(text)
    found = publishing_problems(layer, views, columns)
    if found:
        raise UserProblem(
            L(
                "The layout is not published: {why}. The one in force stands.",
                why=Joined(found),
            ),
            detail=f"{len(found)} faults",
        )
    before = file.with_suffix(".previous")
    with _room():
        write_whole(before, file.read_bytes() if file.exists() else b"", mode=_SHARED)
        write_whole(file, text.encode("utf-8"), mode=_SHARED)
    return layer


def take_back(file: Path) -> None:
    """The layout before the last one published is in force again; '' before means none. Once only."""
    before = file.with_suffix(".previous")
    if not before.exists():
        raise UserProblem(L("There is no earlier layout to go back to."))
    body = before.read_bytes()
    with _room():
        if body:
            write_whole(file, body, mode=_SHARED)
        else:
            file.unlink(missing_ok=True)
        before.unlink()


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno not in NO_ROOM:
            raise
        raise DiskFull(
            L(
                "The disk of this PC is full, so the layout is not changed; the one in force stands. Make "
                "room on the disk and try again."
            ),
            detail="layout",
        ) from problem
