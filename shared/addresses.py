"""Where a program may send: https on the internet, or exactly what an operator set.  Pure.

Another program names the address of a hook, a platform the address of a file; were they free to name any, they could
make ours ask machines inside the company that trust it.  So every
address is checked twice: as text when it is named, and as the numbers it resolves to each time something is sent, which
are then the numbers connected to.  Between the two a name may be made to point elsewhere; nothing is ever connected to
that was not checked.
"""

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.errors.outgoing import AddressRefused

URL_CHARACTERS_MAX = 2_000
HOST_CHARACTERS_MAX = 253
LABEL_CHARACTERS_MAX = 63
"""Longest name, and longest part of one (RFC 1035, section 2.3.4); no resolver can be asked for more."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that stand for IPv4 ones everywhere (RFC 6052): the last 32 bits say which."""
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
"""IPv6 addresses that stand for whatever a local network says (RFC 8215): never one of the internet's."""


_ON_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class HostPort(NamedTuple):
    """A host, in lower case and without brackets, and a port."""

    host: str
    port: int


class Target(NamedTuple):
    """An address to send to."""

    tls: bool
    host: str
    port: int
    path: str
    """With its query."""
    trusted: bool
    """Whether an operator set exactly this host and port: its numbers are not judged."""


def read_host_port(text: str) -> HostPort:
    """Read ``host:port`` of the settings, whose form was checked."""
    host, _, port = text.rpartition(":")
    return HostPort(host.strip("[]").lower(), int(port))


def program_address_fault(address: str) -> str | None:
    """Say why programs of a company must not speak with each other at an address; ``None`` where they may.

    ``not_https``: pseudonyms and account names would pass in the clear, off this machine.  ``address``: nothing can be
    there.
    """
    try:
        parts = urlsplit(address)
        if not parts.hostname or parts.port == 0:
            return "address"
        if parts.netloc.startswith("["):
            ipaddress.IPv6Address(parts.hostname)
    except ValueError:
        return "address"
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _ON_THIS_MACHINE)
    return None if safe else "not_https"


def judge_url(url: str, allowed: frozenset[HostPort]) -> Target:
    """Give where a URL leads; ``AddressRefused`` where nothing may be sent there, as far as its text tells."""
    if len(url) > URL_CHARACTERS_MAX or not url.isascii() or any(char <= " " or char in "\\\x7f" for char in url):
        raise AddressRefused(reason="form")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise AddressRefused(reason="form") from None
    host = (parts.hostname or "").lower().rstrip(".")
    if not host or parts.username is not None or parts.password is not None or parts.fragment or "%" in host:
        raise AddressRefused(reason="form")
    if ":" not in host and not _is_name(host):
        raise AddressRefused(reason="form")
    trusted = HostPort(host, port) in allowed
    if parts.scheme != "https" and not (parts.scheme == "http" and trusted):
        raise AddressRefused(reason="scheme")
    if not trusted and (host == "localhost" or host.endswith((".localhost", ".local", ".internal"))):
        raise AddressRefused(reason="private")
    if not trusted and _number(host) is None and (_looks_like_number(host) or "." not in host):
        raise AddressRefused(reason="form")
    number = _number(host)
    if not trusted and number is not None and not _public(number):
        raise AddressRefused(reason="private")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, path, trusted)


def judge_numbers(target: Target, numbers: Iterable[str]) -> str:
    """Give the number to connect to, of all that a name resolves to; ``AddressRefused`` if any of them is private.

    A name with one public and one private number is no accident.
    """
    found = [ipaddress.ip_address(number.partition("%")[0]) for number in numbers]
    if not found:
        raise AddressRefused(reason="unresolved")
    if not target.trusted and not all(_public(number) for number in found):
        raise AddressRefused(reason="private")
    return str(found[0])


def _public(number: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Say whether a number is one of the internet's: no private, loopback, link-local, multicast or reserved one."""
    if isinstance(number, ipaddress.IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour or (number.teredo[1] if number.teredo else None)
        if number in _NAT64_LOCAL:
            return False
        if number in _NAT64:
            inner = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
        if inner is not None:
            return _public(inner)
        if number.is_site_local:  # RFC 3879: deprecated, and some networks still use it
            return False
    barred = number.is_private or number.is_multicast or number.is_reserved or number.is_unspecified
    return number.is_global and not (barred or number.is_loopback or number.is_link_local)


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read a host that is a number."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    """Say whether a host can be asked for at all: no part of it empty or too long."""
    parts = host.split(".")
    return len(host) <= HOST_CHARACTERS_MAX and all(0 < len(part) <= LABEL_CHARACTERS_MAX for part in parts)


def _looks_like_number(host: str) -> bool:
    """Say whether some resolver would read a host as a number: ``0x7f.1``, ``2130706433``, ``127.1``."""
    last = host.rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")
