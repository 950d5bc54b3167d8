"""Keeps the gettext catalogues: `python -m installer.catalogues update|check|compile [DOMAIN…]`.

update: extract every text, add what is new to nb, nn and en, drop what is gone.
check: exit 1 and list what lacks a translation. compile: write the .mo beside each .po.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from clinician.texts import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "resources" / "locale"
KEYWORDS: dict[str, Any] = {"_": None, "L": None, "n": (1, 2), "c": ((1, "c"), 2)}
MANIFEST_TEXTS = ("title", "summary", "confirm", "hint", "label")


def domains() -> dict[str, tuple[Path, ...]]:
    """Domain → the source files it owns. A package of the engine is a domain of its own."""
    found: dict[str, tuple[Path, ...]] = {"core": tuple(sorted((ROOT / "clinician").glob("*.py")))}
    for package in sorted((ROOT / "clinician").iterdir()):
        if (package / "__init__.py").exists():
            found[package.name] = tuple(sorted(package.rglob("*.py")))
    found["ui"] = tuple(sorted((ROOT / "ui").rglob("*.py")))
    for module in sorted((ROOT / "modules").iterdir()):
        if (module / "__init__.py").exists():
            manifest = tuple(path for path in [module / "manifest.toml"] if path.exists())
            found[module.name] = tuple(sorted(module.rglob("*.py"))) + manifest
    return found


def _manifest_texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in MANIFEST_TEXTS and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _manifest_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _manifest_texts(inner)


def template(files: tuple[Path, ...]) -> Catalog:
    """Every text of a domain, without places (they would change with each edit)."""
    catalog = Catalog(charset="utf-8")
    for path in files:
        if path.suffix == ".toml":
            for text in _manifest_texts(tomllib.loads(path.read_text("utf-8"))):
                catalog.add(text)
            continue
        for _line, message, _comments, context in extract_from_file("python", path, KEYWORDS):
            if isinstance(message, tuple) and not all(message):
                continue
            catalog.add(message, context=context)
    return catalog


def po_path(lang: str, domain: str) -> Path:
    """Where a catalogue lies."""
    return LOCALE / lang / f"{domain}.po"


def _read(path: Path, lang: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=lang, charset="utf-8")
    with path.open("rb") as source:
        return read_po(source, locale=lang)


def _identity(message: Any) -> Any:
    return message.id if isinstance(message.id, str) else tuple(message.id)


def update(names: list[str]) -> None:
    """Bring the catalogues of `names` up to the sources, keeping every translation."""
    for domain, files in domains().items():
        if names and domain not in names:
            continue
        wanted = template(files)
        if not any(message.id for message in wanted):
            continue
        for lang in LANGUAGES:
            path = po_path(lang, domain)
            old = _read(path, lang)
            new = Catalog(locale=lang, charset="utf-8", header_comment="# Clinician", fuzzy=False)
            for message in sorted((m for m in wanted if m.id), key=lambda m: (str(m.id), m.context or "")):
                had = old.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
                kept = had.string if had is not None else ""
                if lang == "en":
                    kept = _identity(message)
                elif isinstance(message.id, tuple | list) and not isinstance(kept, tuple | list):
                    kept = ("", "")
                new.add(message.id, kept, context=message.context)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as out:
                write_po(out, new, width=0, omit_header=False, sort_output=False)
            text = path.read_text("utf-8").splitlines(keepends=True)
            keep = [
                t
                for t in text
                if not t.startswith(
                    (
                        '"POT-Creation',
                        '"PO-Revision',
                        '"Last-Translator',
                        '"Generated-By',
                        '"Report-Msgid',
                        '"Project-Id',
                    )
                )
            ]
            path.write_text("".join(keep), "utf-8")


def missing() -> list[str]:
    """'lang domain: text' for each text without a translation."""
    gaps: list[str] = []
    for domain, files in domains().items():
        wanted = template(files)
        for lang in LANGUAGES:
            have = _read(po_path(lang, domain), lang)
            for message in wanted:
                if not message.id:
                    continue
                found = have.get(
                    message.id if isinstance(message.id, str) else message.id[0], message.context
                )
                strings = (
                    (found.string if isinstance(found.string, tuple | list) else (found.string,))
                    if found
                    else ("",)
                )
                if not all(strings):
                    gaps.append(f"{lang} {domain}: {message.id!r}")
    return gaps


def compile_all() -> None:
    """Write the .mo files the program reads at run time."""
    for path in sorted(LOCALE.glob("*/*.po")):
        with path.open("rb") as source:
            catalog = read_po(source, locale=path.parent.name)
        with path.with_suffix(".mo").open("wb") as out:
            write_mo(out, catalog)


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code."""
    match arguments:
        case ["update", *names]:
            update(names)
        case ["compile"]:
            compile_all()
        case ["check"]:
            gaps = missing()
            for gap in gaps:
                print(gap)
            return 1 if gaps else 0
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
