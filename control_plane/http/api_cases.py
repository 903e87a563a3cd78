"""``/v1/cases``: open a case, see what is owed and by whom, read the receipts."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from control_plane.core.cases import CaseState, Origin, Standing
from control_plane.core.errors import NotFound
from control_plane.core.events import CALENDAR_END, instant
from control_plane.core.paging import Position, read_cursor, write_cursor
from control_plane.http.asking import Asked, Cursor, IdempotencyKey, Limit, OpenPlane, answered, authorise, needs
from control_plane.http.problems import documented
from control_plane.storage import cases
from control_plane.storage.cases import CaseRow, ReceiptRow
from control_plane.storage.work import Work
from control_plane.usecases.casework import open_erasure
from control_plane.usecases.once import Made, Request, once
from shared import canonical
from shared.crypto.dsse import Envelope
from shared.wire import Receipt, epoch_horizon
from shared.wire.types import CaseKind, CommandKind, ReasonCode

CaseId = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{32}$", max_length=32, description="A case's drawn name.")]
SubjectReason = Literal[
    "child_consent",
    "consent_withdrawn",
    "legal_obligation",
    "no_longer_needed",
    "objection",
    "subject_request",
    "unlawful_processing",
]
"""Why a subject is erased: the reasons of the wire that are not a sender's or a viewer's."""


class CaseOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case to open."""

    kind: Literal["erasure"]
    pseudonym: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$", max_length=32)]
    reason: SubjectReason


class PlaceView(msgspec.Struct, frozen=True):
    """What one node was asked in a case, what of it is owed, and what nobody will carry out."""

    node: str
    state: Standing
    """``retired`` and ``unknown`` (to the roster): it is asked nothing, and what it had not signed for has lapsed."""
    kinds: tuple[CommandKind, ...]
    asked: int
    owed: int
    lapsed: int


class CaseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A case."""

    id: str
    kind: CaseKind
    origin: Origin
    node: str
    """That opened it, or that has the pseudonym."""
    pseudonym: str | None
    """``None`` for a recall: a message, not a subject, is taken back."""
    reason: ReasonCode
    state: CaseState
    opened_by: str
    opened_at: str
    finished_at: str | None


class CaseView(CaseSummary, frozen=True, kw_only=True):
    """A case with what is owed by whom."""

    asked: int
    owed: int
    lapsed: int
    """Commands that nobody will sign for; a case that ended with any is ``partial``, never ``finished``."""
    places: tuple[PlaceView, ...]


class CasePage(msgspec.Struct, frozen=True):
    """Cases in the order in which they were opened."""

    items: tuple[CaseSummary, ...]
    next: str | None


class SignatureView(msgspec.Struct, frozen=True):
    """One half of a signature: which key, and the signature in base64."""

    keyid: str
    sig: str


class EnvelopeView(msgspec.Struct, frozen=True, rename="camel"):
    """A DSSE envelope: what was signed in base64, what it is, and both halves of its signature."""

    payload: str
    payload_type: str
    signatures: tuple[SignatureView, ...]


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt: what the node signed, and the envelope with which that can be checked without us."""

    accepted_at: str
    epoch_horizon: str | None
    """By when at latest no older backup opens what the node destroyed; null where the receipt gives no date, or one
    after the year 9999."""
    receipt: Receipt
    envelope: EnvelopeView


class ReceiptPage(msgspec.Struct, frozen=True):
    """Receipts in the order in which they were accepted."""

    items: tuple[ReceiptView, ...]
    next: str | None


class Cases(Controller):
    """Cases."""

    path = "/v1/cases"
    tags = ("cases",)
    guards = (authorise,)

    @post("/", opt=needs("cases:open"), responses=documented(400, 401, 403, 404, 422))
    async def open_case(
        self,
        data: JSONBody[CaseOrder],
        request: Asked,
        plane: OpenPlane,
        idempotency_key: IdempotencyKey = "",
    ) -> Response[CaseSummary]:
        """Open an erasure by pseudonym.

        404 ``not_registered_yet``: no node has told of that pseudonym; repeat after its next beat.
        """
        actor = request.state.actor

        async def act(work: Work) -> Made:
            case = await open_erasure(work, data.pseudonym, data.reason, actor.principal)
            return Made(201, summary(case))

        asked = Request(actor.principal, idempotency_key, "POST", self.path, msgspec.json.encode(data))
        return answered(await once(plane.store, asked, act))

    @get("/", opt=needs("cases:read", "state", "kind", "limit", "cursor"), responses=documented(400, 401, 403, 422))
    async def list_cases(
        self,
        plane: OpenPlane,
        status: Annotated[Literal[CaseState, "any"], QueryParameter(name="state")] = "any",
        kind: FromQuery[Literal[CaseKind, "any"]] = "any",
        limit: Limit = 50,
        cursor: Cursor = "",
    ) -> CasePage:
        """List cases, the oldest first."""
        async with plane.store.database.read() as t:
            rows = await cases.page(t, read_cursor(cursor), status, kind, limit + 1)
        after = write_cursor(Position(rows[limit - 1].opened_at, rows[limit - 1].id)) if len(rows) > limit else None
        return CasePage(tuple(summary(row) for row in rows[:limit]), after)

    @get("/{case_id:str}", opt=needs("cases:read"), responses=documented(400, 401, 403, 404))
    async def show_case(self, case_id: CaseId, plane: OpenPlane) -> CaseView:
        """Show a case: its state, its places, and what each still owes."""
        async with plane.store.database.read() as t:
            row = await cases.find(t, case_id)
            if row is None:
                raise NotFound
            places = await cases.places(t, case_id)
        return CaseView(
            **msgspec.structs.asdict(summary(row)),
            asked=sum(place.asked for place in places),
            owed=sum(place.owed for place in places),
            lapsed=sum(place.lapsed for place in places),
            places=tuple(
                PlaceView(place.node, place.standing, place.kinds, place.asked, place.owed, place.lapsed)
                for place in places
            ),
        )

    @get(
        "/{case_id:str}/receipts",
        opt=needs("cases:read", "limit", "cursor"),
        responses=documented(400, 401, 403, 404, 422),
    )
    async def list_receipts(
        self, case_id: CaseId, plane: OpenPlane, limit: Limit = 50, cursor: Cursor = ""
    ) -> ReceiptPage:
        """List a case's receipts, the first accepted first."""
        async with plane.store.database.read() as t:
            if await cases.find(t, case_id) is None:
                raise NotFound
            rows = await cases.receipts(t, case_id, read_cursor(cursor), limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        after = write_cursor(Position(last.accepted_at, last.command)) if last else None
        return ReceiptPage(tuple(_receipt(row) for row in rows[:limit]), after)


def summary(row: CaseRow) -> CaseSummary:
    """Write a case for programs."""
    return CaseSummary(
        id=row.id,
        kind=row.kind,
        origin=row.origin,
        node=row.node,
        pseudonym=row.pseudonym,
        reason=row.reason,
        state=row.state,
        opened_by=row.opened_by,
        opened_at=instant(row.opened_at),
        finished_at=None if row.finished_at is None else instant(row.finished_at),
    )


def _receipt(row: ReceiptRow) -> ReceiptView:
    """Write a receipt for programs; it was verified when it was accepted."""
    receipt = canonical.decode(Receipt, row.envelope.payload)
    horizon = epoch_horizon(receipt)
    return ReceiptView(
        accepted_at=instant(row.accepted_at),
        epoch_horizon=None if horizon is None or horizon > CALENDAR_END else instant(horizon),
        receipt=receipt,
        envelope=_envelope(row.envelope),
    )


def _envelope(envelope: Envelope) -> EnvelopeView:
    """Write an envelope as the JSON that any DSSE reader takes."""
    return msgspec.json.decode(msgspec.json.encode(envelope), type=EnvelopeView)
