"""Lead the people of a batch to their subjects; first contacts get a pseudonym, a key and a conversation.

Everything new is committed before any message of it is sealed: keys first, then rows.  Where another process was
first, its pseudonym stands and ours is discarded.
"""

from collections.abc import Iterable, Sequence

import msgspec

from edge_node.core.people import WEAK, Resolution, resolve
from edge_node.core.suppression import stays_out
from edge_node.storage.content.people import Group, Known, NewGroup, NewIdentity, People, PeopleChange
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.receiving.filing import Filed
from edge_node.usecases.receiving.law_noting import note_laws
from edge_node.usecases.receiving.newcomers import Blinds, Decided, Newcomer, Plan, newcomer_of, time_of
from shared.clock import DAY
from shared.crypto import BlindIndex, content_place, seal_once
from shared.database.contract import ScriptRefused
from shared.errors import KeyCurrentChanged, StoreUnavailable
from shared.ids import draw_opaque_id, draw_pseudonym
from shared.message import Identifier

_ATTEMPTS = 8
_MEMORY_MAX = 20_000

Home = tuple[Known | None, Group | None]
"""Where a row belongs: its subject, if anybody is known, and its group conversation, if it is one."""


class Resolver:
    """Finds, and where need be makes, the subject or group that a row belongs to."""

    def __init__(self, people: People, keys: KeyStore, identity: BlindIndex, group: BlindIndex, judge: Judge) -> None:
        """Take what knows people, keys and laws, and the current blind indexes of identities and groups."""
        self._judge = judge
        self._people = people
        self._keys = keys
        self._identities = identity
        self._groups = group
        self._memory: dict[tuple[str, tuple[Identifier, ...]], Blinds] = {}

    @property
    def people_counter(self) -> int:
        """Give the counter of closed identities that what is remembered holds for."""
        return self._people.counter

    async def forget(self) -> None:
        """Read everything about people anew."""
        await self._people.forget()

    async def sift(self, rows: Sequence[Filed]) -> tuple[Sequence[Filed], int]:
        """Leave out the rows of people who were erased after they were sent; give the others and how many stay out."""
        if not self._people.any_erased:
            return rows, 0
        await self._people.read((blind for filed in rows for blind in self._blinds(filed)), ())
        kept = [filed for filed in rows if not self._is_suppressed(filed)]
        return kept, len(rows) - len(kept)

    def _is_suppressed(self, filed: Filed) -> bool:
        """Say whether a row stays out."""
        erased = map(self._people.erased, self._blinds(filed))
        return stays_out(time_of(filed), [at for at in erased if at is not None])

    async def settle(self, rows: Sequence[Filed], now: int) -> list[Home]:
        """Make sure that every person and group of ``rows`` is known; give where each row belongs, in their order.

        ``rows`` were sifted right before; ``KeyCurrentChanged`` where one of their people was erased since.
        """
        if len(self._memory) > _MEMORY_MAX:
            self._memory.clear()
        fixed: set[bytes] = set()
        sifted = self._people.counter
        for _ in range(_ATTEMPTS):
            if self._people.counter != sifted:
                if (await self.sift(rows))[1]:
                    raise KeyCurrentChanged
                sifted = self._people.counter
            names = [(self._blinds(filed), self._group_blind(filed)) for filed in rows]
            newcomers, groups = await self._look_up(rows, names, fixed)
            if not newcomers and not groups:
                return [self._home(*name) for name in names]
            plan = Plan(fixed=set(fixed))
            try:
                await self._welcome(newcomers, groups, plan, now)
            except KeyCurrentChanged:
                continue
            fixed = plan.fixed
        raise StoreUnavailable(store="content")

    def _blinds(self, filed: Filed) -> Blinds:
        """Give the blind indexes of a row's person, most lasting first; computed once for a person seen often."""
        person, scope = filed.person, filed.taken.scope
        if person is None:
            return ()
        name = (scope, person.identifiers)
        blinds = self._memory.get(name)
        if blinds is None:
            of = self._identities.of
            blinds = self._memory[name] = tuple(of(scope, each.kind, each.value) for each in person.identifiers)
        return blinds

    def _group_blind(self, filed: Filed) -> bytes | None:
        """Compute the blind index of a row's group."""
        group = filed.event.group
        return self._groups.of(filed.taken.scope, group.kind, group.value) if group else None

    def _home(self, blinds: Blinds, group: bytes | None) -> Home:
        """Give where a row belongs: the most lasting known identity decides."""
        subject = None
        for blind in blinds:
            subject = self._people.known(blind)
            if subject is not None:
                break
        return subject, self._people.group(group) if group is not None else None

    async def _look_up(
        self, rows: Sequence[Filed], names: Sequence[tuple[Blinds, bytes | None]], fixed: set[bytes]
    ) -> tuple[list[Newcomer], dict[bytes, Identifier]]:
        """Read what is not remembered; give who and what is new, or not known under every identifier."""
        persons: dict[Blinds, Filed] = {}
        groups: dict[bytes, Identifier] = {}
        for filed, (blinds, group) in zip(rows, names, strict=True):
            if blinds:
                persons.setdefault(blinds, filed)  # whoever is new began with the first of the batch
            if group is not None and filed.event.group is not None:
                groups[group] = filed.event.group
        await self._people.read((blind for blinds in persons for blind in blinds), groups)
        newcomers = [
            newcomer_of(filed, filed.person.identifiers, blinds)
            for blinds, filed in persons.items()
            if filed.person is not None and not await self._is_settled(filed, filed.person.identifiers, blinds, fixed)
        ]
        return newcomers, {blind: group for blind, group in groups.items() if self._people.group(blind) is None}

    async def _is_settled(
        self, filed: Filed, identifiers: tuple[Identifier, ...], blinds: Blinds, fixed: set[bytes]
    ) -> bool:
        """Say whether nothing about a person is left to decide."""
        found = [self._people.known(blind) for blind in blinds]
        first = found[0]
        if first is not None and all(known is not None and known.subject == first.subject for known in found):
            return True
        if first is None:
            return False
        return not (await self._decide(newcomer_of(filed, identifiers, blinds), Plan(fixed=fixed))).attach

    async def _decide(self, newcomer: Newcomer, plan: Plan) -> Resolution:
        """Resolve one person against the store and what this batch has planned already."""
        identifiers, blinds, at = newcomer[:3]
        known: dict[int, int] = {}
        later: set[int] = set()
        for position, blind in enumerate(blinds):
            stored = self._people.known(blind)
            if blind in plan.subjects:
                known[position] = plan.subjects[blind]
            elif stored is not None:
                known[position] = stored.subject
                if stored.since > at and identifiers[position].kind in WEAK:
                    later.add(position)
        lasting: dict[int, set[str]] = {}
        for subject in set(known.values()):
            others = await self._people.others(subject) if subject > 0 else []
            found = plan.lasting.get(subject, {}) | {blind: kind for kind, blind in others if kind not in WEAK}
            lasting[subject] = {kind for blind, kind in found.items() if blind not in blinds}
        resolution = resolve(identifiers, known, lambda subject, kind: kind in lasting[subject], later)
        free = tuple(position for position in resolution.attach if blinds[position] not in plan.fixed)
        return Resolution(resolution.subject, free, tuple(each for each in resolution.close if each in free))

    async def _welcome(
        self, newcomers: Iterable[Newcomer], groups: dict[bytes, Identifier], plan: Plan, now: int
    ) -> None:
        """Decide, seal and commit everything new of a batch; ``KeyCurrentChanged`` to look again."""
        decided: list[Decided] = []
        names: dict[int, str] = {}
        firsts: dict[str, int] = {}
        change = PeopleChange()
        for newcomer in newcomers:
            resolution = await self._decide(newcomer, plan)
            subject = resolution.subject
            change.on_weak_word = change.on_weak_word or self._is_weak_word(newcomer, resolution)
            if subject is None:
                subject = -len(decided) - 1
                name = draw_pseudonym(self._keys.entropy)
                firsts[name] = newcomer.at
                change.conversations.append((draw_opaque_id(self._keys.entropy), newcomer.at, name))
                names[subject] = name
            elif subject not in names:
                names[subject] = self._pseudonym_of(subject, newcomer.blinds)
            plan.place(newcomer, resolution, subject)
            decided.append(Decided(newcomer, resolution, names[subject]))
        change.subjects, change.raised = await note_laws(self._people, self._judge, decided, firsts)
        standing = [name for subject, name in names.items() if subject > 0]
        await self._keys.reserve(3 * sum(len(each[0].blinds) + 1 for each in decided) + 3 * len(groups) + 1)
        await self._keys.remember(standing)
        draft = self._keys.draft(standing, now)
        for name in firsts:
            draft.owner(name, "subject")
        planned: set[bytes] = set()
        for each in decided:
            self._plan_identities(draft, change, planned, *each)
        for blind, identifier in groups.items():
            self._plan_group(draft, change, blind, identifier, now)
        change.intent = draft.id
        await self._apply(draft, change, now)

    def _is_weak_word(self, newcomer: Newcomer, resolution: Resolution) -> bool:
        """Say whether a lasting identity goes to a standing subject whom only a weak one leads to."""
        lasting = [place for place, each in enumerate(newcomer.identifiers) if each.kind not in WEAK]
        leads = any(self._people.known(newcomer.blinds[place]) is not None for place in lasting)
        return (resolution.subject or 0) > 0 and not leads and any(place in resolution.attach for place in lasting)

    def _pseudonym_of(self, subject: int, blinds: Blinds) -> str:
        """Give the pseudonym of a standing subject."""
        for known in map(self._people.known, blinds):
            if known is not None and known.subject == subject:
                return known.pseudonym
        raise KeyCurrentChanged

    def _plan_identities(
        self,
        draft: Draft,
        change: PeopleChange,
        planned: set[bytes],
        newcomer: Newcomer,
        resolution: Resolution,
        pseudonym: str,
    ) -> None:
        """Seal a person's new identifiers and end those that were another's; ``planned`` are placed already."""
        for position in resolution.attach:
            blind, identifier = newcomer.blinds[position], newcomer.identifiers[position]
            if blind in planned:
                continue
            planned.add(blind)
            if position in resolution.close:
                change.closings.append((newcomer.at, blind))
            key, secret, nonce = draft.row(pseudonym, "identity", blind)
            place = content_place(self._keys.region, pseudonym, "identity", "sealed", key)
            sealed = seal_once(secret, nonce, msgspec.json.encode(identifier), place)
            version = self._identities.version
            change.identities.append(NewIdentity(identifier.kind, blind, version, newcomer.at, key, sealed, pseudonym))

    def _plan_group(self, draft: Draft, change: PeopleChange, blind: bytes, identifier: Identifier, now: int) -> None:
        """Seal a group's identifier under a key of its conversation for the day."""
        name, owner = draw_opaque_id(self._keys.entropy), draw_opaque_id(self._keys.entropy)
        draft.owner(owner, "conversation", name, now // DAY)
        key, secret, nonce = draft.row(owner, "conversation", blind)
        place = content_place(self._keys.region, owner, "conversation", "sealed", key)
        sealed = seal_once(secret, nonce, msgspec.json.encode(identifier), place)
        change.groups.append(NewGroup(name, blind, self._groups.version, key, sealed, now))

    async def _apply(self, draft: Draft, change: PeopleChange, now: int) -> None:
        """Commit keys, then rows; where another process was first, discard ours and look again."""
        await self._keys.commit(draft, now)
        try:
            await self._people.apply(change)
        except ScriptRefused:
            rows, owners = [row[0] for row in draft.row_rows], [row[1] for row in draft.owner_rows]
            await discard_unused(self._keys, rows, owners, [draft.id])
            await self._people.forget()
            raise KeyCurrentChanged from None
        self._keys.settle(draft)
