"""Casework: cases open, places get commands, receipts come back, nothing is owed.

Everything of one message is written in one transaction, and every step may be repeated: the same notice, receipt or
request again changes nothing.
"""

import hashlib
from collections.abc import Iterable

from control_plane.core.cases import ENDED, CaseState, erasure_at, judge_receipt, orders_at, state_of
from control_plane.core.errors import Conflict, NotKnownYet, NotRegisteredYet, PseudonymClaimed
from control_plane.core.events import EventData
from control_plane.storage import cases, registrations
from control_plane.storage.cases import CaseRow, Tally
from control_plane.storage.work import Work
from shared.wire import CaseNotice, Place, RecallNotice, Receipt, ReceiptPush
from shared.wire.types import ReasonCode


async def open_erasure(work: Work, pseudonym: str, reason: ReasonCode, by: str) -> CaseRow:
    """Open an erasure for a program; its node is asked.  ``NotRegisteredYet`` where no node has the pseudonym.

    Where that node was retired, the case ends at once, and says so: nobody can be asked.
    """
    node = await registrations.holder(work.t, pseudonym)
    if node is None:
        raise NotRegisteredYet
    case = await cases.open_case(
        work,
        id_=work.draw_id(),
        kind="erasure",
        origin="program",
        node=node,
        reason=reason,
        opened_by=by,
        pseudonym=pseudonym,
    )
    await _say_opened(work, case)
    await cases.command(work, case, [erasure_at(node, pseudonym)])
    return await _settle(work, case)


async def take_case(work: Work, node: str, notice: CaseNotice) -> None:
    """Take in that ``node`` opened a case: it acts at once, and the places it names are asked.

    ``PseudonymClaimed`` where another node holds the pseudonym, ``Conflict`` where another case has the id.
    """
    if await registrations.register(work.t, node, (notice.pseudonym,), work.now):
        raise PseudonymClaimed
    case = await cases.find(work.t, notice.case)
    if case is None:
        case = await cases.open_case(
            work,
            id_=notice.case,
            kind=notice.kind,
            origin="node",
            node=node,
            reason=notice.reason,
            opened_by=node,
            pseudonym=notice.pseudonym,
        )
        await _say_opened(work, case)
        if notice.kind == "erasure":
            await cases.own_command(work, case, erasure_at(node, notice.pseudonym))
    elif (case.node, case.pseudonym, case.origin) != (node, notice.pseudonym, "node"):
        raise Conflict
    await _ask_places(work, case, node, notice.places)


async def take_recall(work: Work, node: str, notice: RecallNotice) -> None:
    """Take in that a message is gone at ``node``: where it was shown, it is taken back, for the same reason."""
    case = await cases.find_recall(work.t, node, notice.recall)
    if case is None:
        case = await cases.open_case(
            work,
            id_=work.draw_id(),
            kind="recall",
            origin="node",
            node=node,
            reason=notice.reason,
            opened_by=node,
            recall=notice.recall,
        )
        await _say_opened(work, case)
    await _ask_places(work, case, node, notice.disclosed_to)


async def take_receipt(work: Work, node: str, push: ReceiptPush, receipt: Receipt) -> bool:
    """Take a receipt in that ``node`` signed; say whether it is new.

    ``NotKnownYet``, ``ReceiptMisplaced``, ``ReceiptContradicts``.  Where an erasure was done, the places it names are
    asked.
    """
    asked = await cases.asked(work.t, receipt.command)
    case = await cases.find(work.t, asked.case) if asked is not None else None
    if asked is None or case is None:
        raise NotKnownYet
    sha256 = hashlib.sha256(push.envelope.payload).hexdigest()
    fresh = judge_receipt(receipt, node, asked, sha256)
    if fresh:
        await cases.keep_receipt(work, asked, push.envelope, sha256)
    if asked.kind == "erase" and push.places:
        await cases.command(work, case, orders_at(case.kind, node, push.places))
    if fresh:
        state, tally = await _state(work, case)
        data = EventData(case=case.id, kind=asked.kind, node=node, state=state, owed=tally.owed)
        await work.tell("case.receipt", data)
    await _settle(work, case)
    return fresh


async def follow_roster(work: Work) -> None:
    """Let cases follow a roster that comes into force: what its retired nodes owed, nobody owes any more."""
    for id_ in sorted(await cases.follow_members(work)):
        case = await cases.find(work.t, id_)
        if case is not None:
            await _settle(work, case)


async def _ask_places(work: Work, case: CaseRow, node: str, places: Iterable[Place]) -> None:
    """Ask the places that a notice names; a case that asks nobody is finished."""
    await cases.command(work, case, orders_at(case.kind, node, places))
    await _settle(work, case)


async def _state(work: Work, case: CaseRow) -> tuple[CaseState, Tally]:
    """Say how a case stands now, and count its commands."""
    tally = await cases.tally(work.t, case.id)
    return state_of(*tally), tally


async def _settle(work: Work, case: CaseRow) -> CaseRow:
    """Write down how a case stands; tell programs where it has ended now, or had and has no more."""
    state, tally = await _state(work, case)
    if state == case.state:
        return case
    await cases.set_state(work, case.id, state)
    data = EventData(
        case=case.id,
        kind=case.kind,
        node=case.node,
        pseudonym=case.pseudonym,
        state=state,
        owed=tally.owed,
        lapsed=tally.lapsed or None,
    )
    if state == "finished":
        await work.tell("case.finished", data)
    elif state == "partial":
        await work.tell("case.partial", data)
    elif case.state in ENDED:
        await work.tell("case.reopened", data)
    return case._replace(state=state)


async def _say_opened(work: Work, case: CaseRow) -> None:
    """Tell programs of a new case."""
    data = EventData(case=case.id, kind=case.kind, reason=case.reason, node=case.node, pseudonym=case.pseudonym)
    await work.tell("case.opened", data)
