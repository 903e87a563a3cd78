"""One policy file: from TOML text to its struct, or what is wrong with it: line, field, what would be right."""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec

from shared.policy.model import File
from shared.policy.problems import Problem, Where
from shared.policy.shapes import keys_at, near, words_at

_PATH = re.compile(r"\.?([A-Za-z_-]+)(?:\[(\d+)\])?")
_PATTERNS = (
    ("[a-z0-9]+)*$", "wants a name: a-z first, then a-z 0-9 and single - or _, at most 64"),
    ("hour|day|business", 'wants a span such as "30 days", or a parameter such as "TH.access_limit"'),
    ("[12][0-9]", "wants a date such as 2026-01-26, or a moment with its offset: 2026-07-01T00:00:00+07:00"),
    ("(?:hours?|days?)", 'wants a span such as "7 days" or "12 hours"'),
    ("{1,3}[a-z]?", "wants a handle: 2 to 8 letters, then one to three numbers of at most three digits: gdpr-17-3-b"),
    ("+[1-9][0-9]{0,2}$", "wants a country code such as +44"),
    ("^(?:none|", 'wants an ISO 3166 code such as TH or US-CA, or "none"'),
    ("^[A-Z]{2}", "wants an ISO 3166 code: TH, US-CA"),
)
_KINDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number with a fraction",
    "int": "a whole number",
    "null": "nothing",
    "object": "a table",
    "str": "text",
}


def read(file: str, text: str) -> File | Problem:
    """Read a file's text; ``file`` is how it is called in what is said of it."""
    try:
        raw = _strings(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        what = str(error).partition(" (at ")[0]
        return Problem("no_toml", Where(file), f"is no TOML: {what}.", line=int(found[1]) if found else None)
    if "kind" not in raw:
        kinds = "bundle, vocabulary, jurisdiction, platform, instruments, rules, cases or overrides"
        return Problem("kind_missing", Where(file), "does not say its kind.", f'wants kind = "...": {kinds}.', line=1)
    try:
        made: File = msgspec.convert(raw, File)
    except msgspec.ValidationError as error:
        return _problem(file, text, raw, str(error))
    return made


def line_of(text: str, table: str, entry: str, key: str = "") -> int | None:
    """Find the line of a named entry's key (else of the entry) in a file's text; ``None`` where it is not found."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if re.match(rf'\s*(?:id|name|code)\s*=\s*"{re.escape(entry)}"', line) and _table_before(lines, at, table):
            return (_key_after(lines, at, key) if key else None) or at + 1
    return None


def _table_before(lines: list[str], at: int, table: str) -> bool:
    """Say whether the nearest table heading before a line is that of ``table``."""
    for line in reversed(lines[:at]):
        heading = re.match(r"\s*\[\[?([a-z_.]+)\]\]?", line)
        if heading:
            return heading[1] == table
    return table in {"", "jurisdiction"}


def _key_after(lines: list[str], at: int, key: str) -> int | None:
    """Find the line of a key from an entry's line on, before the next entry; its own sub-tables count."""
    head, _, last = key.rpartition(".")
    for number, line in enumerate(lines[at:], at + 1):
        if number > at + 1 and re.match(r"\s*\[\[[a-z_]+\]\]", line):
            return None
        if re.match(rf"\s*(?:{re.escape(last)}\s*=|\[+[a-z_]+\.{re.escape(last)}\]+)", line):
            return number
    return _key_after(lines, at, head) if head else None


def _strings(value: Any) -> Any:
    """Write TOML's dates and moments as the strings that the model holds."""
    match value:
        case dict():
            return {key: _strings(each) for key, each in value.items()}
        case list():
            return [_strings(each) for each in value]
        case dt.datetime() | dt.date():
            return value.isoformat()
        case _:
            return value


def _problem(file: str, text: str, raw: dict[str, Any], message: str) -> Problem:
    """Turn a decoder's message into a problem; the value itself is not repeated."""
    what, _, path = message.partition(" - at `$")
    steps = [(name, int(index) if index else None) for name, index in _PATH.findall(path.rstrip("`"))]
    unknown = re.search(r"unknown field `([^`]*)`", what)
    missing = re.search(r"required field `([^`]*)`", what)
    field = (unknown or missing or ("", ""))[1]
    table, entry, key = _named(raw, steps)
    where = Where(file, table, entry, ".".join(part for part in (key, field) if part))
    line = _line_of_path(text, steps, field if unknown else "")
    if unknown:
        wants = near(field, keys_at(raw, steps)) or "Remove it, or mend its spelling."
        return Problem("key_unknown", where, f"has an unknown key {field}.", wants, line=line)
    if missing:
        return Problem("key_missing", where, f"lacks the key {field}.", line=line)
    return Problem("value_wrong", where, _wants(what, words_at(raw, steps)), line=line)


def _wants(what: str, words: list[str]) -> str:
    """Say what a value should be, without regular expressions; ``words`` are those to choose from, if there are any."""
    if words and ("enum value" in what or "Invalid value" in what):
        found = re.search(r"'([^']*)'", what)
        given = found[1] if found else "what stands there"
        return f"{given} is no word for this. {near(given, words)}"
    expected = re.fullmatch(r"Expected `([a-z |]+)`, got `([a-z]+)`", what)
    if expected:
        wanted = " or ".join(_KINDS[each] for each in expected[1].split(" | ") if each != "null")
        return f"wants {wanted}, and is {_KINDS[expected[2]]}."
    for part, wanted in _PATTERNS:
        if "regex" in what and part in what:
            return f"{wanted}."
    if "length >= 1" in what:
        return 'is empty. An empty list means nothing: name what is meant, or write "any" where that is allowed.'
    if "Invalid enum value" in what:
        return f"{what}: shared/policy/LANGUAGE.md lists what may stand here."
    return f"{what.replace('`', '')}."


def _named(raw: dict[str, Any], steps: list[tuple[str, int | None]]) -> tuple[str, str, str]:
    """Give table, entry and key of a path; an entry is called by its own name, else by its number."""
    if not steps:
        return "", "", ""
    table, index = steps[0]
    if index is None:
        return "", "", ".".join(name for name, _ in steps)
    listed = raw.get(table)
    entry = listed[index] if isinstance(listed, list) and index < len(listed) else None
    name = next((entry[key] for key in ("id", "name") if key in entry), None) if isinstance(entry, dict) else None
    key = ".".join(name for name, _ in steps[1:])
    return table, name if isinstance(name, str) else f"number {index + 1}", key


def _line_of_path(text: str, steps: list[tuple[str, int | None]], field: str) -> int | None:
    """Find the line of a path: the n-th heading of its table, then the key, as far as headings tell."""
    names = [name for name, _ in steps] + ([field] if field else [])
    lines = text.splitlines()
    start = 0
    if not steps and field:
        pattern = rf"\s*(?:{re.escape(field)}\s*=|\[+{re.escape(field)}\]+)"
        return next((at for at, line in enumerate(lines, 1) if re.match(pattern, line)), None)
    if steps and steps[0][1] is not None:
        headings = list(_headings(lines, steps[0][0]))
        if steps[0][1] >= len(headings):
            return None
        start = headings[steps[0][1]]
        names = names[1:]
    found = _key_after(lines, start, ".".join(names)) if names else None
    return found or (start + 1 if start or steps else None)


def _headings(lines: list[str], table: str) -> Iterator[int]:
    """Give the indices of the lines that begin an entry of a table."""
    for at, line in enumerate(lines):
        if re.match(rf"\s*\[\[{re.escape(table)}\]\]", line):
            yield at
