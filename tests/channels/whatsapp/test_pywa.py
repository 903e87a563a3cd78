"""A library of others over the same bodies: what it understands is understood here, and says the same."""

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from shared.message import Edit, IdentityChange, Message, Notice, Preference, Reaction, Recall, Relation, Status, Text
from tests.channels.whatsapp.cases import FIXTURES, parse

pywa = pytest.importorskip("pywa", reason="pywa is not installed")

KINDS: dict[str, tuple[type, ...]] = {
    "Message": (Message, Reaction, Relation),
    "OutgoingMessage": (Message, Reaction, Relation),
    "EditedMessage": (Edit,),
    "OutgoingEditedMessage": (Edit,),
    "DeletedMessage": (Recall,),
    "OutgoingDeletedMessage": (Recall,),
    "CallbackButton": (Message,),
    "CallbackSelection": (Message,),
    "CallPermissionUpdate": (Message,),
    "FlowCompletion": (Message,),
    "MessageStatus": (Status, Recall),
    "IdentityChange": (IdentityChange,),
    "PhoneNumberChange": (IdentityChange,),
    "UserMarketingPreferences": (Preference,),
    "AccountUpdate": (Notice,),
    "CallConnect": (Notice,),
    "TemplateStatusUpdate": (Notice,),
}
"""Its updates, and what they are here.  Whom they name is not compared: pywa takes the first contact, whoever it is."""

SENSELESS = {"empty_id"}
"""What pywa takes at its word."""


def changes() -> Iterator[Any]:
    """Give every change of every fixture as a body of its own."""
    for fixture in FIXTURES:
        body = json.loads(fixture.read_bytes()) if fixture.stem not in SENSELESS else {}
        for entry in body.get("entry", ()) if isinstance(body, dict) else ():
            listed = entry.get("changes") if isinstance(entry, dict) else None
            for number, change in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(change, dict):
                    one = {"object": body["object"], "entry": [{**entry, "changes": [change]}]}
                    yield pytest.param(one, id=f"{fixture.stem}-{number}")


@pytest.fixture(scope="module")
def client() -> Any:
    logging.getLogger("pywa").setLevel(logging.CRITICAL)
    return pywa.WhatsApp(phone_id="1", token="x", server=None, verify_token="x", filter_updates=False)


def theirs(client: Any, body: Any) -> Any:
    """Return pywa's update, the first of the body's only; ``None`` where it knows or takes none."""
    raw = pywa.types.RawUpdate(json.dumps(body), hmac_header=None, update_hash="x")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            handler = client._get_handler_type(raw)
            update = handler._update.from_update(client=client, update=raw) if handler else None
        except (ValueError, TypeError, LookupError, AttributeError):
            return None
    return None if "UNKNOWN" in str(getattr(update, "type", "")).upper() else update


@pytest.mark.parametrize("body", list(changes()))
def test_what_pywa_understands_is_understood_and_says_the_same(client: Any, body: Any):
    update = theirs(client, body)
    events = parse(body)
    if update is None:
        return
    event: Any = events[0]
    assert isinstance(event, KINDS[type(update).__name__])
    if isinstance(event, Message) and isinstance(event.content, Text):
        assert (event.message_id, event.content.text) == (update.id, update.text)
    if isinstance(event, Recall | Edit):
        assert event.message_id in {getattr(update, "original_message_id", None), update.id}
