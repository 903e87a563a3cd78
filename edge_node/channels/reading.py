"""Reading a platform's JSON: bytes to structs, and nothing lost that the structs do not know.

Every payload struct is declared with ``forbid_unknown_fields``, so that the common case is one strict decode.
Only where that fails is the JSON walked against the shape: properties the shape does not name are taken out, put down
by their path, and the rest is decoded again.  All of it is pure, and no exception carries a word of what was read.
"""

import re
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect

from shared.errors import BodyMalformed

T = TypeVar("T")

DEPTH_MAX = 64
"""Levels of nesting in a value that is kept as it came (platforms use fewer than 10): whatever parses here must
also be written again later, from a deeper call stack."""

MILLISECONDS_FROM = 10**11
"""A number of at least this size is milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973."""

MILLISECONDS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999; anything above is no time (and must fit a store's 64-bit column)."""

_SYNTAX = msgspec.json.Decoder(msgspec.Raw)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE = msgspec.json.Decoder()
_STRING = msgspec.json.Decoder(str)

_REFUSALS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes it cannot read as asked."""

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    rb"|\\."  # any other escape, so that "\\ud83d" (a backslash, then letters) stays
)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_TEXTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(each for each in range(256) if each not in b"[]{}")
_PLAIN = re.compile(r'[^.\[\]":]+')


class NotTheEnvelope(ValueError):
    """The body is JSON, but not of the shape every webhook of the platform has."""

    def __init__(self) -> None:
        """Say so; never what the body holds."""
        super().__init__("JSON of another shape than the platform's webhooks")


class Reader(Generic[T]):
    """Decodes one shape: a struct, or a union of tagged ones.

    Every struct within reach must forbid unknown fields (msgspec would drop those properties without a word), and an
    optional raw part is declared ``msgspec.Raw = msgspec.Raw()`` (``Raw | None`` accepts nothing but null in msgspec
    0.22); else ``TypeError``, for it is a mistake in our own code.
    """

    __slots__ = ("decoder", "has_any", "shape")

    def __init__(self, shape: Any) -> None:
        """Prepare the strict decoder and the description that the slow path walks."""
        self.decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(shape)
        self.shape = inspect.type_info(shape)
        reachable = list(_reachable(self.shape, set()))
        for kind in reachable:
            if isinstance(kind, inspect.StructType) and not kind.forbid_unknown_fields:
                raise TypeError(f"{kind.cls.__name__} must forbid unknown fields")
            if isinstance(kind, inspect.UnionType) and any(isinstance(one, inspect.RawType) for one in kind.types):
                raise TypeError("an optional raw part defaults to an empty Raw instead of null")
        self.has_any = any(isinstance(kind, inspect.AnyType) for kind in reachable)


def decode_body(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a webhook's body.

    Raises ``BodyMalformed`` where the bytes are no JSON (RFC 8259): invalid UTF-8, truncated, ``NaN``, or nested
    deeper than can be read; :class:`NotTheEnvelope` where they are JSON of another shape.  An unpaired surrogate
    escape (``\\ud83d`` alone, which RFC 8259 section 8.2 permits) is read as U+FFFD, because msgspec would refuse the
    whole body for it.
    """
    if not (body.isascii() or _is_utf8(body)):
        raise BodyMalformed()
    try:
        return decoder.decode(body)
    except _REFUSALS:
        pass
    body = _checked(body)
    try:
        return decoder.decode(body)
    except _REFUSALS:
        pass
    raise NotTheEnvelope()


def read_body(body: bytes, reader: Reader[T]) -> tuple[T, dict[str, Any] | None]:
    """Decode a webhook's body as :func:`decode_body` does, keeping properties the envelope does not name.

    Returns the envelope and those properties by path, or ``None`` where there are none.  Raises as
    :func:`decode_body`.
    """
    try:
        return decode_body(body, reader.decoder), None
    except NotTheEnvelope:
        pass
    try:
        return read_struct(_checked(body), reader)
    except msgspec.ValidationError:
        pass
    raise NotTheEnvelope()


def read_struct(raw: bytes | msgspec.Raw, reader: Reader[T]) -> tuple[T, dict[str, Any] | None]:
    """Decode one event, keeping properties its structs do not name.

    Returns the struct, and the unknown properties as ``{path from the event's root: value}``, e.g.
    ``{"message.emojis[0].x": 1}``, or ``None`` where there are none.  ``Raw`` fields are byte-exact either way.
    Raises ``msgspec.ValidationError``, saying nothing of the content, where the part that is known does not fit or a
    value is nested deeper than ``DEPTH_MAX``.
    """
    try:
        value = reader.decoder.decode(raw)
    except _REFUSALS:
        pass
    else:
        if not reader.has_any or not too_deep(bytes(raw)):
            return value, None
        raise msgspec.ValidationError("nested too deeply")
    unknown: dict[str, Any] = {}
    try:
        value = reader.decoder.decode(_known(raw, reader.shape, "", unknown))
    except _REFUSALS:
        pass
    else:
        if not reader.has_any or not too_deep(bytes(raw)):
            return value, unknown or None
    raise msgspec.ValidationError("the known part does not fit")


def milliseconds(value: str | float | None) -> int:
    """Turn a platform's time into milliseconds since the epoch; 0 where it says none that makes sense.

    LINE sends milliseconds; WhatsApp seconds as a string or a number, in some fields milliseconds.
    """
    if isinstance(value, str):
        value = value.strip()
        if not value.isascii() or len(value) > 32:
            return 0
        try:
            value = int(value) if value.isdigit() else float(value)
        except ValueError:
            return 0
    if value is None or isinstance(value, bool) or not 0 < value <= MILLISECONDS_MAX:  # not a number is not within
        return 0
    return int(value if value >= MILLISECONDS_FROM else value * 1000)


def too_deep(json: bytes) -> bool:
    """Say whether valid JSON is nested deeper than ``DEPTH_MAX``."""
    if json.count(b"[") + json.count(b"{") <= DEPTH_MAX:
        return False
    brackets = _TEXTS.sub(b"", json).translate(_ONE_KIND, _NO_BRACKETS)
    if b"[" * (DEPTH_MAX + 1) in brackets:
        return True
    for _ in range(DEPTH_MAX):  # each pass takes the innermost level away, at the speed of a search
        brackets = brackets.replace(b"[]", b"")
    return brackets != b""


def mend(body: bytes) -> bytes:
    """Replace unpaired surrogate escapes by U+FFFD's, as every body is read."""
    if not _SURROGATE.search(body):
        return body
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], body)


def _is_utf8(body: bytes) -> bool:
    """Say whether all of the body is UTF-8; msgspec does not look inside ``Raw`` parts."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _checked(body: bytes) -> bytes:
    """Return the body with unpaired surrogate escapes replaced; raise ``BodyMalformed`` where it is no JSON."""
    body = mend(body)
    try:
        _SYNTAX.decode(body)
    except _REFUSALS:
        pass
    else:
        return body
    raise BodyMalformed()


def _known(raw: bytes | msgspec.Raw, shape: inspect.Type, path: str, unknown: dict[str, Any]) -> bytes:
    """Return ``raw`` without the properties that ``shape`` does not name, and add those to ``unknown``.

    Works on bytes, so that known leaves stay exactly as they came.  Where the JSON is of another type than the shape
    it is returned unchanged: the decode that follows refuses it.
    """
    data = bytes(raw)
    chosen = _choose(data, shape)
    if isinstance(chosen, inspect.StructType):
        return _known_members(data, chosen, path, unknown)
    if isinstance(chosen, (inspect.ListType, inspect.VarTupleType)):
        items = enumerate(_ITEMS.decode(data))
        return b"[%b]" % b",".join(_known(item, chosen.item_type, f"{path}[{n}]", unknown) for n, item in items)
    if isinstance(chosen, inspect.DictType):
        members = ((name, _join(path, name), value) for name, value in _MEMBERS.decode(data).items())
        return _object((name, _known(value, chosen.value_type, at, unknown)) for name, at, value in members)
    return data


def _known_members(data: bytes, shape: inspect.StructType, path: str, unknown: dict[str, Any]) -> bytes:
    """Do :func:`_known` for one object."""
    fields = {field.encode_name: field.type for field in shape.fields}
    kept: list[tuple[str, bytes]] = []
    for name, value in _MEMBERS.decode(data).items():
        if name in fields:
            kept.append((name, _known(value, fields[name], _join(path, name), unknown)))
        elif name == shape.tag_field:
            kept.append((name, bytes(value)))
        elif too_deep(bytes(value)):
            raise msgspec.ValidationError("nested too deeply")
        else:
            unknown[_join(path, name)] = _VALUE.decode(value)
    return _object(iter(kept))


def _choose(data: bytes, shape: inspect.Type) -> inspect.Type | None:
    """Pick the alternative of a union that ``data`` is meant for; ``None`` where it can only be a leaf."""
    while isinstance(shape, inspect.Metadata):
        shape = shape.type
    start = data.lstrip()[:1]
    options = shape.types if isinstance(shape, inspect.UnionType) else (shape,)
    if start == b"[":
        lists = (inspect.ListType, inspect.VarTupleType)
        return next((option for option in options if isinstance(option, lists)), None)
    if start != b"{":
        return None
    structs = [option for option in options if isinstance(option, inspect.StructType)]
    if len(structs) > 1:
        tag = _tag(data, structs[0].tag_field)
        return next((option for option in structs if option.tag == tag), None)
    if structs:
        return structs[0]
    return next((option for option in options if isinstance(option, inspect.DictType)), None)


def _tag(data: bytes, tag_field: str | None) -> str | None:
    """Return the object's tag, or ``None`` where it has none."""
    value = _MEMBERS.decode(data).get(tag_field or "")
    try:
        return None if value is None else _STRING.decode(value)
    except msgspec.ValidationError:
        return None


def _object(members: Iterator[tuple[str, bytes]]) -> bytes:
    """Write an object whose values are JSON already."""
    return b"{%b}" % b",".join(b"%b:%b" % (msgspec.json.encode(name), value) for name, value in members)


def _join(path: str, name: str) -> str:
    """Extend a path by a property's name; one that could be taken for a path itself is put in quotes."""
    if not _PLAIN.fullmatch(name):
        return f"{path}[{msgspec.json.encode(name).decode()}]"
    return f"{path}.{name}" if path else name


def _reachable(shape: inspect.Type, seen: set[type]) -> Iterator[inspect.Type]:
    """Walk every type within a shape, each struct once."""
    if isinstance(shape, inspect.StructType):
        if shape.cls in seen:
            return
        seen.add(shape.cls)
    yield shape
    inner: list[inspect.Type] = []
    if isinstance(shape, inspect.StructType):
        inner = [field.type for field in shape.fields]
    elif isinstance(shape, inspect.UnionType):
        inner = list(shape.types)
    elif isinstance(shape, inspect.Metadata):
        inner = [shape.type]
    elif isinstance(shape, (inspect.ListType, inspect.VarTupleType)):
        inner = [shape.item_type]
    elif isinstance(shape, inspect.DictType):
        inner = [shape.value_type]
    for kind in inner:
        yield from _reachable(kind, seen)
