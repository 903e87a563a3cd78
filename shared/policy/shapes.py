"""What may stand at a place of a policy file: its keys, or the words to choose from; to tell what would be right."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any

from msgspec import inspect

from shared.policy.model import File

Step = tuple[str, int | None]
"""A key, and which entry of its list where it has one."""


def keys_at(raw: dict[str, Any], steps: list[Step]) -> list[str]:
    """Give the keys that a table of a file may have; none where the place is no table."""
    return sorted({field.encode_name for shape in _shapes(raw, steps) for field in _fields(shape)})


def words_at(raw: dict[str, Any], steps: list[Step]) -> list[str]:
    """Give the words to choose from at a place; none where it is free."""
    words = {word for shape in _shapes(raw, steps) for word in _words(shape)}
    if steps:
        *above, (last, _) = steps
        words |= {
            shape.tag
            for shape in _shapes(raw, above)
            if isinstance(shape, inspect.StructType) and shape.tag_field == last
        }
    return sorted(str(word) for word in words if word is not None)


def near(name: str, known: list[str]) -> str:
    """Ask whether a name that is not known is one that is alike; else say which there are."""
    alike = get_close_matches(name, known, n=2, cutoff=0.6)
    if alike:
        return f"Is it {' or '.join(alike)}?"
    return f"There are: {', '.join(known)}." if known else ""


@cache
def _whole() -> inspect.Type:
    """Give the shape of any file."""
    return inspect.type_info(File)


def _shapes(raw: Any, steps: list[Step]) -> list[inspect.Type]:
    """Give the shapes that may stand at a place, chosen by what the file says of itself on the way."""
    here, found = raw, list(_chosen(_whole(), raw))
    for name, index in steps:
        inner = [field.type for shape in found for field in _fields(shape) if field.encode_name == name]
        here = here.get(name) if isinstance(here, dict) else None
        if index is not None:
            here = here[index] if isinstance(here, list) and index < len(here) else None
        found = [shape for each in inner for shape in _chosen(each, here)]
    return found


def _chosen(shape: inspect.Type, here: Any) -> Iterator[inspect.Type]:
    """Give what a shape comes to: lists by what they hold, unions by the tag that is written."""
    match shape:
        case inspect.UnionType(types=types):
            inner = [found for each in types for found in _chosen(each, here)]
            tagged = [each for each in inner if isinstance(each, inspect.StructType) and each.tag is not None]
            said = [each for each in tagged if isinstance(here, dict) and here.get(each.tag_field) == each.tag]
            yield from (each for each in inner if each not in tagged)
            yield from said or tagged
        case inspect.VarTupleType(item_type=item):
            yield from _chosen(item, here)
        case inspect.Metadata(type=inner_type):
            yield from _chosen(inner_type, here)
        case _:
            yield shape


def _fields(shape: inspect.Type) -> Iterator[inspect.Field]:
    """Give the fields of a struct."""
    if isinstance(shape, inspect.StructType):
        yield from shape.fields


def _words(shape: inspect.Type) -> Iterator[Any]:
    """Give the words of a choice."""
    if isinstance(shape, inspect.LiteralType):
        yield from shape.values
