"""Whether a node kept its promises: what rests in its stores, compared with a book of what was sent to it."""

import contextlib
import fcntl
import sqlite3

from deploy.sandbox.names import draw_line_message_id
from deploy.sandbox.webhooks import line_body, line_unsend
from edge_node.settings import EdgeSettings
from edge_node.stores import CONTENT_FILE, KEYS_FILE
from tests.integration.node.load import Book, send_all
from tests.integration.node.opened import Opened, at_rest, faults, read_rows
from tests.support.node import LINE, WHATSAPP, RealNode, until

ACCOUNTS = {"line": LINE, "whatsapp": WHATSAPP}


def nothing_acknowledged_is_missing(node: RealNode, book: Book) -> None:
    """See that every message with a 200 rests, but those whose recall was sent; before anything is sent again."""
    stored = Opened(node.settings)
    for channel in ACCOUNTS:
        wanted = book.acknowledged[channel] & book.texts[channel].keys()
        lost = wanted - stored.texts(channel).keys()
        assert not lost, f"{len(lost)} of {len(wanted)} acknowledged messages of {channel} are lost"


def everything_is_as_the_book_says(node: RealNode, book: Book) -> Opened:
    """See each message once and at its newest words, what was taken back gone, and both stores whole."""
    assert book.doubtful == [], "a webhook without a 200 was not sent again"
    until(lambda: at_rest(node.settings))
    stored = Opened(node.settings)
    for channel, account in ACCOUNTS.items():
        found, wanted = stored.texts(channel), book.texts[channel]
        assert found.keys() - wanted.keys() == set(), "rests, but was taken back or never sent"
        assert wanted.keys() - found.keys() == set(), "was acknowledged and is lost"
        assert [(found[each], wanted[each]) for each in wanted if found[each] != wanted[each]] == []
        buried = {stored.tombstone_of(account, each) for each in book.recalled[channel]}
        assert len(buried - stored.tombstones) == 0, "was taken back and has no tombstone"
    assert stored.content("SELECT count(*) FROM subject") == [(len(book.people),)], "one subject for each person"
    assert faults(stored) == []
    return stored


def send_some_again(node: RealNode, book: Book, count: int) -> None:
    """Send webhooks that have a 200 once more, at random: old texts, old edits, what was taken back since."""
    posts = book.chance.sample(book.sent, min(count, len(book.sent)))
    assert set(send_all(node, posts, 2)) <= {200}


def let_leases_run_out(settings: EdgeSettings) -> None:
    """End the leases of processes that were killed, as time would, and leave everything else to the node.

    The node must be running: a store's last connection to close would do what is the next process's to do.
    """
    file = settings.data_dir / CONTENT_FILE
    # The gate first, as every process of a node does; shared/database/sqlite_gate.py says why.
    with file.with_name(f"{CONTENT_FILE}-lock").open() as gate, contextlib.closing(sqlite3.connect(file)) as link:
        fcntl.flock(gate, fcntl.LOCK_EX)
        with link:
            link.execute("DELETE FROM lease")


def wake_the_remover(node: RealNode) -> None:
    """Take back a message that never came: whoever holds the lease now looks at every removal that is open."""
    assert node.post("line", line_body(line_unsend(draw_line_message_id()))).status_code == 200


def age_intents(settings: EdgeSettings) -> int:
    """Make what a crash left unfinished older than an hour, in a node that is stopped; give how much it is."""
    with contextlib.closing(sqlite3.connect(settings.data_dir / KEYS_FILE)) as link, link:
        return link.execute("UPDATE intent SET created_at = 0").rowcount


def is_swept(settings: EdgeSettings) -> bool:
    """Say whether no old intent is left."""
    return not read_rows(settings.data_dir / KEYS_FILE, "SELECT 1 FROM intent WHERE created_at = 0 LIMIT 1")


def owners_of_nobody(stored: Opened) -> set[str]:
    """Give the pseudonyms that have keys and no subject."""
    known = {name for (name,) in stored.content("SELECT pseudonym FROM subject")}
    return {name for (name,) in stored.keys("SELECT name FROM owner_key WHERE kind = 'subject'")} - known
