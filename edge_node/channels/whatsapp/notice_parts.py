"""What a change about the account says of whom, and how one person's part is cut out of it.  Pure.

Sources: WhatsApp Business Platform, "Business-scoped user ids" (2026-05-28), webhooks reference "history"
(2026-05-21), "Groups webhooks", "Calling" and "messaging-handovers".
"""

from collections.abc import Iterable, Iterator
from typing import Any

from edge_node.channels.whatsapp.normalise_messages import FROM, TO
from edge_node.channels.whatsapp.normalise_updates import RECIPIENT, SUBJECT

Place = tuple[int | str, ...]
"""Where something stands in a value."""

Whom = tuple[tuple[str, str, str], str | None, str | None, str | None]
"""The properties that name a person, and what they say: BSUID, parent BSUID, phone."""


def items_of(topic: str, detail: dict[str, Any]) -> list[tuple[Place, Whom]]:
    """List the parts of a change that may each speak of somebody else, and what names them there."""
    found: list[tuple[Place, Whom]] = []
    if topic == "calls":
        for name in ("calls", "statuses"):
            found += [((name, number), _call(item)) for number, item in _enumerated(detail.get(name))]
    elif topic == "smb_app_state_sync":
        entries = _enumerated(detail.get("state_sync"))
        found += [(("state_sync", number), _names(entry.get("contact"), "phone_number")) for number, entry in entries]
    elif topic == "history":
        for number, chunk in _enumerated(detail.get("history")):
            threads = _enumerated(chunk.get("threads"))
            found += [(("history", number, "threads", position), _thread(thread)) for position, thread in threads]
    elif topic == "group_participants_update":
        for number, group in _enumerated(detail.get("groups")):
            found += _participants(("groups", number), group)
    elif topic == "messaging_handovers":
        found.append((("sender",), _names(detail.get("sender"), "phone_number")))
    return found


def part_of(detail: dict[str, Any], places: Iterable[Place]) -> dict[str, Any]:
    """Return the items at these places with only what they need to be understood.

    That is which number of the business, and the plain values around an item, such as a group's id.
    """
    part = _explained(detail, ())
    copies: dict[Place, Any] = {(): part}
    for place in places:
        value: Any = detail
        for depth, step in enumerate(place):
            value, here = value[step], place[: depth + 1]
            if here not in copies:
                copies[here] = value
                if depth + 1 < len(place):
                    copies[here] = _explained(value, here) if isinstance(value, dict) else []
                around = copies[place[:depth]]
                if isinstance(around, list):
                    around.append(copies[here])
                else:
                    around[step] = copies[here]
    return part


def rest_of(detail: dict[str, Any], places: Iterable[Place]) -> tuple[dict[str, Any], bool]:
    """Return a change without the items at these places, and whether that says anything by itself."""
    taken = set(places)
    inner = {place[:depth] for place in taken for depth in range(len(place))}
    says = False

    def left(value: Any, at: Place) -> Any:
        nonlocal says
        copy: Any = {} if isinstance(value, dict) else []
        for step, said in value.items() if isinstance(value, dict) else enumerate(value):
            place = (*at, step)
            if place in taken:
                continue
            if place not in inner:
                says = says or isinstance(step, int) or not _explains(at, step, said)
            kept = left(said, place) if place in inner else said
            if isinstance(value, dict):
                copy[step] = kept
            else:
                copy.append(kept)
        return copy

    return left(detail, ()), says


def _explained(value: dict[str, Any], at: Place) -> dict[str, Any]:
    """Return an object's properties that its items need."""
    names = ("messaging_product", "metadata") if not at else value
    return {name: value[name] for name in names if name in value and _explains(at, name, value[name])}


def _explains(at: Place, name: str, said: Any) -> bool:
    """Say whether a property is needed to understand an item within the same object."""
    if not at:
        return name in {"messaging_product", "metadata"}
    return name == "metadata" or not isinstance(said, dict | list)


def _participants(place: Place, group: dict[str, Any]) -> Iterator[tuple[Place, Whom]]:
    """List a group's participants; a request to join names its person beside the group's id."""
    lists = [name for name in group if name.endswith("_participants") and isinstance(group[name], list)]
    for name in lists:
        for number, participant in _enumerated(group[name]):
            yield (*place, name, number), _names(participant, "wa_id" if participant.get("wa_id") else "input")
    if not lists:
        yield place, _names(group, "wa_id")


def _call(call: dict[str, Any]) -> Whom:
    """Return what names the subject of a call or of a call's status."""
    if "recipient_id" in call or "recipient_user_id" in call:
        return _said(call, RECIPIENT)
    return _said(call, TO if call.get("direction") == "BUSINESS_INITIATED" else FROM)


def _thread(thread: dict[str, Any]) -> Whom:
    """Return what names the person of a chat history's thread; the oldest have nothing but their phone as id."""
    context = thread.get("context")
    context = context if isinstance(context, dict) else {}
    return _said({"wa_id": thread.get("id"), **context}, SUBJECT)


def _names(item: Any, phone: str) -> Whom:
    """Return what names the person an item speaks of; ``phone`` is the property for their number."""
    return _said(item if isinstance(item, dict) else {}, (*SUBJECT[:2], phone))


def _said(item: dict[str, Any], names: tuple[str, str, str]) -> Whom:
    """Return names with what they say, where that is text."""
    user, parent, phone = (value if isinstance(value := item.get(name), str) else None for name in names)
    return names, user, parent, phone


def _enumerated(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give a list's items with their places; one that is no object says nothing."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield number, item if isinstance(item, dict) else {}
