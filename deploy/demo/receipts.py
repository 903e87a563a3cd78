"""Receipts of a case as the control plane's API gives them, each checked here with the keys in the officers' roster."""

from typing import Any

import msgspec

from deploy.demo.narrator import plural
from deploy.demo.stage import Stage
from shared.crypto.dsse import Envelope
from shared.crypto.signing import PublicKeys
from shared.errors.trust import SignatureInvalid
from shared.roster import Roster
from shared.wire import Receipt
from shared.wire.receipt import open_receipt


async def show_receipts(stage: Stage, case: str, roster: Roster) -> list[Receipt]:
    """Show a case's receipts; check each signature, and that no other node could have made it."""
    page = await stage.company.plane.get(f"/v1/cases/{case}/receipts?limit=100")
    said: dict[str, list[bool]] = {}
    found = []
    for item in page["items"]:
        envelope = msgspec.convert(item["envelope"], Envelope)
        node = str(item["receipt"]["node"])
        receipt = opened(envelope, keys_of(roster, node))
        others = [opened(envelope, keys_of(roster, each.name)) for each in roster.nodes if each.name != node]
        if receipt is not None:
            found.append(receipt)
        proved = receipt is not None and receipt.case == case and receipt.node == node and others == [None]
        said.setdefault(_words(receipt) if receipt is not None else f"{node}: not to be read", []).append(proved)
    for words, proofs in said.items():
        count = f" ({len(proofs)} times, once for each message shown)" if len(proofs) > 1 else ""
        stage.tell.line("receipt", f"{words}{count}")
        stage.tell.check(f"signed by {words[:2]}, for this case, and by nobody else", all(proofs))
    return found


def keys_of(roster: Roster, name: str) -> PublicKeys:
    """Give the keys with which a node signs, as the officers listed them."""
    node = roster.active(name)
    if node is None:
        raise SignatureInvalid
    return PublicKeys(node.keys.ed25519, node.keys.mldsa65)


def opened(envelope: Envelope, keys: PublicKeys) -> Receipt | None:
    """Give the receipt if these keys signed it."""
    try:
        return open_receipt(envelope, keys)
    except SignatureInvalid:
        return None


def owed(case: dict[str, Any]) -> str:
    """Say what is owed, and by whom."""
    places = [f"{place['node']} owes {place['owed']} of {place['asked']}" for place in case["places"]]
    return f"{case['state']}: {', '.join(places)}"


def _words(receipt: Receipt) -> str:
    """Say what a node says that it did."""
    results = [f"{each.store} {each.method} {each.count}" for each in receipt.results if each.count or each.until]
    return f"{receipt.node} did {receipt.kind}: {', '.join(results) or plural(0, 'row')}; keys: {receipt.provider}"
