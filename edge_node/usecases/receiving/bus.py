"""Webhooks that come through an integration bus: two signatures, two forms, and only then the ordinary way in.

The bus's signature is checked over the raw bytes before anything reads them; then the platform's over the original that
they enclose; then both forms must say the same.  What is taken in is the original, as if it had come by itself: a bus
can delay or drop a webhook, it can neither make one nor change one.
"""

from edge_node.channels.agreement import agreed_events
from edge_node.channels.contract import BusForm, Channel
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.receiving.intake import Intake
from shared.errors import SignatureRefused
from shared.errors.bus import FormsDiffer, XmlRefused
from shared.telemetry import logger


class BusIntake:
    """Receives one channel's webhooks from integration buses."""

    def __init__(self, channel: Channel, form: BusForm, book: AccountBook, intake: Intake) -> None:
        """Take the channel, the form that its buses send, the accounts, and what takes events in."""
        self._channel = channel
        self._form = form
        self._book = book
        self._intake = intake
        self.signature_header = form.signature_header

    def sends(self, content_type: bytes | None) -> bool:
        """Say whether a request of this ``Content-Type`` is a bus's; parameters, a charset among them, do not count."""
        if content_type is None:
            return False
        return content_type.partition(b";")[0].strip().lower() in self._form.content_types

    async def receive(self, account_name: str, body: bytes, signature: bytes | None) -> None:
        """Take one webhook in; on return everything in it is safe, or was refused on record.

        Raises ``SignatureRefused`` where the account is unknown or has no bus, or either signature is wrong;
        ``XmlRefused``, ``FormsDiffer``; else as :meth:`Intake.receive`.
        """
        stored = self._book.find(self._channel.name, account_name)
        verified = self._form.verify(self._book.bus_secrets(stored), body, signature)
        if not verified or stored is None:
            raise SignatureRefused
        try:
            enclosed = self._form.open(body)
            if not self._channel.verify(self._book.secrets(stored), enclosed.original, enclosed.signature):
                raise SignatureRefused
            events = agreed_events(self._channel, enclosed)
        except (XmlRefused, FormsDiffer) as error:
            # LINE has been answered by the bus: what is refused here is lost unless somebody looks.
            reason = str(error.details.get("reason", ""))
            logger().warning("alert_bus_refused", account=stored.account.name, code=error.code, reason=reason)
            raise
        await self._intake.take(self._channel.name, stored, events, len(enclosed.original))
