"""Where the control plane may send: by text, by number, and never to what was not checked."""

import pytest

from shared.addresses import HostPort, judge_numbers, judge_url, program_address_fault, read_host_port
from shared.errors.outgoing import AddressRefused

ALLOWED = frozenset({HostPort("10.0.0.5", 8443), HostPort("crm.internal", 9000), HostPort("::1", 9000)})


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example.org/x?y=1", "hooks.example.org", 443, "/x?y=1"),
        ("https://HOOKS.example.org.:8443", "hooks.example.org", 8443, "/"),
        ("https://1.1.1.1/", "1.1.1.1", 443, "/"),
        ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111", 443, "/"),
    ],
)
def test_the_internet_is_allowed_over_https(url, host, port, path):
    target = judge_url(url, frozenset())
    assert (target.tls, target.host, target.port, target.path, target.trusted) == (True, host, port, path, False)


@pytest.mark.parametrize("url", ["http://10.0.0.5:8443/", "http://crm.internal:9000/a", "https://[::1]:9000/"])
def test_what_an_operator_set_is_allowed_exactly(url):
    assert judge_url(url, ALLOWED).trusted


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://10.0.0.5:8444/", "scheme"),
        ("https://10.0.0.5:8444/", "private"),
        ("https://10.0.0.6:8443/", "private"),
        ("https://crm.internal/", "private"),
        ("http://hooks.example.org/", "scheme"),
        ("file:///etc/passwd", "form"),
        ("gopher://hooks.example.org/", "scheme"),
        ("https:///x", "form"),
        ("https://a@hooks.example.org/", "form"),
        ("https://hooks.example.org/#x", "form"),
        ("https://hooks.example.org:99999/", "form"),
        ("https://hooks.example.org/ x", "form"),
        ("https://hooks.example.org\\@127.0.0.1/", "form"),
        ("https://h\u00f6oks.example.org/", "form"),
        ("https://intranet/", "form"),
        ("https://127.1/", "form"),
        ("https://0x7f.0.0.1/", "form"),
        ("https://0177.0.0.1/", "form"),
        ("https://2130706433/", "form"),
        ("https://printer.local/", "private"),
        ("https://" + "a" * 2_000, "form"),
        ("https://[fe80::1%25eth0]/", "form"),
        ("https://hooks..example.org/", "form"),
        ("https://.example.org/", "form"),
        ("https://" + "a" * 64 + ".example.org/", "form"),
        ("https://" + "a.bc" * 64 + ".example.org/", "form"),
    ],
)
def test_everything_else_is_refused(url, reason):
    with pytest.raises(AddressRefused) as refused:
        judge_url(url, ALLOWED)
    assert refused.value.details == {"reason": reason}


PRIVATE = [
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1"),
    *("192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1", "fec0::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "fe80::1%eth0"),
    # What stands for which number is the local network's own affair (RFC 8215): with a /48 it is not the last 32 bits.
    *("64:ff9b:1:7f00:0:1:808:808", "64:ff9b:1::808:808"),
]


@pytest.mark.parametrize("number", PRIVATE)
def test_a_private_number_is_refused_as_text_and_as_what_a_name_resolves_to(number):
    target = judge_url("https://hooks.example.org/", frozenset())
    with pytest.raises(AddressRefused, match="private"):
        judge_numbers(target, [number])
    with pytest.raises(AddressRefused, match="private"):
        judge_numbers(target, ["1.1.1.1", number])
    text = f"[{number}]" if ":" in number else number
    with pytest.raises(AddressRefused):
        judge_url(f"https://{text}/", frozenset())


def test_a_name_that_resolves_to_nothing_is_refused():
    with pytest.raises(AddressRefused, match="unresolved"):
        judge_numbers(judge_url("https://hooks.example.org/", frozenset()), [])


def test_the_first_number_is_the_one_to_connect_to():
    assert judge_numbers(judge_url("https://hooks.example.org/", frozenset()), ["8.8.8.8", "1.1.1.1"]) == "8.8.8.8"


def test_a_setting_is_read_as_host_and_port():
    assert read_host_port("[::1]:9000") == HostPort("::1", 9000)
    assert read_host_port("crm.internal:443") == HostPort("crm.internal", 443)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        *(
            ("https://eu.example.org:8443", None),
            ("https://[2001:db8::1]:8443", None),
            ("https://eu.example.org", None),
        ),
        *(("http://127.0.0.1:8443", None), ("http://localhost:1", None), ("http://[::1]:1", None)),
        *(("http://eu.example.org:8443", "not_https"), ("http://10.0.0.5:1", "not_https")),
        *(("https://eu.example.org:70000", "address"), ("https://eu.example.org:0", "address")),
        *(("https://[::::]:1", "address"), ("https://", "address"), ("ftp://127.0.0.1", "not_https")),
    ],
)
def test_programs_speak_where_nobody_listens_in(address, fault):
    assert program_address_fault(address) == fault
