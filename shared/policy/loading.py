"""Reads a bundle's files from a folder: the only page of this package that touches files."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from shared.errors.policy import PolicyCircular, PolicyUnreadable, PolicyUnsound
from shared.policy.assembling import Assembled, assemble
from shared.policy.model import BundleFile, File
from shared.policy.problems import Problem, Where
from shared.policy.reading import line_of, read
from shared.policy.sound import soundness

FILE_BYTES_MAX = 4 * 1024 * 1024
"""A policy file is some kilobytes."""
FILES_MAX = 1_000


class Loaded(msgspec.Struct, frozen=True):
    """What a folder says: the bundle's page and the policy together, and all that is wrong."""

    made: Assembled | None
    problems: tuple[Problem, ...]
    texts: Mapping[str, str]
    """By file: its text, for finding lines."""

    def lined(self, problems: Iterable[Problem]) -> list[Problem]:
        """Find the lines of problems."""
        return [_lined(self.texts, each) for each in problems]

    def sound(self) -> Assembled:
        """Give what was assembled; raise the named error of the first thing that is wrong."""
        first = next((each for each in self.problems if each.weight == "error"), None)
        if first is None and self.made is not None:
            return self.made
        if first is None:
            raise PolicyUnreadable(reason="nothing was read")
        kind = _ERRORS.get(first.code, PolicyUnsound)
        count = sum(each.weight == "error" for each in self.problems)
        raise kind(first=str(first), errors=count)


_ERRORS = {
    "circular": PolicyCircular,
    "included_twice": PolicyCircular,
    "kind_missing": PolicyUnreadable,
    "key_missing": PolicyUnreadable,
    "key_unknown": PolicyUnreadable,
    "no_file": PolicyUnreadable,
    "no_toml": PolicyUnreadable,
    "value_wrong": PolicyUnreadable,
}


def load(path: Path) -> Loaded:
    """Read a bundle: its folder, or its ``bundle.toml``.  Nothing is raised; what is wrong is told, with lines."""
    top = path / "bundle.toml" if path.is_dir() else path
    folder = _Folder(top.parent)
    folder.take(top.name, ())
    if folder.problems or folder.bundle is None:
        if not folder.problems:
            what = "is no bundle.toml."
            folder.problems.append(Problem("no_file", Where(top.name), what, 'Begin with the file of kind = "bundle".'))
        return Loaded(None, tuple(folder.problems), folder.texts)
    made, problems = assemble(folder.bundle, folder.files)
    problems += soundness(made)
    return Loaded(made, tuple(_lined(folder.texts, each) for each in problems), folder.texts)


def _lined(texts: Mapping[str, str], problem: Problem) -> Problem:
    """Find the line of a problem."""
    where = problem.where
    text = texts.get(where.file)
    if text is None or problem.line is not None or not where.entry:
        return problem
    entry = where.entry.rpartition(".")[2] if where.table != "override" else where.entry
    return msgspec.structs.replace(problem, line=line_of(text, where.table, entry, where.key))


class _Folder:
    """Reads files that include each other."""

    def __init__(self, root: Path) -> None:
        """Take the folder that holds ``bundle.toml``: nothing outside it is read."""
        self._root = root
        self.texts: dict[str, str] = {}
        self.bundle: BundleFile | None = None
        self.files: list[tuple[str, File]] = []
        self.problems: list[Problem] = []

    def take(self, name: str, above: tuple[str, ...]) -> None:
        """Read a file and what it includes; ``above`` is the way that led to it."""
        if name in above:
            what = f"is included by way of itself: {' > '.join((*above[above.index(name) :], name))}."
            self._wrong("circular", above[-1], what, name)
        elif name in self.texts:
            what = f"includes {name}, which is included already. Each file once."
            self._wrong("included_twice", above[-1] if above else name, what, name)
        elif len(self.texts) >= FILES_MAX:
            self._wrong("no_file", name, f"is one file too many; at most {FILES_MAX}.")
        else:
            content = self._read(name, above[-1] if above else None)
            if content is not None:
                for each in self._included(name, getattr(content, "includes", ())):
                    self.take(each, (*above, name))

    def _read(self, name: str, by: str | None) -> File | None:
        """Read one file, included ``by`` another one; ``None`` where it cannot be."""
        try:
            with (self._root / name).open("rb") as file:
                data = file.read(FILE_BYTES_MAX + 1)
            text = data.decode()
        except FileNotFoundError:
            if by is None:
                self._wrong("no_file", name, f"is not there; a folder of policies begins with it ({self._root}).")
            else:
                self._wrong("no_file", by, f"includes {name}, which is not there.", name)
            return None
        except (OSError, UnicodeDecodeError):
            self._wrong("no_file", name, "cannot be read: a file of UTF-8 text is wanted.")
            return None
        if len(data) > FILE_BYTES_MAX:
            self._wrong("no_file", name, "is larger than a policy file can be.")
            return None
        self.texts[name] = text
        content = read(name, text)
        if isinstance(content, Problem):
            self.problems.append(content)
            return None
        if isinstance(content, BundleFile) and self.bundle is None:
            self.bundle = content
        else:
            self.files.append((name, content))
        return content

    def _included(self, by: str, patterns: tuple[str, ...]) -> Iterator[str]:
        """Give the files that patterns name, relative to the file that has them; none outside the folder."""
        base = PurePosixPath(by).parent
        for pattern in patterns:
            wanted = PurePosixPath(pattern)
            if wanted.is_absolute() or ".." in wanted.parts or "**" in wanted.parts or wanted.suffix != ".toml":
                what = f'includes "{pattern}".'
                self._wrong("no_file", by, what + " Wants .toml files below it, such as rules/*.toml.")
                continue
            whole = base / wanted
            if "*" not in whole.name:
                yield str(whole)
                continue
            found = sorted(each.name for each in (self._root / whole.parent).glob(whole.name))
            if not found:
                self._wrong("no_file", by, f'includes "{pattern}", which matches no file.')
            yield from (str(whole.parent / each) for each in found)

    def _wrong(self, code: str, file: str, what: str, included: str = "") -> None:
        """Note a problem of a file as a whole, or of the line by which it includes another."""
        line = None
        if included:
            name = PurePosixPath(included).name
            lines = list(enumerate(self.texts[file].splitlines(), 1))
            named = (at for at, text in lines if f'{name}"' in text)
            line = next(named, next((at for at, text in lines if text.lstrip().startswith("includes")), None))
        self.problems.append(Problem(code, Where(file), what, line=line))
