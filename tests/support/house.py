"""The project's own files, read as data: what the tests of architecture and tidiness stand on.

Files are found by walking the folders, not by asking git: a file that nobody has added yet counts too.
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("shared", "edge_node", "control_plane")
"""Packages that are installed; ``tests`` and ``deploy`` are run from the checkout only."""

_NOT_OURS = {"var", "build", "dist", "__pycache__"}
_HIDDEN_BUT_OURS = {".ci", ".gitignore", ".gitattributes"}


def files(*suffixes: str) -> list[Path]:
    """Give all files of the project with one of ``suffixes`` (all files without one), relative to its root, sorted."""
    return sorted(file.relative_to(ROOT) for file in _walk(ROOT) if not suffixes or file.suffix in suffixes)


def _walk(folder: Path) -> Iterator[Path]:
    """Give every file below ``folder`` that is ours."""
    for entry in folder.iterdir():
        name = entry.name
        if name in _NOT_OURS or name.endswith(".egg-info") or (name.startswith(".") and name not in _HIDDEN_BUT_OURS):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry


@functools.cache
def sources(*tops: str) -> dict[str, str]:
    """Give module name to source text for every Python file in the folders ``tops``."""
    found = [file for file in files(".py") if file.parts[0] in tops]
    return {module_name(file): (ROOT / file).read_text(encoding="utf-8") for file in found}


def module_name(file: Path) -> str:
    """Give the dotted name by which ``file`` (relative to the root) is imported."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(name: str, places: tuple[str, ...]) -> bool:
    """Say whether the dotted ``name`` is one of ``places`` or lies below one."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


@functools.cache
def uses(module: str, text: str) -> list[tuple[int, str]]:
    """Give (line, dotted name) for everything of the outside that a module's source names.

    Imports count, those under ``TYPE_CHECKING`` too, and attributes of what was imported, whatever it was renamed to:
    after ``from datetime import datetime as moment``, ``moment.now()`` is ``datetime.datetime.now``.  Three things that
    need no import have names of their own: ``<async def>``, ``<open>``, and ``<loop.time>`` for ``anything.time()``.
    """
    tree = ast.parse(text)
    known: dict[str, str] = {}
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for local, full in _imported(node, module):
                known[local] = full
                found.append((node.lineno, full))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            base, path = _chain(node)
            if base in known:
                found.append((node.lineno, ".".join((known[base], *path))))
        elif isinstance(node, ast.AsyncFunctionDef):
            found.append((node.lineno, "<async def>"))
        elif isinstance(node, ast.Call) and (name := _bare_call(node)):
            found.append((node.lineno, name))
    return sorted(set(found))


def _imported(node: ast.Import | ast.ImportFrom, module: str) -> Iterator[tuple[str, str]]:
    """Give (local name, full name) for each name an import brings."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            local = alias.asname or alias.name.partition(".")[0]
            yield local, alias.name if alias.asname else local
            yield alias.name, alias.name
        return
    above = module.split(".")[: -node.level] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    for alias in node.names:
        yield alias.asname or alias.name, f"{base}.{alias.name}"


def _chain(node: ast.Attribute) -> tuple[str, tuple[str, ...]]:
    """Give the name at the root of ``a.b.c`` and the attributes after it; the root is empty where it is no name."""
    path: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        path.append(inner.attr)
        inner = inner.value
    return (inner.id if isinstance(inner, ast.Name) else ""), tuple(reversed(path))


def _bare_call(node: ast.Call) -> str:
    """Give the made-up name of a call that reaches outside without an import, or nothing."""
    called = node.func
    if isinstance(called, ast.Name) and called.id in {"open", "__import__", "input", "print"}:
        return f"<{called.id}>"
    if isinstance(called, ast.Attribute) and called.attr == "time" and not (node.args or node.keywords):
        return "<loop.time>"
    return ""
