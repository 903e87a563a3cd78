"""A relay listener behind own certificates: only whom ``relay.ca_file`` vouches for is spoken to."""

import pytest

from deploy.sandbox.webhooks import line_text
from edge_node.relay import RelayClient
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import SettingsInvalid
from tests.integration.relay.conftest import make_company, post
from tests.support.certificates import TlsProxy, self_made
from tests.support.company import running


@pytest.mark.parametrize("trusts", [True, False], ids=["with the file", "without it"])
def test_only_who_is_vouched_for_is_spoken_to(tmp_path, templates, trusts):
    pem, key = self_made(tmp_path)
    both = make_company(tmp_path / "both", templates, more=f'ca_file = "{pem}"' if trusts else "")
    proxy = TlsProxy(both.ap.port, (pem, key))
    for member in both.members.values():
        member.enrol(both.roster(2, relays={"ap": proxy.address}))
    with proxy.running(), running(both):
        answer = post(both.eu, "shop", line_text("over TLS"))
        rests = both.ap.read("SELECT count(*) FROM message")[0][0]
    assert (answer.status_code, rests) == ((200, 1) if trusts else (503, 0))
    assert (proxy.passed > 0) is trusts


def test_a_file_without_certificates_is_refused_by_name(tmp_path):
    (tmp_path / "empty.pem").write_text("")
    for file in ("empty.pem", "missing.pem"):
        with pytest.raises(SettingsInvalid, match=r"relay\.ca_file"):
            RelayClient(None, SystemClock(), SystemEntropy(), ca_file=str(tmp_path / file))
