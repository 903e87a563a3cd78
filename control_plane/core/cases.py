"""What a case is: the places it reaches, the commands they get, what is owed, and when it is finished.  Pure.

A case's places are the pseudonym's node and every node that it disclosed content to; they are computed when the case
opens, and again with every notice and receipt that names some.  What is asked of a place is a set: naming a place
twice, in any order, in one message or several, asks once.  A case is

- ``open`` while nobody has signed for anything,
- ``waiting`` while some have and others owe,
- ``finished`` when nothing is owed, and everything that was asked was signed for,
- ``partial`` when nothing is owed any more, and something will never be signed for: the roster retired its node, or
  knows no node of that name.  It has ended, and says of what nothing is known.

A place named later, by the node that opened the case or that was erased, makes a case that has ended wait again: it
would not be true otherwise.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from control_plane.core.errors import ReceiptContradicts, ReceiptMisplaced
from shared.wire import Place, Receipt
from shared.wire.types import CaseKind, CommandKind

CaseState = Literal["finished", "open", "partial", "waiting"]
ENDED: frozenset[CaseState] = frozenset({"finished", "partial"})
Lapse = Literal["retired", "unknown"]
"""Why nobody will carry a command out."""
Standing = Literal["active", "barred", "retired", "unknown"]
"""How a place stands: as the roster says, and ``barred`` where it is refused here before a roster retires it."""
Origin = Literal["node", "program"]

_AT_PLACES: dict[CaseKind, CommandKind] = {"erasure": "close_view", "recall": "recall"}
"""What is asked where content was disclosed: an erasure closes the views that hold copies, a recall takes one back."""


class Order(NamedTuple):
    """What a command asks, apart from its id: of whom, to do what, with what."""

    node: str
    kind: CommandKind
    discloser: str
    """Whose name of a disclosure ``target`` is; empty where it is a pseudonym."""
    target: str


class Asked(NamedTuple):
    """A command as a receipt is compared with it."""

    command: str
    case: str
    node: str
    kind: CommandKind
    receipt_sha256: str | None
    """Of the receipt that was accepted for it."""


def erasure_at(node: str, pseudonym: str) -> Order:
    """Give what an erasure asks of the pseudonym's node."""
    return Order(node, "erase", "", pseudonym)


def orders_at(kind: CaseKind, discloser: str, places: Iterable[Place]) -> list[Order]:
    """Give what a case asks of the places that ``discloser`` names, each once, in an order of its own.

    A node that names itself is passed over: what it showed its own people is its own to remove.
    """
    wanted = {
        Order(place.node, _AT_PLACES[kind], discloser, disclosure)
        for place in places
        if place.node != discloser
        for disclosure in place.disclosures
    }
    return sorted(wanted)


def lapse_of(in_roster: Literal["active", "retired"] | None) -> Lapse | None:
    """Say why a node will never carry out what it is asked; ``None`` where it may, also while it is barred."""
    if in_roster is None:
        return "unknown"
    return "retired" if in_roster == "retired" else None


def standing_of(in_roster: Literal["active", "retired"] | None, *, barred: bool) -> Standing:
    """Say how a place stands; what officers decided comes before what was barred here."""
    lapse = lapse_of(in_roster)
    if lapse is not None:
        return lapse
    return "barred" if barred else "active"


def state_of(owed: int, done: int, lapsed: int) -> CaseState:
    """Say how a case stands, from how many commands are owed, signed for, and will never be."""
    if not owed:
        return "partial" if lapsed else "finished"
    return "waiting" if done else "open"


def judge_receipt(receipt: Receipt, signer: str, asked: Asked, sha256: str) -> bool:
    """Say whether a receipt is new; the signature has been checked.

    ``ReceiptMisplaced`` where it is of another node, for another case or about another act than was asked;
    ``ReceiptContradicts`` where another one was accepted for the same command.
    """
    for field, said, wanted in (
        ("node", receipt.node, signer),
        ("command", receipt.command, asked.command),
        ("node", receipt.node, asked.node),
        ("case", receipt.case, asked.case),
        ("kind", receipt.kind, asked.kind),
    ):
        if said != wanted:
            raise ReceiptMisplaced(reason=field)
    if asked.receipt_sha256 is None:
        return True
    if asked.receipt_sha256 != sha256:
        raise ReceiptContradicts
    return False
