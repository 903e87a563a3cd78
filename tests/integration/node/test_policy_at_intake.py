"""A running node and its policy: without one nothing is taken in, with one within a second, and not what it denies."""

import contextlib
import sqlite3

from deploy.sandbox.names import Subject
from deploy.sandbox.webhooks import ANNA, whatsapp_body, whatsapp_text
from edge_node.stores import CONTENT_FILE
from tests.support.house_policy import bundle_of, install, open_policy, rule
from tests.support.node import until

WORD = "Quittenmarmelade-mit-Ingwer"
LINH = Subject("Linh", None, "VN.70218455093617264510", "U" + "b5" * 16)
AT_HOME = rule("vietnam-at-home", "deny", operations=("store",), subjects=("VN",), nodes="any", nodes_except=("home",))


def read(node, sql):
    """Read rows of the content store."""
    with contextlib.closing(sqlite3.connect(node.settings.data_dir / CONTENT_FILE)) as link:
        return link.execute(sql).fetchall()


def rests(node):
    """Count the messages at a node."""
    return read(node, "SELECT count(*) FROM message")[0][0]


def test_nothing_is_taken_in_until_a_policy_lets_it_in(make_node):
    node = make_node()
    with contextlib.closing(sqlite3.connect(node.settings.data_dir / CONTENT_FILE)) as link, link:
        link.executescript("DELETE FROM policy_bundle; DELETE FROM policy_trust")
    node.start()
    assert "alert_policy_missing" in node.log()
    assert node.post("whatsapp", whatsapp_body(whatsapp_text(WORD, ANNA))).status_code == 200
    assert read(node, "SELECT account, reason, events FROM refusal") == [("wa-shop", "policy_missing", 1)]
    assert (rests(node), read(node, "SELECT 1 FROM subject")) == (0, [])

    install(node, bundle_of(open_policy([AT_HOME])))
    until(lambda: node.post("whatsapp", whatsapp_body(whatsapp_text("hello", ANNA))).status_code == 200 and rests(node))
    before = rests(node)
    assert (
        node.post("whatsapp", whatsapp_body(whatsapp_text(WORD, LINH), whatsapp_text("beside", ANNA))).status_code
        == 200
    )
    assert rests(node) == before + 1
    assert read(node, "SELECT events FROM refusal WHERE reason = 'policy_denied'") == [(1,)]
    decided = "SELECT outcome, rule, times FROM decision WHERE subject = 'VN' AND operation = 'store'"
    assert until(lambda: read(node, decided)) == [("deny", "vietnam-at-home", 1)]
    assert "alert_refused_at_intake" in node.log()
    for file in node.written():
        assert WORD.encode() not in file.read_bytes()
