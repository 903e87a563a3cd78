"""May the file of a message rest here?  Asked again before it is fetched: the answer may have changed meanwhile.

The law is the subject's; of a message whose author nobody knows, that of the account's country, as at intake.
"""

from collections.abc import Awaitable, Callable

from edge_node.core.accounts import Account
from edge_node.core.classes import class_of
from edge_node.storage.content.jurisdictions import derived_of
from edge_node.usecases.governing.judging import PURPOSE, Judge
from shared.database.contract import Database
from shared.message import Edit, Message
from shared.policy.deciding import Decision

MayRest = Callable[[int | None, Account, Message | Edit], Awaitable[Decision]]
"""Says whether the file of a message may rest here: the subject's row, the account, the message."""


class MediaAdmitter:
    """Asks the policy, and puts its answers on record."""

    def __init__(self, content: Database, judge: Judge) -> None:
        """Take the content store, which knows whose law protects whom, and who asks the policy."""
        self._content, self._judge = content, judge

    async def may_rest(self, subject: int | None, account: Account, event: Message | Edit) -> Decision:
        """Answer."""
        law = self._judge.derived((), account.country)
        if subject is not None:
            law = (await derived_of(self._content, [subject])).get(subject, law)
        return self._judge.book.decide_noted("store", class_of(event), PURPOSE, law)
