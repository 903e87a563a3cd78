"""Where a vendor's OpenAPI file says less or other than the vendor's own pages, and what is made of it.

Two kinds.  Form: what the file means, in words that a JSON Schema validator understands (discriminators, ``allOf`` of
closed parts, which taken literally no request could satisfy).  Substance: what the vendor's pages have added since;
each such line names the page and its date.
"""

from typing import Any

LINE = "line"
WHATSAPP = "whatsapp"

Schema = dict[str, Any]

_MARK_READ = {
    "if": {"properties": {"status": {"const": "read"}}, "required": ["status"]},
    "then": {"$ref": "#/components/schemas/MarkMessageRequestPayload"},
    "else": {"$ref": "#/components/schemas/Message"},
}


def mended(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """Mend a freshly read document in place, and give it back."""
    schemas = document["components"]["schemas"]
    if name == WHATSAPP:
        _add_to_whatsapp(document, schemas)
        for schema in schemas.values():
            _open_closed_parts(schemas, schema)
    _spell_out_discriminators(schemas)
    return document


def _add_to_whatsapp(document: dict[str, Any], schemas: dict[str, Schema]) -> None:
    """Add what Meta's pages have and the file of v23.0 (2025-11) has not."""
    base = schemas["BaseMessageProperties"]
    # business-scoped user ids, 2026-05-28: `recipient` beside or instead of `to`.
    base["properties"]["recipient"] = {"type": "string", "pattern": r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$"}
    base["required"] = [name for name in base["required"] if name != "to"]
    base["anyOf"] = [{"required": ["to"]}, {"required": ["recipient"]}]
    # the same page: a business-scoped user id in `to` is answered 200 and lost, so it counts as an error of ours.
    base["properties"]["to"]["not"] = {"pattern": r"^[A-Z]{2}\."}
    # status webhooks, 2026-04-30: echoed as `biz_opaque_callback_data`.
    base["properties"]["biz_opaque_callback_data"] = {"type": "string", "maxLength": 512}
    # send-messages, 2026-04-23: text bodies of 1 to 4096 characters, and not without one.
    text = schemas["TextMessage"]["allOf"][1]["properties"]["text"]
    text["required"] = ["body"]
    text["properties"]["body"] |= {"minLength": 1, "maxLength": 4096}
    # template messages, 2026: `language.policy` is no longer asked for.
    schemas["LanguageObject"]["required"] = ["code"]
    # mark messages as read, typing indicators, 2026: the same address takes them; the file shows them as examples only.
    body = document["paths"]["/{Version}/{Phone-Number-ID}/messages"]["post"]["requestBody"]
    body["required"] = True
    body["content"]["application/json"]["schema"] = _MARK_READ
    schemas["MarkMessageRequestPayload"].setdefault("properties", {})["typing_indicator"] = {"type": "object"}
    # local-storage, 2026-03-31, and no-storage, 2026-05-21: what a number's storage is set by.
    storage = schemas["StorageConfigurationSettings"]
    storage["required"] = ["status"]
    storage["properties"] = {
        "status": {"enum": ["IN_COUNTRY_STORAGE_ENABLED", "NO_STORAGE_ENABLED", "DEFAULT"]},
        "data_localization_region": {"type": "string", "pattern": "^[A-Za-z]{2}$"},
        "retention_minutes": {"const": 60},
    }


def _open_closed_parts(schemas: dict[str, Schema], schema: Schema) -> None:
    """Make one closed object of an ``allOf`` whose parts are closed each for itself."""
    parts = [_resolved(schemas, part) for part in schema.get("allOf", ())]
    if not any(part.get("additionalProperties") is False for part in parts):
        return
    whole: Schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    for part in parts:
        whole["properties"] |= part.get("properties", {})
        whole["required"] += part.get("required", [])
        if "anyOf" in part:
            whole["anyOf"] = part["anyOf"]
    del schema["allOf"]
    schema |= whole


def _resolved(schemas: dict[str, Schema], schema: Schema) -> Schema:
    """Follow a reference to a schema."""
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _spell_out_discriminators(schemas: dict[str, Schema]) -> None:
    """Turn discriminators into ``if`` and ``then``: a validator looks at the common properties only."""
    bases = {name for name, schema in schemas.items() if schema.get("discriminator", {}).get("mapping")}
    for schema in schemas.values():
        for part in schema.get("allOf", ()):
            if part.get("$ref", "").rpartition("/")[2] in bases:
                part["$ref"] += "Common"
    for name in bases:
        common = schemas[name]
        chosen = common.pop("discriminator")
        common.pop("oneOf", None)
        schemas[name + "Common"] = common
        tag = chosen["propertyName"]
        branches: list[Schema] = [
            {"if": {"properties": {tag: {"const": value}}, "required": [tag]}, "then": {"$ref": target}}
            for value, target in chosen["mapping"].items()
        ]
        kinds: Schema = {"properties": {tag: {"enum": list(chosen["mapping"])}}, "required": [tag]}
        schemas[name] = {"allOf": [kinds, *branches]}
