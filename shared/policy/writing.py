"""Writes the one kind of policy file that a program makes: overrides, as TOML."""

import base64
import json

from shared.policy.model import OverridesFile


def overrides_text(file: OverridesFile) -> str:
    """Give the TOML of overrides; signatures as base64 (RFC 4648 section 4)."""
    lines = ['kind = "overrides"']
    for override in file.override:
        said = override.statement
        lines += ["", "[[override]]", "", "[override.statement]"]
        for key in said.__struct_fields__:
            value = getattr(said, key)
            if value is not None:
                lines.append(f"{key} = {json.dumps(value)}")
        for each in override.signatures:
            lines += ["", "[[override.signatures]]", f'person = "{each.person}"', f'key = "{each.key}"']
            lines += ["", "[override.signatures.signature]"]
            lines += [
                f'ed25519 = "{_base64(each.signature.ed25519)}"',
                f'mldsa65 = "{_base64(each.signature.mldsa65)}"',
            ]
    return "\n".join(lines) + "\n"


def _base64(data: bytes) -> str:
    """Write bytes."""
    return base64.b64encode(data).decode()
