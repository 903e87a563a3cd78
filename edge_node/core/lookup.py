"""What somebody who holds a letter may type, and the identifiers it could be at this node's accounts.

A phone number is written in many ways and the platforms write it in one: WhatsApp's ``wa_id`` is E.164 without the
plus.  In two countries the ``wa_id`` of older accounts follows an older numbering plan, so each of two spellings is
looked up.
"""

import re
from collections.abc import Callable, Mapping

import phonenumbers

from shared.message import Identifier

TYPED_MAX = 200
"""Characters of an input: an id or number is far shorter."""

_LINE_USER = re.compile(r"U[0-9a-f]{32}")
_MEXICO_OLD = re.compile(r"\+?521([0-9]{10})")
_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


def identifiers_of(typed: str, country: str | None) -> tuple[Identifier, ...]:
    """Give the identifiers that ``typed`` could be; none where it is nothing that a platform names people by.

    ``country`` (ISO 3166-1 alpha-2) says whose national numbering plan a phone number without a country code follows.
    """
    text = typed.strip()
    if not text or len(text) > TYPED_MAX:
        return ()
    if _LINE_USER.fullmatch(text):
        return (Identifier("line_user", text),)
    if _BSUID.fullmatch(text):
        kind = ("whatsapp_parent_user",) if ".ENT." in text else ("whatsapp_user",)
        return tuple(Identifier(each, text) for each in kind)  # type: ignore[arg-type]  # both are kinds
    return tuple(Identifier("whatsapp_phone", wa_id) for wa_id in _wa_ids(text, country))


def _wa_ids(text: str, country: str | None) -> tuple[str, ...]:
    """Give every ``wa_id`` a phone number may have."""
    digits = re.sub(r"[^0-9+]", "", text)
    if country is None and digits == text:
        text = f"+{digits}"  # a wa_id, as a platform writes it
    old = _MEXICO_OLD.fullmatch(digits)
    if old:
        text = f"+52{old[1]}"  # no numbering plan of today has the 1 any more
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return ()
    if not phonenumbers.is_possible_number(number):
        return ()
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    other = _SPELLINGS.get(number.country_code or 0, _only)(e164)
    return tuple(dict.fromkeys((e164, *other)))


def _only(digits: str) -> tuple[str, ...]:
    """One spelling."""
    del digits
    return ()


def _brazil(digits: str) -> tuple[str, ...]:
    """Mobile numbers gained a ninth digit, 9, after the area code; accounts made before keep eight (Anatel, 2016)."""
    area, subscriber = digits[2:4], digits[4:]
    if len(subscriber) == 9 and subscriber.startswith("9"):
        return (f"55{area}{subscriber[1:]}",)
    if len(subscriber) == 8 and subscriber[0] in "6789":
        return (f"55{area}9{subscriber}",)
    return ()


def _mexico(digits: str) -> tuple[str, ...]:
    """Mobile numbers carried a 1 after the country code until 2019; accounts made before keep it (IFT, 2019)."""
    rest = digits[2:]
    return (f"521{rest}",) if len(rest) == 10 else ()


_SPELLINGS: Mapping[int, Callable[[str], tuple[str, ...]]] = {52: _mexico, 55: _brazil}
"""By country code: the other spellings of a ``wa_id``."""
