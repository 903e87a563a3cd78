"""Answer the callback handshake of an account: no signature, the verify token is all that proves it."""

from edge_node.channels.whatsapp.handshake import answer
from edge_node.usecases.account_book import AccountBook


class Handshake:
    """WhatsApp's GET, answered from the accounts."""

    def __init__(self, book: AccountBook) -> None:
        """Take the accounts."""
        self._book = book

    def answer(self, account: str, query: dict[str, str]) -> str:
        """Give the challenge to echo; ``HandshakeRefused`` for an unknown account as for a wrong token."""
        stored = self._book.find("whatsapp", account)
        tokens = stored.credentials.verify_tokens if stored is not None else ()
        return answer(query, [token.encode() for token in tokens])
