"""Who vouches for the certificate of a program that this node asks: the public authorities, or a company's own."""

import ssl

from shared.errors import SettingsInvalid


def trusted(ca_file: str | None, field_name: str) -> ssl.SSLContext | bool:
    """Give what an HTTP client checks certificates with: those of a PEM file and nobody else's, or the public ones.

    ``SettingsInvalid``, naming the setting, where the file is not there or holds no certificates.
    """
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError:
        raise SettingsInvalid(field_name=field_name, wants="a PEM file of certificates") from None
