"""Settings of keys: the tables ``[keys]`` and ``[pkcs11]`` of ``node.toml``."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.errors import SettingsInvalid
from shared.settings_file import AbsolutePath

_Label = Annotated[str, Meta(pattern=r"\A[ -~]{1,32}\Z")]


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long an epoch lasts, and where copies of keys lie."""

    epoch_days: Annotated[
        int,
        Meta(ge=0, le=3_650, description="days after which the epoch key is exchanged and destroyed; 0: by hand only"),
    ] = 30
    backup_dir: Annotated[
        AbsolutePath | None,
        Meta(description="absolute path of the key backup; default <journal_dir>/key-backup"),
    ] = None
    recovery_dir: Annotated[
        AbsolutePath | None,
        Meta(description="absolute path where epoch keys lie sealed for the escrow: neither key place, other disk"),
    ] = None


class Pkcs11(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tokens of key provider ``pkcs11``."""

    module: Annotated[AbsolutePath | None, Meta(description="absolute path of the manufacturer's PKCS #11 library")] = (
        None
    )
    token: Annotated[_Label | None, Meta(description="label of the token")] = None
    second_token: Annotated[
        _Label | None, Meta(description="label of a token in a second device, which is enough by itself")
    ] = None
    pin_file: Annotated[
        AbsolutePath | None, Meta(description="absolute path of a file, mode 0600, with the user PIN of the tokens")
    ] = None


def check_keys(key_provider: str, keys: Keys, pkcs11: Pkcs11, key_places: tuple[Path, Path]) -> None:
    """Check what no single field can; raises ``SettingsInvalid``."""
    if key_provider == "pkcs11":
        for name in ("module", "token", "pin_file"):
            if getattr(pkcs11, name) is None:
                raise SettingsInvalid(field_name=f"pkcs11.{name}", wants='a value, as key_provider is "pkcs11"')
        if pkcs11.token == pkcs11.second_token:
            raise SettingsInvalid(field_name="pkcs11.second_token", wants="another token than the first")
    if keys.recovery_dir is not None and Path(keys.recovery_dir) in key_places:
        raise SettingsInvalid(field_name="keys.recovery_dir", wants="a folder that is none of the key places")
