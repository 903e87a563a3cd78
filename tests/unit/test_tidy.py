"""The house rules that a machine can read: sizes, docstrings, leftovers, reasons, links, what must not be in here.

Each rule is a function from one file to what is wrong with it.  Each is run over the whole project, and over an
invented file that breaks it.  Patterns are written so that they do not match themselves.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import PROGRAMS, ROOT, files

LINES_MAX = 300
FUNCTION_LINES_MAX = 45
TEXT = (".py", ".md", ".toml", ".sql", ".sh", ".yml", ".yaml", "")
MUST_EXIST = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "pyproject.toml", ".ci/run", "deploy/dev.py"),
    *("shared/README.md", "edge_node/README.md", "deploy/README.md", "tests/README.md"),
)
LEFTOVERS = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b|NotImplemented[E]rror|pytest\.mark\.(?:ski[p]|xfai[l])\b")
OF_A_MACHINE = re.compile(
    r"/(?:wor[k]|far[m]|roo[t])/|/tmp/[a-z0-9]\b|/home/[a-z]|py[p]i\.org|pythonhoste[d]|registry\.npm[j]s|deb\.debia[n]"
    r"|\bsub-?agent[s]?\b",
    re.IGNORECASE,
)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")


def too_long(file: Path, text: str) -> Iterator[str]:
    """Find files over the limit; what is generated or quoted whole has none."""
    quoted = file.parts[:2] == ("deploy", "requirements") or file.name in {"LICENSE", "CHANGELOG.md"}
    lines = text.count("\n")
    if file.suffix in TEXT and not quoted and lines > LINES_MAX:
        yield f"{file}: {lines} lines; at most {LINES_MAX}"


def long_function(file: Path, text: str) -> Iterator[str]:
    """Find functions over the limit."""
    for node in _nodes(file, text):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{file}:{node.lineno} {node.name}: {lines} lines; at most {FUNCTION_LINES_MAX}"


def silent_module(file: Path, text: str) -> Iterator[str]:
    """Find modules that do not say what they are in charge of; an empty one has nothing to say."""
    if file.suffix == ".py" and text.strip() and ast.get_docstring(ast.parse(text)) is None:
        yield f"{file}: no docstring"


def silent_name(file: Path, text: str) -> Iterator[str]:
    """Find public classes, functions and methods of the product and its tools without a docstring."""
    if file.suffix == ".py" and file.parts[0] in {*PROGRAMS, "deploy"}:
        yield from _silent(file, ast.parse(text))


def _silent(file: Path, scope: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Look at the names of one scope, and into its public classes."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None:
                yield f"{file}:{node.lineno} {node.name}: no docstring"
            if isinstance(node, ast.ClassDef):
                yield from _silent(file, node)


def broad_except(file: Path, text: str) -> Iterator[str]:
    """Find handlers that catch everything and give no reason on their line."""
    lines = text.splitlines()
    for node in _nodes(file, text):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            broad = any(kind is None or getattr(kind, "id", "") in {"Exception", "BaseException"} for kind in kinds)
            comment = re.sub(r"noqa: [A-Z0-9, ]+", "", lines[node.lineno - 1].partition("#")[2])
            if broad and len(comment.strip(" -")) < 12:
                yield f"{file}:{node.lineno} catches everything; say why in a comment on the line"


def leftover(file: Path, text: str) -> Iterator[str]:
    """Find words that mark unfinished work, and tests that are switched off."""
    yield from _matches(LEFTOVERS, file, text)


def of_a_machine(file: Path, text: str) -> Iterator[str]:
    """Find paths of one machine and hosts of package registries."""
    yield from _matches(OF_A_MACHINE, file, text)


def broken_link(file: Path, text: str) -> Iterator[str]:
    """Find relative links of Markdown pages that lead nowhere, or out of the project."""
    if file.suffix != ".md":
        return
    for target in LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)):
        path = target.partition("#")[0]
        if path and not re.match(r"[a-z]+:", target):
            place = (ROOT / file).parent.joinpath(path).resolve()
            if not place.is_relative_to(ROOT) or not place.exists():
                yield f"{file}: the link to {target} leads nowhere in the project"


def _nodes(file: Path, text: str) -> Iterator[ast.AST]:
    """Give all nodes of a Python file; nothing of another."""
    return ast.walk(ast.parse(text)) if file.suffix == ".py" else iter(())


def _matches(pattern: re.Pattern[str], file: Path, text: str) -> Iterator[str]:
    """Give each line that holds the pattern."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := pattern.search(line):
            yield f"{file}:{number} holds {found.group()!r}"


_F = "def f():\n    '''Do.'''\n"
BROKEN = {
    too_long: ("shared/a.py", "#\n" * (LINES_MAX + 1)),
    long_function: ("shared/a.py", "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
    silent_module: ("tests/a.py", "x = 1\n"),
    silent_name: ("shared/a.py", "class A:\n    '''Be.'''\n    def f(self): ...\n"),
    broad_except: ("deploy/a.py", "try:\n    f()\nexcept (ValueError, Exception):  # noqa: BLE001\n    pass\n"),
    leftover: ("README.md", "- TO" + "DO: the rest\n"),
    of_a_machine: ("README.md", "cd /wor" + "k/main\n"),
    broken_link: ("README.md", "See [the page](no/such/page.md).\n"),
}
SOUND = {
    too_long: ("shared/a.py", "#\n" * LINES_MAX),
    long_function: ("shared/a.py", "def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)),
    silent_module: ("tests/a.py", "'''Say.'''\nx = 1\n"),
    silent_name: ("shared/a.py", f"{_F}def _g(): ...\nclass _A:\n    def f(self): ...\n"),
    broad_except: (
        "deploy/a.py",
        "try:\n    f()\nexcept Exception:  # noqa: BLE001 - the lock is given back\n    pass\n",
    ),
    leftover: ("README.md", "All is done; nothing here is a hackney carriage.\n"),
    of_a_machine: ("README.md", "cd homeport; see /webhooks/whatsapp/{account} and /tmp\n"),
    broken_link: ("README.md", "See [here](tests/README.md#rules), [there](https://example.org/x), `[x](y)`.\n"),
}


def _texts() -> dict[Path, str]:
    """Give every text file of the project."""
    found = {}
    for file in files():
        if file.suffix in TEXT:
            found[file] = (ROOT / file).read_text(encoding="utf-8")
    return found


TEXTS = _texts()


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(rule):
    """No file of the project breaks the rule."""
    found = [line for file, text in TEXTS.items() for line in rule(file, text)]
    assert not found, "\n  ".join(["", *found])


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_the_rule_tells_right_from_wrong(rule):
    """A file that breaks the rule is found, one that keeps it just so is not."""
    broken, sound = BROKEN[rule], SOUND[rule]
    assert list(rule(Path(broken[0]), broken[1]))
    assert not list(rule(Path(sound[0]), sound[1]))


def test_what_a_newcomer_looks_for_is_there():
    """Each top folder, each channel and the project itself have their page."""
    channels = [folder for folder in (ROOT / "edge_node/channels").iterdir() if (folder / "__init__.py").exists()]
    wanted = [*MUST_EXIST, *(str((folder / "README.md").relative_to(ROOT)) for folder in channels)]
    assert channels
    assert [name for name in wanted if not (ROOT / name).is_file()] == []


def test_programs_that_are_started_by_name_can_be():
    """Files with a first line for the kernel are executable."""
    started = [file for file, text in TEXTS.items() if text.startswith("#!")]
    assert Path(".ci/run") in started
    assert [str(file) for file in started if not (ROOT / file).stat().st_mode & 0o111] == []


def test_third_party_data_stays_outside(shared_data):
    """No file of the data beside the checkout was copied into the project."""
    sizes: dict[int, list[Path]] = {}
    for file in shared_data.rglob("*"):
        if file.is_file() and file.stat().st_size > 64:
            sizes.setdefault(file.stat().st_size, []).append(file)
    alike = [(ROOT / ours, theirs) for ours in files() for theirs in sizes.get((ROOT / ours).stat().st_size, [])]
    copied = [str(ours.relative_to(ROOT)) for ours, theirs in alike if _digest(ours) == _digest(theirs)]
    assert copied == []


def _digest(file: Path) -> bytes:
    """Give the digest of a file."""
    return hashlib.sha256(file.read_bytes()).digest()
