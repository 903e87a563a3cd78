"""The webhook body of the WhatsApp Business Platform, exactly as Meta names it, down to the single update.

Source: WhatsApp Business Platform, webhooks overview (2026-04-29), reference "messages" (2026-06-17), "status"
(2026-04-30), "user_preferences" (2025-11-05) and "Business-scoped user ids" (2026-05-28).  Lists are kept raw and read
item by item, so that one bad update never drops its neighbours.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edge_node.channels.whatsapp.payload_contents import MessageId, Part

Stamp = str | int | float | None
"""Seconds as a string or a number; in some fields and at times milliseconds."""

Short = Annotated[str, Meta(max_length=256)]
"""What goes with every event around it: unbounded, one long string could be copied a thousand times."""

Name = Annotated[str, Meta(max_length=1_024)]
"""The same for what people call themselves (Meta allows a fraction of it)."""

ABSENT = msgspec.Raw()
"""A raw part that was not there: this very object, so that asking for it costs nothing."""

OBJECT = "whatsapp_business_account"
"""The only ``object`` that is WhatsApp's; one address may also be subscribed to others of Meta's."""

ITEM_FIELDS = frozenset(
    {"messages", "smb_message_echoes", "message_echoes", "standby", "user_preferences", "user_id_update"}
)
"""Fields whose updates are understood one by one."""

ECHO_FIELDS = frozenset({"smb_message_echoes", "message_echoes"})
"""Fields that tell what the business itself sent from its phone."""

NOTICE_FIELDS = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_settings_update",
        "account_update",
        "automatic_events",
        "business_capability_update",
        "business_status_update",
        "business_username_update",
        "business_username_updates",
        "calls",
        "consumer_profile",
        "flows",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "history",
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "messaging_handovers",
        "partner_solutions",
        "payment_configuration_update",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
        "smb_app_state_sync",
        "template_category_update",
        "template_correct_category_detection",
        "tracking_events",
    }
)
"""The other fields Meta documents; their changes become notices."""


class Webhook(Part, frozen=True, kw_only=True):
    """A body."""

    object: str
    entry: list[msgspec.Raw]


class Entry(Part, frozen=True, kw_only=True):
    """One business account's changes; ``id`` is the WABA id, ``time`` comes with account-type fields only."""

    changes: list[msgspec.Raw]
    id: Short | int | None = None
    time: Short | int | float | None = None


class Change(Part, frozen=True, kw_only=True):
    """One field's change."""

    field: str
    value: msgspec.Raw


class Metadata(Part, frozen=True, kw_only=True):
    """The business's number."""

    phone_number_id: Short | int | None = None
    display_phone_number: str | int | None = None


class Value(Part, frozen=True, kw_only=True):
    """What most values of a field in ``ITEM_FIELDS`` hold; a raw part that is absent is empty."""

    messaging_product: str | None = None
    metadata: Metadata | None = None
    contacts: list[msgspec.Raw] | None = None
    messages: list[msgspec.Raw] | None = None
    message_echoes: list[msgspec.Raw] | None = None
    statuses: list[msgspec.Raw] | None = None
    user_preferences: list[msgspec.Raw] | None = None
    user_id_update: list[msgspec.Raw] | None = None
    errors: msgspec.Raw = ABSENT


class WholeValue(Value, frozen=True, kw_only=True):
    """Everything such a value can hold.

    ``conversation_context`` sums up what was said before these messages (page "conversation-context"); ``standby``
    holds lists of the same kinds from a conversation that another has (page "standby", 2026-08-04).
    """

    conversation_context: msgspec.Raw = ABSENT
    standby: msgspec.Raw = ABSENT


class LooseValue(Part, frozen=True, kw_only=True):
    """The same where one of its parts is of another type than documented: each part is then read by itself."""

    messaging_product: msgspec.Raw = ABSENT
    metadata: msgspec.Raw = ABSENT
    contacts: msgspec.Raw = ABSENT
    messages: msgspec.Raw = ABSENT
    message_echoes: msgspec.Raw = ABSENT
    statuses: msgspec.Raw = ABSENT
    user_preferences: msgspec.Raw = ABSENT
    user_id_update: msgspec.Raw = ABSENT
    errors: msgspec.Raw = ABSENT
    conversation_context: msgspec.Raw = ABSENT
    standby: msgspec.Raw = ABSENT


class Profile(Part, frozen=True, kw_only=True):
    """How a person calls themselves; ``username`` comes with and without a leading ``@``."""

    name: Name | None = None
    username: Name | None = None


class Contact(Part, frozen=True, kw_only=True):
    """A person spoken of in the same value; ``wa_id`` is absent where the phone is withheld."""

    profile: Profile | None = None
    wa_id: Short | None = None
    user_id: Short | None = None
    parent_user_id: Short | None = None
    identity_key_hash: Short | None = None


class OrdinaryValue(Value, frozen=True, kw_only=True):
    """The same with its contacts read at once."""

    contacts: list[Contact] | None = None  # type: ignore[assignment]  # read, not raw: msgspec takes the last word


class OrdinaryChange(Part, frozen=True, kw_only=True):
    """A change of a field in ``ITEM_FIELDS``."""

    field: str
    value: OrdinaryValue


class OrdinaryEntry(Part, frozen=True, kw_only=True):
    """An entry of such changes."""

    changes: list[OrdinaryChange]
    id: Short | int | None = None
    time: Short | int | float | None = None


class OrdinaryWebhook(Part, frozen=True, kw_only=True):
    """A body of such entries without a surprise in its envelope: one decode reads it down to the updates."""

    object: str
    entry: list[OrdinaryEntry]


class StatusObject(Part, frozen=True, kw_only=True):
    """What became of a message sent.

    The recipient's parent BSUID has three names in Meta's own examples, the participant's phone two.  With
    ``recipient_type: group``, ``recipient_id`` is the group and the participant properties name the person.
    """

    id: MessageId
    status: str
    timestamp: Stamp = None
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    recipient_parent_user_id: str | None = None
    parent_recipient_user_id: str | None = None
    parent_user_id: str | None = None
    recipient_type: str | None = None
    recipient_participant_id: str | None = None
    participant_recipient_id: str | None = None
    recipient_participant_user_id: str | None = None
    recipient_participant_parent_user_id: str | None = None
    recipient_identity_key_hash: str | None = None
    biz_opaque_callback_data: str | None = None
    conversation: dict[str, Any] | None = None
    pricing: dict[str, Any] | None = None
    errors: list[dict[str, Any]] | None = None


class PreferenceObject(Part, frozen=True, kw_only=True):
    """A subject's choice about a category of messages."""

    category: str
    value: str
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    detail: str | None = None
    timestamp: Stamp = None
    signup_id: Any = None


class Pair(Part, frozen=True, kw_only=True):
    """An identifier before and after."""

    previous: str | None = None
    current: str | None = None


class IdUpdateObject(Part, frozen=True, kw_only=True):
    """A BSUID that changed with the phone number: the only webhook that carries the old and the new one."""

    user_id: Pair
    parent_user_id: Pair | None = None
    wa_id: str | None = None
    detail: str | None = None
    timestamp: Stamp = None
