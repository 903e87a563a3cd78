"""A byte scan for planted words, in every encoding in which they could have slipped out (DESIGN rule 4).

Plain UTF-8, UTF-16 of both orders, JSON-escaped, hexadecimal, and base64 at its three alignments, in both alphabets.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

_ALIGNMENTS = range(3)
_NEEDLE_BYTES_MIN = 6


class Hit(msgspec.Struct, frozen=True):
    """A planted word that was found: where, and in which encoding."""

    place: str
    encoding: str
    word: str


class Scan(msgspec.Struct, frozen=True):
    """What a scan saw: files, their bytes, patterns looked for, and what was found."""

    files: int
    size: int
    needles: int
    hits: list[Hit]


def needles(words: Iterable[str]) -> dict[bytes, tuple[str, str]]:
    """Give every byte pattern to look for, with its word and encoding."""
    found: dict[bytes, tuple[str, str]] = {}
    for word in sorted(words):
        for encoding, pattern in _patterns(word):
            if len(pattern) >= _NEEDLE_BYTES_MIN:
                found.setdefault(pattern, (word, encoding))
    return found


def _patterns(word: str) -> Iterator[tuple[str, bytes]]:
    """Give the patterns of one word."""
    plain = word.encode()
    yield "plain", plain
    yield "utf-16-le", word.encode("utf-16-le")
    yield "utf-16-be", word.encode("utf-16-be")
    lower = json.dumps(word)[1:-1]
    for escaped in (lower, _upper_escapes(lower)):
        yield "json", escaped.encode()
        yield "json", escaped.replace("/", "\\/").replace("@", "\\u0040").encode()
    yield "hex", plain.hex().encode()
    yield "hex", plain.hex().upper().encode()
    for before in _ALIGNMENTS:
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            yield "base64", _base64_core(alphabet(bytes(before) + plain), before, len(plain))


def _base64_core(encoded: bytes, before: int, length: int) -> bytes:
    """Give the characters that depend on the word alone, whatever stands before and after it."""
    first = (before * 8 + 5) // 6
    return encoded[first : (before + length) * 8 // 6]


def _upper_escapes(escaped: str) -> str:
    r"""Write the digits of every ``\u00e4`` in upper case."""
    head, *rest = escaped.split("\\u")
    return head + "".join("\\u" + part[:4].upper() + part[4:] for part in rest)


def scan(folder: Path, words: Iterable[str], spoken: Iterable[bytes] = ()) -> Scan:
    """Look for ``words`` in every file below ``folder``, in the files' names, and in ``spoken``."""
    patterns = needles(words)
    hits: list[Hit] = []
    files = size = 0
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        hits += _look(f"name of {name}", name.encode(), patterns)
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            files, size = files + 1, size + len(data)
            hits += _look(name, data, patterns)
    for said in spoken:
        hits += _look("an answer", said, patterns)
    return Scan(files, size, len(patterns), hits)


def _look(place: str, data: bytes, patterns: dict[bytes, tuple[str, str]]) -> list[Hit]:
    """Look for every pattern in some bytes."""
    return [Hit(place, encoding, word) for pattern, (word, encoding) in patterns.items() if pattern in data]


def files_with(folder: Path, data: bytes) -> list[str]:
    """Name the files below ``folder`` that hold exactly these bytes."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [str(path.relative_to(folder)) for path in paths if data in path.read_bytes()]


def write_controls(folder: Path, words: Iterable[str]) -> int:
    """Write each word in each encoding, one file for each way, so that a scanner that misses one shows itself.

    Every word stands between others, encoded here by whole files, not by the patterns above.  Gives how many files.
    """
    listed = sorted(words)
    plain = "\x07".join(["", *listed, ""])
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        (folder / encoding).write_bytes(plain.encode(encoding))
    (folder / "json").write_bytes(json.dumps({"words": listed}).encode())
    (folder / "hex").write_bytes(plain.encode().hex().encode())
    for before in _ALIGNMENTS:
        lines = [base64.b64encode(b"-" * before + word.encode() + b"--") for word in listed]
        (folder / f"base64-{before}").write_bytes(b"\n".join(lines))
        (folder / f"base64url-{before}").write_bytes(b"\n".join(line.translate(_URL_SAFE) for line in lines))
    return len(list(folder.iterdir()))


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def missed(folder: Path, words: Iterable[str]) -> list[str]:
    """Name each control file and word that the scan does not find there; empty where the scanner is sound.

    A word too short for a pattern in some encoding cannot be found there and is left out.
    """
    wanted = set(words)
    found = {(hit.place, hit.word) for hit in scan(folder, wanted).hits}
    return [
        f"{path.name}: {word}"
        for path in sorted(folder.iterdir())
        for word in sorted(wanted)
        if (path.name, word) not in found
    ]
