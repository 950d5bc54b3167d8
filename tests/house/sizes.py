"""Prints file and function sizes: `python -m tests.house.sizes`."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    files: list[tuple[int, str]] = []
    functions: list[tuple[int, str]] = []
    for tree in ("clinician", "ui", "modules", "installer"):
        for path in sorted((ROOT / tree).rglob("*.py")):
            text = path.read_text("utf-8")
            name = str(path.relative_to(ROOT))
            if text.strip():
                files.append((len(text.splitlines()), name))
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    lines = (node.end_lineno or node.lineno) - node.lineno + 1
                    functions.append((lines, f"{name}:{node.name}"))
    print(f"files {len(files)}, median {statistics.median(n for n, _ in files):.0f} lines")
    print(f"functions {len(functions)}, median {statistics.median(n for n, _ in functions):.0f} lines")
    for title, rows in (("longest files", files), ("longest functions", functions)):
        print(title)
        for lines, name in sorted(rows, reverse=True)[:10]:
            print(f"  {lines:5d}  {name}")


if __name__ == "__main__":
    main()
