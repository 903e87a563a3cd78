"""Requests held to the vendors' own OpenAPI files, where these lie beside the checkout (``../shared/data``).

Without the files, or without ``jsonschema`` and ``pyyaml`` (which only tests install), nothing is checked, and
:attr:`Contract.state` says so.  Where a file is behind the vendor's own pages, it is mended, and every mending is in
``openapi_mending.py`` with its source.
"""

import functools
import importlib.util
import json
from pathlib import Path
from typing import Any

import msgspec

from deploy.sandbox.exchange import Asked
from deploy.sandbox.openapi_mending import LINE, WHATSAPP, mended

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = {LINE: "line/messaging-api.yml", WHATSAPP: "whatsapp/business-messaging-api_v23.0.yaml"}


class Violation(msgspec.Struct, frozen=True):
    """One way in which a request is not as the vendor describes it."""

    method: str
    path: str
    """The path as the vendor's file names it."""
    where: str
    """``operation``, ``header``, ``query``, ``body``."""
    problem: str


class Described(msgspec.Struct, frozen=True):
    """Where a request is described: the vendor's file and its path there."""

    document: str
    path: str


class Contract:
    """The vendors' files, read when the first request is checked."""

    def __init__(self, data: Path | None = DATA) -> None:
        """Take the folder of third-party data; ``None`` checks nothing."""
        self._data = data
        self.checked = 0

    @property
    def state(self) -> str:
        """Say whether requests are checked, and if not, why."""
        if self._data is None:
            return "off"
        if any(importlib.util.find_spec(name) is None for name in ("jsonschema", "yaml")):
            return "off: jsonschema and pyyaml are not installed (they are in the group test)"
        missing = [file for file in FILES.values() if not (self._data / file).is_file()]
        return f"off: ../shared/data lacks {', '.join(missing)}" if missing else "on"

    def violations(self, asked: Asked, described: Described) -> list[Violation]:
        """Give what a request breaks of its description; nothing where nothing is checked."""
        if self.state != "on" or self._data is None:
            return []
        self.checked += 1
        document = _document(self._data / FILES[described.document], described.document)
        operation = document["paths"].get(described.path, {}).get(asked.method.lower())
        if operation is None:
            return [Violation(asked.method, described.path, "operation", "the vendor describes no such operation")]
        found = [*_parameter_problems(document, operation, asked), *_body_problems(document, operation, asked)]
        return [Violation(asked.method, described.path, where, problem) for where, problem in found]


@functools.cache
def _document(file: Path, name: str) -> dict[str, Any]:
    """Read and mend one of the files; once for each process."""
    import yaml  # noqa: PLC0415  only tests install it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with file.open("rb") as stream:
        return mended(name, yaml.load(stream, loader))  # noqa: S506  a safe loader either way


def _parameter_problems(document: dict[str, Any], operation: dict[str, Any], asked: Asked) -> list[tuple[str, str]]:
    """Check headers and query; path parts are the router's."""
    found, declared = [], set()
    for raw in operation.get("parameters") or ():
        parameter = _resolved(document, raw)
        place, name = parameter["in"], parameter["name"]
        if place not in {"header", "query"}:
            continue
        held = asked.headers if place == "header" else asked.query
        value = held.get(name.lower() if place == "header" else name)
        declared.add(name)
        if name == "Content-Type":
            # Stated as required of requests without a body, too; what a body is written in is checked with the body.
            continue
        if value is None:
            if parameter.get("required"):
                found.append((place, f"{name} is missing"))
            continue
        found += [(place, f"{name}: {problem}") for problem in _problems(document, parameter["schema"], value)]
    found += [("query", f"{name} is not described") for name in asked.query if name not in declared]
    if not asked.headers.get("authorization", "").startswith("Bearer "):
        found.append(("header", "Authorization: Bearer is missing"))
    return found


def _body_problems(document: dict[str, Any], operation: dict[str, Any], asked: Asked) -> list[tuple[str, str]]:
    """Check the body's type and, where it is JSON, its shape."""
    described = operation.get("requestBody")
    if described is None:
        return [("body", "a body is sent where none is described")] if asked.body.strip() else []
    content = described["content"]
    kind = asked.headers.get("content-type", "").partition(";")[0].strip()
    if not asked.body:
        return [("body", "the body is missing")] if described.get("required") else []
    if kind not in content:
        return [("body", f"content type {kind or 'none'} is not described")]
    if kind != "application/json":
        return []
    try:
        value = json.loads(asked.body)
    except ValueError:
        return [("body", "no JSON")]
    return [("body", problem) for problem in _problems(document, content[kind]["schema"], value)]


def _resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference to a parameter."""
    reference = value.get("$ref")
    if reference is None:
        return value
    found: dict[str, Any] = functools.reduce(lambda node, part: node[part], reference.split("/")[1:], document)
    return found


def _problems(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """Give what a value breaks of a schema, by place and rule."""
    validator = _validator(document, json.dumps(schema, sort_keys=True))
    return [f"{error.json_path} {error.validator}: {error.message[:200]}" for error in validator.iter_errors(value)]


_VALIDATORS: dict[tuple[int, str], Any] = {}


def _validator(document: dict[str, Any], schema: str) -> Any:
    """Make a validator for a schema of a document, once."""
    name = (id(document), schema)
    if name not in _VALIDATORS:
        import jsonschema  # noqa: PLC0415  only tests install it

        kind = jsonschema.Draft202012Validator
        rooted = {"allOf": [json.loads(schema)], "components": document["components"]}
        _VALIDATORS[name] = kind(rooted, format_checker=kind.FORMAT_CHECKER)
    return _VALIDATORS[name]
