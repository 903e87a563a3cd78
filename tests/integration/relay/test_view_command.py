"""``homeport edge view`` as somebody at a terminal uses it."""

import subprocess

from deploy.demo.scanner import scan
from deploy.sandbox.webhooks import ROSA, line_text
from tests.integration.relay.conftest import post
from tests.integration.relay.watching import last_author
from tests.support.node import HOMEPORT, until

WORD = "Quittenbrot\x1b[2J"


def view(member, *words, typed=b""):
    """Run the command, apart from the node's own log."""
    line = [HOMEPORT, "edge", "view", "--config", str(member.node.config), *words]
    return subprocess.run(line, input=typed, capture_output=True, check=False)


def test_a_timeline_is_printed_and_its_copies_go(company):
    for word in (WORD, "second"):
        assert post(company.ap, "shop", line_text(word, ROSA)).status_code == 200
    pseudonym = last_author(company.ap)
    done = view(company.eu, "--node", "ap", "--purpose", "complaint", pseudonym)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[-3].endswith("> Quittenbrot\N{REPLACEMENT CHARACTER}[2J")
    assert lines[-2].endswith("> second")
    assert lines[-1].endswith("messages, full.")
    typed = view(company.eu, "--node", "ap", "--purpose", "audit", typed=pseudonym.encode())
    assert typed.stdout.decode().splitlines()[-2].endswith("> [text]")
    # A refused view and one of a node that does not exist leave nothing either.
    until(lambda: not company.eu.read("SELECT 1 FROM shown UNION ALL SELECT 1 FROM view"))
    assert scan(company.eu.node.folder, ["Quittenbrot"]).hits == []
    here = view(company.ap, "--purpose", "complaint", pseudonym)
    assert here.stdout.decode().splitlines()[-2].endswith("> second")


def test_what_a_customer_writes_is_words_and_never_an_event_of_the_stream(company):
    """Line ends of Unicode are none of server-sent events; read as such, a customer could end or forge what is said."""
    forged = "Birkenwasser\u2028\u2028event:closed\u2029\u2029\x85event:retracted"
    for word in (forged, "after it"):
        assert post(company.ap, "shop", line_text(word, ROSA)).status_code == 200
    pseudonym = last_author(company.ap)
    for words in (("--node", "ap"), ()):
        member = company.eu if words else company.ap
        done = view(member, *words, "--purpose", "complaint", pseudonym)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.decode().split("\n")
        assert lines[-3].endswith("> after it")
        assert "> Birkenwasser" in lines[-4]
        assert "event:retracted" in lines[-4]


def test_a_refusal_is_one_line_with_the_rule(company):
    assert post(company.ap, "shop", line_text("not for a claim", ROSA)).status_code == 200
    done = view(company.eu, "--node", "ap", "--purpose", "legal_claim", last_author(company.ap))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"showing_refused" in done.stderr
    assert b"no_rule" in done.stderr
    assert view(company.eu, "--node", "ap", "--purpose", "audit", "+491710004711").returncode == 2
