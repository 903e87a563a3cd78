"""Statements, written once and sent to either engine.

A statement is written with ``:name`` parameters in the portable SQL that ``README.md`` describes.  This module
finds the parameters (never inside strings, quoted names, comments or ``::`` casts), says what kind of statement
it is, and writes it the way each engine wants it.  Everything here is a pure function of the text, and cached.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from shared.database.contract import Parameters, StatementInvalid, Value

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<cast>::)
    |:(?P<name>[A-Za-z_]\w*)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<space>\s+)
    |(?P<other>[0-9.]+|.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_MAIN = frozenset({"SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"})
_QUERY = frozenset({"SELECT", "VALUES", "PRAGMA", "SHOW", "EXPLAIN"})
_SCHEMA = frozenset({"CREATE", "ALTER", "DROP"})
_CHANGE = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE"})
_POSTGRES_TYPE = {"INTEGER": "BIGINT", "BLOB": "BYTEA", "REAL": "DOUBLE PRECISION"}
_CACHED = 2048

Token = tuple[str, str]
"""Kind and text; the text of a ``name`` is without its colon, so that joining needs :func:`_written`."""


class Statement(msgspec.Struct, frozen=True):
    """What a statement is: ``names`` of its parameters in order of first appearance, and its form for SQLite."""

    names: tuple[str, ...]
    verb: str
    returns: bool
    changes: bool
    sqlite: str

    @property
    def many(self) -> bool:
        """Whether the SQLite driver can run it for many rows in one call and count what changed."""
        return self.changes and not self.returns and self.sqlite.lstrip()[:4].upper() != "WITH"


@lru_cache(_CACHED)
def parse(sql: str) -> Statement:
    """Understand a statement."""
    tokens = _tokens(sql)
    names = _names(tokens)
    number = {name: str(place) for place, name in enumerate(names, 1)}
    outer = [text.upper() for text, depth in _words(tokens) if depth == 0]
    verb = outer[0] if outer else ""
    if verb == "WITH":
        verb = next((word for word in outer if word in _MAIN), verb)
    return Statement(
        names=names,
        verb=verb,
        returns=verb in _QUERY or "RETURNING" in outer,
        changes=verb in _CHANGE,
        sqlite="".join(f"?{number[text]}" if kind == "name" else text for kind, text in tokens),
    )


def bind(sql: str, parameters: Parameters) -> tuple[Value, ...]:
    """Give the values of ``parameters`` in the order in which the statement names them."""
    names = parse(sql).names
    missing = [name for name in names if name not in parameters]
    if missing:
        raise StatementInvalid(f"no value for parameter {', '.join(missing)}")
    return tuple(parameters[name] for name in names)


def postgres_types(rows: Sequence[Sequence[Value]]) -> tuple[str, ...]:
    """Say, for each parameter, the PostgreSQL type of its values; empty where all are null or of mixed types."""
    return tuple(_postgres_type(set(map(type, column))) for column in zip(*rows, strict=True))


@lru_cache(_CACHED)
def for_postgres(sql: str, types: tuple[str, ...], counted: bool = False) -> str:
    """Write a statement for PostgreSQL, each parameter with the type its values have.

    The types are written out because PostgreSQL would otherwise guess: ``:n + 1`` would be 32 bits wide.
    ``counted`` appends a ``RETURNING`` to a change, so that rows changed can be counted over many executions.
    """
    statement, tokens = parse(sql), _tokens(sql)
    if len(types) != len(statement.names):
        raise StatementInvalid(f"{len(statement.names)} parameters, {len(types)} values")
    written = {
        name: f"${place}{f'::{kind}' if kind else ''}"
        for place, (name, kind) in enumerate(zip(statement.names, types, strict=True), 1)
    }
    if statement.verb in _SCHEMA:
        tokens = _postgres_schema(tokens)
    text = "".join(
        written[text] if kind == "name" else text for kind, text in _postgres_casts(tokens) if kind != "comment"
    )
    text = text.strip().rstrip(";")
    return f"{text} RETURNING 1" if counted and statement.changes and not statement.returns else text


def split(script: str) -> list[str]:
    """Split a migration into its statements at every ``;`` that is not in a string, quoted name or comment."""
    statements: list[list[Token]] = [[]]
    for kind, text in _tokens(script):
        if kind == "other" and text == ";":
            statements.append([])
        else:
            statements[-1].append((kind, text))
    return [
        "".join(map(_written, tokens)).strip()
        for tokens in statements
        if any(kind not in ("space", "comment") for kind, _ in tokens)
    ]


def _tokens(sql: str) -> list[Token]:
    return [(match.lastgroup or "other", match.group(match.lastgroup or 0)) for match in _TOKEN.finditer(sql)]


def _written(token: Token) -> str:
    return f":{token[1]}" if token[0] == "name" else token[1]


def _names(tokens: Iterable[Token]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for kind, text in tokens if kind == "name"))


def _words(tokens: Iterable[Token]) -> list[tuple[str, int]]:
    """Give every bare word with the depth of parentheses it stands in."""
    depth, found = 0, []
    for kind, text in tokens:
        if kind == "other":
            depth += (text == "(") - (text == ")")
        elif kind == "word":
            found.append((text, depth))
    return found


def _postgres_type(kinds: set[type]) -> str:
    kinds = kinds - {type(None)}
    if kinds == {str}:
        return "text"
    if kinds == {bytes}:
        return "bytea"
    if kinds and kinds <= {int, bool}:
        return "bigint"
    return "double precision" if kinds and kinds <= {int, bool, float} else ""


def _postgres_casts(tokens: list[Token]) -> list[Token]:
    """Rename the portable types where they stand in ``CAST(… AS type)``."""
    solid = [place for place, (kind, _) in enumerate(tokens) if kind not in ("space", "comment")]
    renamed = list(tokens)
    for before, place, after in zip(solid, solid[1:], solid[2:], strict=False):
        kind, text = tokens[place]
        if kind == "word" and tokens[before][1].upper() == "AS" and tokens[after][1] == ")":
            renamed[place] = ("word", _POSTGRES_TYPE.get(text.upper(), text))
    return renamed


def _postgres_schema(tokens: list[Token]) -> list[Token]:
    """Write a schema statement for PostgreSQL: its types, its row ids, and no table options of SQLite."""
    last = max((place for place, token in enumerate(tokens) if token == ("other", ")")), default=len(tokens))
    words = [place for place, (kind, _) in enumerate(tokens) if kind == "word"]
    renamed = list(tokens)
    for order, place in enumerate(words):
        word = tokens[place][1].upper()
        following = [tokens[later][1].upper() for later in words[order + 1 : order + 3]]
        if place > last and word in ("STRICT", "WITHOUT", "ROWID"):
            renamed[place] = ("space", " ")
        elif word == "INTEGER" and following == ["PRIMARY", "KEY"]:
            renamed[place] = ("word", "BIGINT GENERATED BY DEFAULT AS IDENTITY")
        elif word in _POSTGRES_TYPE:
            renamed[place] = ("word", _POSTGRES_TYPE[word])
    options = {"STRICT", "WITHOUT"} & {tokens[place][1].upper() for place in words if place > last}
    return [
        ("space", " ") if options and place > last and token == ("other", ",") else token
        for place, token in enumerate(renamed)
    ]
