"""Every program behind TLS with a company's own certificates: recorded once it is decrypted, and as it passes the wire.

Nothing planted is in what the control plane hears or says, and nothing at all can be read of what passes the wire: no
pseudonym, no path, no name of a node.
"""

import pytest

from deploy.demo.scanner import scan
from deploy.sandbox.webhooks import TARO, line_text, line_unsend
from tests.integration.company.cluster import Cluster, Places, erase, find, say
from tests.integration.company.recorder import Recorder, recorders
from tests.support.certificates import TlsProxy, self_made
from tests.support.node import ABROAD, LINE, until

WORDS = ("Berberitzensirup hinter Schloss", "Berberitzensirup, um die Welt")


class Listener:
    """What stands before one listener: a recorder of the wire, TLS, a recorder of what was said, the listener."""

    def __init__(self, outer: Recorder, inner: Recorder, certificate: tuple) -> None:
        self.outer, self.inner = outer, inner
        self.proxy = TlsProxy(int(inner.address.rpartition(":")[2]), certificate)
        self.address = outer.address.replace("http://", "https://")

    def stand_before(self, listener: str) -> None:
        """Begin to pass connections on."""
        self.inner.stand_before(listener)
        self.outer.stand_before(self.proxy.address.removeprefix("https://"))


@pytest.fixture(scope="module")
def told(tmp_path_factory, templates):
    """Show, relay, take back, erase, over TLS alone; give the company, its listeners and the pseudonyms."""
    folder = tmp_path_factory.mktemp("tls")
    certificate = self_made(folder)
    with recorders(6) as each:
        control, eu, ap = (Listener(each[n], each[n + 1], certificate) for n in (0, 2, 4))
        places = Places(control.address, eu.address, ap.address)
        company = Cluster(folder / "company", templates, places, ca_file=certificate[0])
        control.stand_before(company.control.listen)
        for listener, member in ((eu, company.eu), (ap, company.ap)):
            listener.stand_before(f"127.0.0.1:{member.port}")
        with control.proxy.running(), eu.proxy.running(), ap.proxy.running():
            try:
                company.start()
                yield company, (control, eu, ap), _story(company)
            finally:
                company.end()


def _story(company):
    """Tell the story; give pseudonyms and cases."""
    events = [line_text(word, TARO) for word in WORDS]
    assert say(company.eu, LINE, events[0]).status_code == 200
    # eu was taken in before ap: until it has the roster that names ap, the platform is told to send again.
    until(lambda: say(company.eu, ABROAD, events[1]).status_code == 200)
    here, there = find(company.eu, TARO.line_user), find(company.ap, TARO.line_user)
    company.view(company.ap, company.eu, here)
    company.view(company.eu, company.ap, there)
    assert say(company.eu, LINE, line_unsend(events[0]["message"]["id"], TARO)).status_code == 200
    cases = [company.open_case(there), erase(company.eu, here)]
    until(lambda: all(company.finished(case) for case in cases))
    until(lambda: company.recalls() and all(each["state"] == "finished" for each in company.recalls()))
    return [here, there, *cases]


def test_what_was_decrypted_holds_what_must_cross_and_nothing_planted(told, tmp_path):
    _, listeners, names = told
    control = listeners[0].inner.spoken
    assert [name for name in names if not any(name.encode() in each for each in control)] == []
    for listener in listeners:
        assert any(b"HTTP/1.1" in each for each in listener.inner.spoken)
        assert scan(tmp_path, [*WORDS, TARO.line_user], listener.inner.spoken).hits == []


def test_what_passes_the_wire_says_nothing_at_all(told, tmp_path):
    company, listeners, names = told
    for listener in listeners:
        wire = listener.outer.spoken
        assert sum(map(len, wire)) > 1_000
        assert not any(word in each for each in wire for word in (b"HTTP/1.1", b"/node/v1/", b"/relay/v1/", b"keyid"))
        assert scan(tmp_path, [*WORDS, *names, TARO.line_user], wire).hits == []
    assert scan(company.control.folder, [*WORDS, TARO.line_user]).hits == []
