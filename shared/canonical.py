"""The one form of bytes in which a struct is signed, hashed and compared.

The rule: JSON in UTF-8; the members of every object, the type tag among them, sorted by name; no space between tokens;
every member written, defaults and nulls too; integers only, of at most 2**53 - 1; ``bytes`` as padded base64 (RFC 4648
section 4); strings with the escapes of RFC 8785 section 3.2.2.2 and nothing else escaped.  One exception: a struct that
omits its defaults leaves a member out that came later and has its default, so that bytes of before stay what they were.

This is RFC 8785 (JSON Canonicalization Scheme) for the types that are allowed here, so that a program that never saw
our code can check a signature.  It is narrower in three points: there are no floating-point numbers (whose printing is
most of RFC 8785), names of members are ASCII (so that sorting by bytes and by UTF-16 units agree), and what is not
canonical is refused when it is read instead of being rewritten.

Must never: accept two different byte strings for one value.
"""

import functools
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from shared.errors.trust import NotCanonical

INTEGER_MAX = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785 section 3.2.2.3, RFC 7493 section 2.2)."""

S = TypeVar("S", bound=msgspec.Struct)

_encode = msgspec.json.Encoder(order="sorted").encode


def encode(value: msgspec.Struct) -> bytes:
    """Give the canonical bytes of ``value``.

    A struct whose type admits a float, a mapping, a set, a moment, ``Any`` or an unbounded integer is a fault of the
    program: ``TypeError``.
    """
    _check_type(type(value))
    return _encode(value)


def decode(type_: type[S], data: bytes) -> S:
    """Read ``data`` as a ``type_``; ``NotCanonical`` unless :func:`encode` of the result gives the same bytes.

    So unknown members, members left out, other orders, spaces, other escapes and doubled members are refused, all by
    the one comparison.
    """
    try:
        value: S = _decoder(type_).decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise NotCanonical(reason="form") from None
    if _encode(value) != data:
        raise NotCanonical(reason="bytes")
    return value


@functools.cache
def _decoder(type_: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    """Give the decoder of a type that may be canonical."""
    _check_type(type_)
    return msgspec.json.Decoder(type_)


@functools.cache
def _check_type(type_: type[msgspec.Struct]) -> None:
    """Refuse a type that has values without one canonical form."""
    waiting: list[inspect.Type] = [inspect.type_info(type_)]
    seen: set[type] = set()
    while waiting:
        here = waiting.pop()
        if isinstance(here, inspect.StructType):
            if here.cls not in seen:
                seen.add(here.cls)
                waiting += [field.type for field in here.fields]
        else:
            waiting += _parts(here, type_)


def _parts(here: inspect.Type, of: type[Any]) -> tuple[inspect.Type, ...]:
    """Give the types a type is made of; ``TypeError`` for one that is not allowed."""
    match here:
        case inspect.Metadata(type=inner) | inspect.VarTupleType(item_type=inner):
            return (inner,)
        case inspect.UnionType(types=types):
            return types
        case inspect.IntType(ge=int(), le=int(highest)) if highest <= INTEGER_MAX:
            return ()
        case inspect.StrType() | inspect.BytesType() | inspect.BoolType() | inspect.NoneType():
            return ()
        case inspect.LiteralType(values=values) if all(isinstance(value, str | int) for value in values):
            return ()
        case _:
            raise TypeError(f"{of.__name__}: {type(here).__name__} has no canonical form here")
