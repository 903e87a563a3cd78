"""Our LINE fixtures and structs against the platform's OpenAPI (which lacks ``messageEdited``, added 2026-07-07)."""

import json

import pytest
from msgspec import inspect

from edge_node.channels.line.payloads import AnyEvent
from tests.channels.line.cases import BEYOND_SCHEMA, FIXTURES

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")


@pytest.fixture(scope="module")
def schemas(shared_data):
    """Return LINE's schemas by name, with the one kind of event they lack."""
    found = yaml.load((shared_data / "line/webhook.yml").read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    schemas = found["components"]["schemas"]
    schemas["Event"]["discriminator"]["mapping"]["messageEdited"] = "#/components/schemas/MessageEvent"
    return schemas


def as_json_schema(schemas):
    """Spell discriminators out: a plain validator would look at the common properties only."""
    schemas = json.loads(json.dumps(schemas))
    bases = {name for name, schema in schemas.items() if "discriminator" in schema}
    for schema in schemas.values():
        for part in schema.get("allOf", ()):
            name = part.get("$ref", "").rpartition("/")[2]
            if name in bases:
                part["$ref"] += "Common"
    for name in bases:
        common = schemas[name]
        chosen = common.pop("discriminator")
        schemas[name + "Common"] = common
        tag = chosen["propertyName"]
        branches = [
            {"if": {"properties": {tag: {"const": value}}}, "then": {"$ref": target}}
            for value, target in chosen["mapping"].items()
        ]
        kinds = {"properties": {tag: {"enum": list(chosen["mapping"])}}, "required": [tag]}
        schemas[name] = {"allOf": [kinds, *branches]}
    return {"$ref": "#/components/schemas/CallbackRequest", "components": {"schemas": schemas}}


@pytest.fixture(scope="module")
def validator(schemas):
    return jsonschema.Draft202012Validator(as_json_schema(schemas))


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_fixture_is_what_line_sends_unless_it_is_meant_not_to_be(fixture, validator):
    errors = [error.json_path for error in validator.iter_errors(json.loads(fixture.read_bytes()))]
    if fixture.stem in BEYOND_SCHEMA:
        assert errors
    else:
        assert errors == []


def properties(schemas, schema):
    """Return all properties of a schema, its bases' among them."""
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= properties(schemas, resolve(schemas, part))
    return found


def resolve(schemas, schema):
    """Follow a reference."""
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def missing(schemas, schema, shape, path):
    """Yield every property that LINE describes and our shape has no field for."""
    while isinstance(shape, inspect.Metadata):
        shape = shape.type
    schema = resolve(schemas, schema)
    options = shape.types if isinstance(shape, inspect.UnionType) else (shape,)
    structs = [option for option in options if isinstance(option, inspect.StructType)]
    if schema.get("type") == "array":
        [items] = [option for option in options if isinstance(option, inspect.VarTupleType | inspect.ListType)]
        yield from missing(schemas, schema["items"], items.item_type, path + "[]")
    elif "discriminator" in schema:
        for value, target in schema["discriminator"]["mapping"].items():
            fitting = [struct for struct in structs if struct.tag in (None, value)]
            assert fitting, f"{path}: no struct for {value}"
            yield from described(schemas, schemas[target.rpartition("/")[2]], fitting[0], f"{path}<{value}>")
    elif structs:
        yield from described(schemas, schema, structs[0], path)


def described(schemas, schema, struct, path):
    """Do :func:`missing` for one object."""
    fields = {field.encode_name: field.type for field in struct.fields}
    for name, inner in properties(schemas, schema).items():
        if name in fields:
            yield from missing(schemas, inner, fields[name], f"{path}.{name}")
        elif name != struct.tag_field:
            yield f"{path}.{name}"


def test_every_property_line_describes_has_a_field(schemas):
    assert list(missing(schemas, schemas["Event"], inspect.type_info(AnyEvent), "")) == []


def test_that_check_sees_a_property_without_a_field(schemas):
    grown = json.loads(json.dumps(schemas))
    grown["Mention"]["properties"]["tone"] = {"type": "string"}
    found = list(missing(grown, grown["Event"], inspect.type_info(AnyEvent), ""))
    assert "<message>.message<text>.mention.tone" in found
