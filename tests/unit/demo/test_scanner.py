"""The byte scan finds every encoding, and a scan that misses one is found out by its own controls."""

import base64

import pytest

from deploy.demo import scanner
from deploy.demo.scanner import missed, needles, scan, write_controls

WORDS = [
    "Quittengelee mit Rosmarin",
    "Rück/wärts@Haus",
    "梅干し 春🌸",
    'say "hi" \\ bye',
    "🗝️🫖🧿",
    "999170055512",
    "1\n2\t3\x7f4",
]
PATTERNS = scanner._patterns


def test_each_word_is_found_in_each_control_as_what_it_is(tmp_path):
    assert write_controls(tmp_path, WORDS) == 16
    assert missed(tmp_path, WORDS) == []


def _of(*encodings):
    """Keep a scanner from looking for some encodings."""
    return lambda word: (each for each in PATTERNS(word) if each[0] not in encodings)


BROKEN = {
    "plain": _of("plain", "json"),
    "utf-16-le": _of("utf-16-le"),
    "utf-16-be": _of("utf-16-be"),
    "json": _of("json"),
    "hex": _of("hex"),
    "base64": _of("base64"),
    "hex.upper": lambda word: (each for each in PATTERNS(word) if each[1] != word.encode().hex().upper().encode()),
    "json.upper": lambda word: (each for each in PATTERNS(word) if b"\\u00FC" not in each[1]),
    "json.ascii.meta": lambda word: (each for each in PATTERNS(word) if b"\\u0040" not in each[1]),
    "base64.0": lambda word: (e for e in PATTERNS(word) if e[1] != base64.b64encode(word.encode())[: len(e[1])]),
    "base64.1.url": lambda word: (each for each in PATTERNS(word) if b"-" not in each[1] or each[0] != "base64"),
}


@pytest.mark.parametrize("encoding", BROKEN)
def test_a_scanner_that_misses_an_encoding_is_found_out(tmp_path, monkeypatch, encoding):
    words = [*WORDS, "~~~???~~~???"]
    write_controls(tmp_path, words)
    assert missed(tmp_path, words) == []
    monkeypatch.setattr(scanner, "_patterns", BROKEN[encoding])
    assert any(line.startswith(encoding) for line in missed(tmp_path, words))


@pytest.mark.parametrize("alignment", range(3))
def test_base64_is_found_whatever_stands_around_the_word(tmp_path, alignment):
    for after in range(3):
        data = base64.b64encode(b"\xff" * (30 + alignment) + WORDS[2].encode() + b"\xfe" * after)
        (tmp_path / f"around-{after}").write_bytes(data)
    assert {hit.place for hit in scan(tmp_path, WORDS).hits} == {"around-0", "around-1", "around-2"}


def test_a_word_across_the_pieces_in_which_a_file_is_read_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(scanner, "_PIECE_BYTES", 64)
    for before in range(130):
        (tmp_path / f"{before:03d}").write_bytes(b"-" * before + WORDS[0].encode() + b"-" * 7)
    found = [hit.place for hit in scan(tmp_path, WORDS).hits]
    assert found == [f"{before:03d}" for before in range(130)]


def test_names_of_files_and_folders_are_looked_at(tmp_path):
    (tmp_path / WORDS[5] / "inner").mkdir(parents=True)
    assert {hit.place for hit in scan(tmp_path, WORDS).hits} == {f"name of {WORDS[5]}", f"name of {WORDS[5]}/inner"}


def test_a_word_too_short_to_be_told_from_chance_is_refused():
    with pytest.raises(ValueError, match="too short"):
        needles(["short"])


def test_words_that_base64_does_not_tell_apart_are_both_named(tmp_path):
    words = ["Quittengelee 1", "Quittengelee 2"]
    (tmp_path / "one").write_bytes(base64.b64encode(words[0].encode() + b"\xff"))
    assert [hit.word for hit in scan(tmp_path, words).hits] == words


def test_nothing_is_found_where_nothing_is(tmp_path):
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 4_000)
    found = scan(tmp_path, WORDS, [b"nothing"])
    assert (found.hits, found.files, found.size) == ([], 1, 256 * 4_000)
