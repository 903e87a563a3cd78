"""What the platforms share with the business, and what opens the control plane: drawn anew for every demo."""

import secrets

import msgspec

ACCESS_FILE = "--access-token-file"


class Secrets(msgspec.Struct):
    """Values that must not be found in any file of a program."""

    whatsapp: str = msgspec.field(default_factory=lambda: secrets.token_hex(16))
    """Meta's app secret, with which it signs."""
    line: str = msgspec.field(default_factory=lambda: secrets.token_hex(16))
    """LINE's channel secret."""
    whatsapp_token: str = msgspec.field(default_factory=lambda: f"EAAJ{secrets.token_urlsafe(24)}")
    line_token: str = msgspec.field(default_factory=lambda: secrets.token_urlsafe(32))
    verify_token: str = msgspec.field(default_factory=lambda: secrets.token_urlsafe(24))
    passphrases: dict[str, str] = msgspec.field(default_factory=dict)
    """Of the officers' key files, by person."""
    access: str = ""
    """The compliance officer's token for the control plane's API."""
    enrolment: list[str] = msgspec.field(default_factory=list)
    """One-time tokens of nodes."""

    def passphrase(self, person: str) -> bytes:
        """Give an officer's passphrase, drawn at the first call."""
        return self.passphrases.setdefault(person, secrets.token_urlsafe(18)).encode()

    def all(self) -> set[str]:
        """Give them as words that must not be found on disk."""
        own = {self.whatsapp, self.line, self.whatsapp_token, self.line_token, self.verify_token, self.access}
        return {each for each in own | set(self.passphrases.values()) | set(self.enrolment) if each}
