"""A byte scan for planted words, in every encoding in which they could have slipped out (DESIGN rule 4).

Plain UTF-8, UTF-16 of both orders, JSON-escaped as any of the programs concerned does it, hexadecimal, and base64 at
its three alignments, in both alphabets.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

_ALIGNMENTS = range(3)
_NEEDLE_BYTES_MIN = 6
_PIECE_BYTES = 1 << 18
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")


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


def needles(words: Iterable[str]) -> dict[bytes, dict[str, str]]:
    """Give every byte pattern to look for, with the words that it may stand for and the encoding of each.

    Raises ``ValueError`` for a word so short that it would be found by chance: it must not be left out in silence.
    """
    found: dict[bytes, dict[str, str]] = {}
    for word in sorted(words):
        for encoding, pattern in _patterns(word):
            if len(pattern) < _NEEDLE_BYTES_MIN:
                raise ValueError(f"too short to look for: {word!r} as {encoding}")
            found.setdefault(pattern, {}).setdefault(word, encoding)
    return found


def _patterns(word: str) -> Iterator[tuple[str, bytes]]:
    """Give the patterns of one word."""
    plain = word.encode()
    yield "plain", plain
    yield "utf-16-le", word.encode("utf-16-le")
    yield "utf-16-be", word.encode("utf-16-be")
    for escaped in _escapes(word):
        yield "json", escaped.encode()
    yield "hex", plain.hex().encode()
    yield "hex", plain.hex().upper().encode()
    for before in _ALIGNMENTS:
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            yield "base64", _base64_core(alphabet(bytes(before) + plain), before, len(plain))


def _escapes(word: str) -> Iterator[str]:
    """Write a word as JSON does: ASCII only, only what must be escaped, or what LINE escapes; as Meta does, too."""
    ascii_only = json.dumps(word)[1:-1]
    as_it_is = json.dumps(word, ensure_ascii=False)[1:-1]
    beyond_bmp = _BEYOND_BMP.sub(lambda match: json.dumps(match[0])[1:-1], as_it_is)
    for escaped in (ascii_only, _upper_escapes(ascii_only), as_it_is, beyond_bmp, _upper_escapes(beyond_bmp)):
        yield escaped
        yield escaped.replace("/", "\\/")
        yield escaped.replace("/", "\\/").replace("@", "\\u0040")


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
    beginnings = {pattern[:_NEEDLE_BYTES_MIN] for pattern in patterns}
    hits: list[Hit] = []

    def look(place: str, data: bytes) -> None:
        """Look for every pattern that may be in some bytes."""
        begun = _occurring(beginnings, data)
        for pattern, meant in patterns.items() if begun else ():
            if pattern[:_NEEDLE_BYTES_MIN] in begun and pattern in data:
                hits.extend(Hit(place, encoding, word) for word, encoding in meant.items())

    files = size = 0
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        look(f"name of {name}", name.encode())
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            files, size = files + 1, size + len(data)
            look(name, data)
    for said in spoken:
        look("an answer", said)
    return Scan(files, size, len(patterns), hits)


def _occurring(beginnings: set[bytes], data: bytes) -> set[bytes]:
    """Give the beginnings of patterns that occur in some bytes; of many patterns few do, and one pass tells which."""
    found: set[bytes] = set()
    for start in range(0, len(data), _PIECE_BYTES):
        piece = data[start : start + _PIECE_BYTES + _NEEDLE_BYTES_MIN - 1]
        found |= beginnings & {piece[place : place + _NEEDLE_BYTES_MIN] for place in range(len(piece))}
    return found


def files_with(folder: Path, data: bytes) -> list[str]:
    """Name the files below ``folder`` that hold exactly these bytes."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [str(path.relative_to(folder)) for path in paths if data in path.read_bytes()]


def write_controls(folder: Path, words: Iterable[str]) -> int:
    """Write each word in each encoding, one file for each way, so that a scanner that misses one shows itself.

    Every word stands between others, encoded here by whole files, not by the patterns above.  A file's name begins with
    the encoding; gives how many files there are.
    """
    listed = sorted(words)
    plain = "\x07".join(["", *listed, ""])
    (folder / "plain").write_bytes(plain.encode())
    for encoding in ("utf-16-le", "utf-16-be"):
        (folder / encoding).write_bytes(plain.encode(encoding))
    for name, text in (("ascii", json.dumps(listed)), ("utf-8", json.dumps(listed, ensure_ascii=False))):
        (folder / f"json.{name}").write_bytes(text.encode())
        meta = text.replace("/", "\\/").replace("@", "\\u0040")
        (folder / f"json.{name}.meta").write_bytes(meta.encode())
    upper = re.sub(r"(?<!\\)((?:\\\\)*)\\u([0-9a-f]{4})", lambda m: f"{m[1]}\\u{m[2].upper()}", json.dumps(listed))
    (folder / "json.upper").write_bytes(upper.encode())
    (folder / "hex.lower").write_bytes(plain.encode().hex().encode())
    (folder / "hex.upper").write_bytes(plain.encode().hex().upper().encode())
    for before in _ALIGNMENTS:
        lines = [base64.b64encode(b"-" * before + word.encode() + b"--") for word in listed]
        (folder / f"base64.{before}").write_bytes(b"\n".join(lines))
        (folder / f"base64.{before}.url").write_bytes(b"\n".join(line.translate(_URL_SAFE) for line in lines))
    return len(list(folder.iterdir()))


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def missed(folder: Path, words: Iterable[str]) -> list[str]:
    """Name each control file and word that the scan does not find there as what it is; empty where it is sound."""
    wanted = set(words)
    found = {(hit.place, hit.word, hit.encoding) for hit in scan(folder, wanted).hits}
    return [
        f"{path.name}: {word}"
        for path in sorted(folder.iterdir())
        for word in sorted(wanted)
        if not any((path.name, word, encoding) in found for encoding in _named(path.name))
    ]


def _named(control: str) -> tuple[str, ...]:
    """Give the encodings that a control file may be found as; in JSON most words stand plain."""
    encoding = control.partition(".")[0]
    return ("json", "plain") if encoding == "json" else (encoding,)
