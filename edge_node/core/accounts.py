"""Accounts: a business's own numbers and channels, what makes one valid, and which one an event belongs to.

In charge of the shape of an account and of the choice of the account for an event.  Must never hold a secret in
the public part, and never give an event to an account whose secret did not sign it.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from edge_node.core.stated import Met, wrong_with
from shared.errors import AccountExists, AccountInvalid
from shared.message import Event, IdentityChange, Notice, Preference, Unclassified
from shared.message.events import Channel
from shared.wire.types import NodeName

IDS_MAX = 1_000
"""Numbers or WABAs of one account: a bound for the description, far above what one app serves."""

SECRETS_MAX = 2
"""Secrets valid at once: the old and the new one during rotation, never a heap of forgotten ones."""

OVERRIDABLE_FIELDS = frozenset(
    {
        "messages",
        "message_echoes",
        "calls",
        "consumer_profile",
        "messaging_handovers",
        "standby",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "smb_message_echoes",
        "smb_app_state_sync",
        "history",
        "account_settings_update",
    }
)
"""WhatsApp fields that a number or a WABA can have sent to an address of its own (webhooks/override, 2026-06-28);
``standby`` is the receiving half of messaging_handovers.  Every other field reaches the app's address only."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")
_COUNTRY = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_DIGITS = re.compile(r"[0-9]{1,32}")
_SCOPE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LINE_BOT = re.compile(r"U[0-9a-f]{32}")
_SECRET = re.compile(rb"[!-~]{8,256}")
_TOKEN = re.compile(r"[!-~]{1,4096}")


class WhatsAppIds(msgspec.Struct, frozen=True, tag_field="channel", tag="whatsapp", forbid_unknown_fields=True):
    """Meta's names for the numbers of an account, all under one app."""

    app_id: str
    """The Meta app whose secret signs: accounts with the same ``app_id`` are one family."""
    waba_ids: tuple[str, ...]
    """WhatsApp Business Accounts, as ``entry[].id``."""
    phone_number_ids: tuple[str, ...] = ()
    """Business numbers, as ``metadata.phone_number_id``; none for an address that is only the app's own."""


class LineIds(msgspec.Struct, frozen=True, tag_field="channel", tag="line", forbid_unknown_fields=True):
    """LINE's name for a channel."""

    bot_user_id: str
    """``destination``: U and 32 hexadecimal digits."""


RELAYED_BY_MAX = 100
"""Nodes that may relay for one account."""


class Account(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The public part of an account; nothing in it is secret or about a subject."""

    name: str
    """The operator's own name for it, also in its webhook address."""
    ids: WhatsAppIds | LineIds
    scope: str
    """Within what a platform's identities are unique: LINE provider id, Meta business portfolio id."""
    app_home: bool = False
    """WhatsApp: this node is the home of what Meta sends to the app's own address only."""
    country: str | None = None
    """Where its customers are, as far as nothing better is known of one: ISO 3166 code, ``TH``, ``US-CA``."""
    home: str | None = None
    """The node at which what arrives for it rests; ``None``: here."""
    relayed_by: tuple[str, ...] = ()
    """The nodes that may send home what they receive for it; every other one is refused."""
    met: tuple[Met, ...] = ()
    """What it meets of its platform's conditions, each demand once (:mod:`edge_node.core.conditions`)."""

    @property
    def channel(self) -> Channel:
        """The channel, as the form of ``ids`` says."""
        return "line" if isinstance(self.ids, LineIds) else "whatsapp"


class Credentials(msgspec.Struct, frozen=True):
    """The secret part of an account: stored sealed, printed never."""

    secrets: tuple[bytes, ...]
    """One or two app secrets (WhatsApp) or channel secrets (LINE) with which webhooks may be signed."""
    verify_tokens: tuple[str, ...] = ()
    """WhatsApp: one or two tokens of the callback handshake."""
    access_token: str | None = None
    """For asking the platform; receiving needs none."""
    bus_secrets: tuple[bytes, ...] = ()
    """LINE: one or two secrets with which an integration bus may sign XML; without one, XML is refused."""

    def __repr__(self) -> str:
        """Say only how many there are."""
        return f"Credentials({len(self.secrets)} secrets, {len(self.verify_tokens)} verify tokens)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Say only how many there are, to rich as well."""
        return [("secrets", len(self.secrets)), ("verify_tokens", len(self.verify_tokens))]


def validate(account: Account) -> None:
    """Raise ``AccountInvalid`` (field_name, wants) where the account is not of the platform's form."""
    _want(_NAME.fullmatch(account.name), "name", "a lower-case letter, then letters, digits, hyphens; at most 48")
    _want(is_country(account.country), "country", "a code of ISO 3166: TH, or US-CA for a part with a law of its own")
    _want(_is_node(account.home), "home", "the name of a node in the roster; without one, what arrives rests here")
    _want(
        all(each and _is_node(each) for each in account.relayed_by)
        and len(set(account.relayed_by)) == len(account.relayed_by) <= RELAYED_BY_MAX,
        "relayed_by",
        f"names of nodes in the roster, each once, at most {RELAYED_BY_MAX}",
    )
    if (wrong := wrong_with(account.met)) is not None:
        raise AccountInvalid(field_name=wrong[0], wants=wrong[1])
    match account.ids:
        case LineIds(bot_user_id=bot):
            _want(_LINE_BOT.fullmatch(bot), "bot_user_id", "U and 32 hexadecimal digits: the webhook's destination")
            _want(_SCOPE.fullmatch(account.scope), "scope", "the id of the LINE provider")
            _want(not account.app_home, "app_home", "only WhatsApp accounts, LINE sends everything to the channel")
        case WhatsAppIds() as ids:
            _want(_DIGITS.fullmatch(ids.app_id), "app_id", "digits: the Meta app's id")
            _want(_SCOPE.fullmatch(account.scope), "scope", "the id of the Meta business portfolio")
            _want(_are_ids(ids.waba_ids), "waba_ids", "one or more different ids of digits: WhatsApp Business Accounts")
            _want(
                _are_ids(ids.phone_number_ids) or (account.app_home and not ids.phone_number_ids),
                "phone_number_ids",
                "one or more different ids of digits (not the phone numbers); none only with app_home",
            )


def validate_credentials(account: Account, credentials: Credentials) -> None:
    """Raise ``AccountInvalid`` (field_name, wants) where the secrets cannot be right; never shows one."""
    secrets, tokens = credentials.secrets, credentials.verify_tokens
    _want(
        1 <= len(secrets) <= SECRETS_MAX and all(_SECRET.fullmatch(secret) for secret in secrets),
        "secrets",
        "one, or during rotation two, of 8 to 256 visible characters",
    )
    _want(len(set(secrets)) == len(secrets), "secrets", "two different secrets during rotation")
    if account.channel == "whatsapp":
        tokens_fit = 1 <= len(tokens) <= SECRETS_MAX and all(_TOKEN.fullmatch(token) for token in tokens)
        _want(tokens_fit, "verify_tokens", "one or two, of visible characters: Meta's handshake asks for it")
    else:
        _want(not tokens, "verify_tokens", "none: LINE has no handshake")
    _validate_bus(account, credentials)
    access = credentials.access_token
    _want(access is None or _TOKEN.fullmatch(access), "access_token", "visible characters only, at most 4096")


def _validate_bus(account: Account, credentials: Credentials) -> None:
    """Raise ``AccountInvalid`` where a bus's secrets cannot be right."""
    secrets = credentials.bus_secrets
    if account.channel != "line":
        _want(not secrets, "bus_secrets", "none: only LINE's webhooks have an XML form")
    _want(
        len(secrets) <= SECRETS_MAX and all(_SECRET.fullmatch(secret) for secret in secrets),
        "bus_secrets",
        "one, or during rotation two, of 8 to 256 visible characters",
    )
    # A bus that knew the channel's secret could sign webhooks as LINE does.
    _want(
        len({*secrets, *credentials.secrets}) == len(secrets) + len(credentials.secrets),
        "bus_secrets",
        "secrets different from each other and from the channel's",
    )


def ensure_apart(account: Account, others: Iterable[Account]) -> None:
    """Raise ``AccountExists`` where another account has the name, a number, the channel or the app's home.

    ``others`` are the accounts beside this one: a replaced account is left out by the caller.
    """
    for other in others:
        if other.name == account.name:
            raise AccountExists(account=other.name, field_name="name")
        match account.ids, other.ids:
            case LineIds(bot_user_id=mine), LineIds(bot_user_id=theirs) if mine == theirs:
                raise AccountExists(account=other.name, field_name="bot_user_id")
            case WhatsAppIds() as mine_ids, WhatsAppIds() as their_ids:
                if not set(mine_ids.phone_number_ids).isdisjoint(their_ids.phone_number_ids):
                    raise AccountExists(account=other.name, field_name="phone_number_ids")
                if account.app_home and other.app_home and mine_ids.app_id == their_ids.app_id:
                    raise AccountExists(account=other.name, field_name="app_home")


def is_app_level(event: Event) -> bool:
    """Say whether Meta sends such an event to the app's own address only, so that its home is the app's.

    Preferences and changes of a user id always; news (``Notice``) unless its field can be overridden, and the same for
    what came in a known field without being understood.  A ``system`` message about a new user id, which has an id of
    its own where ``user_id_update`` has none, is a message like any other: of a number of another region it is refused.
    """
    match event:
        case Preference():
            return True
        case IdentityChange(change=change, event_id=own):
            return change == "user_id" and own is None
        case Notice(topic=topic) | Unclassified(topic=str(topic)):
            return topic not in OVERRIDABLE_FIELDS
        case _:
            return False


def account_of(
    accounts: Iterable[Account], channel: str, url_account: Account, via: str, *, app_level: bool = False
) -> Account | None:
    """Choose the account to which an event belongs, or ``None``: it has no account at this node.

    ``url_account`` is the one named in the address, whose secret signed the body; ``via`` is how the event names
    the business side; ``app_level`` is :func:`is_app_level` of the event.  In this order:

    1. another channel than the address's: none;
    2. ``via`` empty (a payload too broken to say): the address's account, as its secret signed;
    3. the account with that number or channel, if the same secret signs for it (LINE: only the address's own;
       WhatsApp: the same Meta app);
    4. the account with that WABA in the same app: first the address's own, then the app's home, then by name;
    5. an app-level event that came to the app's home: that account, whichever WABA it is about;
    6. none: a message for a number of another region (a dropped override falls back to the app's address).
    """
    if url_account.channel != channel:
        return None
    if via == "":
        return url_account
    match url_account.ids:
        case LineIds(bot_user_id=bot):
            return url_account if via == bot else None
        case WhatsAppIds() as ids:
            if via in ids.phone_number_ids:
                return url_account
            family = [account for account in accounts if _same_app(account, ids.app_id)]
            return _in_family(family, url_account, via, app_level)


def _in_family(family: list[Account], url_account: Account, via: str, app_level: bool) -> Account | None:
    """Apply rules 3 to 6 among the accounts of one Meta app."""
    for account in family:
        if isinstance(account.ids, WhatsAppIds) and via in account.ids.phone_number_ids:
            return account
    holders = [account for account in family if isinstance(account.ids, WhatsAppIds) and via in account.ids.waba_ids]
    if holders:
        return min(holders, key=lambda held: (held.name != url_account.name, not held.app_home, held.name))
    return url_account if app_level and url_account.app_home else None


def _same_app(account: Account, app_id: str) -> bool:
    """Say whether the app's secret signs for this account, too."""
    return isinstance(account.ids, WhatsAppIds) and account.ids.app_id == app_id


def is_country(code: str | None) -> bool:
    """Say whether this is written like a country's code, or none is given."""
    return code is None or _COUNTRY.fullmatch(code) is not None


def _is_node(name: str | None) -> bool:
    """Say whether this is written like a node's name, or none is given."""
    try:
        msgspec.convert(name, NodeName | None)
    except msgspec.ValidationError:
        return False
    return True


def _are_ids(ids: tuple[str, ...]) -> bool:
    """Say whether these are one or more different ids of digits."""
    return 1 <= len(ids) <= IDS_MAX and len(set(ids)) == len(ids) and all(_DIGITS.fullmatch(each) for each in ids)


def _want(holds: object, field_name: str, wants: str) -> None:
    """Raise ``AccountInvalid`` unless ``holds``."""
    if not holds:
        raise AccountInvalid(field_name=field_name, wants=wants)
