"""Two nodes of one company as real processes: keys of their own, a roster that officers signed, relay and desk open.

What enrolment leaves in a node's store (who it is, the roster in force) is written there before it starts.
"""

import contextlib
import socket
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx

from edge_node.storage.identity import NodeIdentity, load_identity
from edge_node.stores import CONTENT_FILE, key_places
from shared import canonical
from shared.crypto.signing import draw_signing_keys, fingerprint
from shared.entropy import SystemEntropy
from shared.policy.bundling import Bundle
from shared.roster import ControlPlane, Node, Officer, Roster, SignedRoster, root_fingerprint, sign
from tests.support.house_policy import install
from tests.support.node import HOMEPORT, PATIENCE_S, RealNode

NAMES = ("eu", "ap")
OFFICERS = ("ada", "bea")
COUNTRY = "DE"
"""Where the accounts' customers are."""
_ENROL = """
INSERT INTO uplink (id, node, address, control_fingerprint, root_fingerprint, own_fingerprint, enrolled_at,
                    command_cursor, beat_number, beat_acknowledged_at)
VALUES (1, ?, 'http://127.0.0.1:9', ?, ?, ?, 1, 0, 0, 0)
"""


def write_enrolment(content_file: Path, name: str, signed: SignedRoster, own_fingerprint: str) -> None:
    """Write what enrolment as ``name`` and an accepted roster leave in a content store."""
    roster = signed.roster
    row = (name, roster.control_plane.fingerprint, root_fingerprint(roster), own_fingerprint)
    with contextlib.closing(sqlite3.connect(content_file)) as link, link:
        if not link.execute("SELECT 1 FROM uplink").fetchall():
            link.execute(_ENROL, row)
        link.execute(
            "INSERT INTO roster (version, body, accepted_at) VALUES (?, ?, 1)",
            (roster.version, canonical.encode(signed)),
        )


class Signers(NamedTuple):
    """Who signs the roster."""

    officers: dict
    control: object


def draw_signers() -> Signers:
    """Draw officers' and the control plane's keys."""
    entropy = SystemEntropy()
    return Signers({person: draw_signing_keys(entropy) for person in OFFICERS}, draw_signing_keys(entropy))


def free_port() -> int:
    """Give a port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def member_of(name: str, identity: NodeIdentity, relay: str | None, *, state: str = "active") -> Node:
    """Give a node as the roster names it."""
    return Node(
        name=name,
        region=f"{name}-region",
        jurisdiction="DE",
        relay=relay,
        keys=identity.public,
        former=(),
        state=state,
        since=1,
    )


def signed_roster(signers: Signers, nodes: tuple[Node, ...], version: int = 1) -> SignedRoster:
    """Give a roster that all officers signed."""
    control = signers.control.public
    roster = Roster(
        company="acme",
        version=version,
        created_at=1,
        threshold=2,
        officers=tuple(Officer(person, keys.public) for person, keys in signers.officers.items()),
        control_plane=ControlPlane("http://127.0.0.1:9", control, fingerprint(control), "eu-test"),
        nodes=nodes,
        witnesses=(),
    )
    return SignedRoster(roster, tuple(sign(roster, person, keys) for person, keys in signers.officers.items()))


class Member:
    """One node of the company, with what a test asks of it."""

    def __init__(self, name: str, node: RealNode, port: int) -> None:
        self.name, self.node, self.port = name, node, port
        self.relay = f"http://127.0.0.1:{port}"
        self.identity = load_identity(key_places(node.settings))

    @property
    def content_file(self) -> Path:
        """The content store's file."""
        return self.node.settings.data_dir / CONTENT_FILE

    @property
    def desk(self) -> httpx.Client:
        """A client of the desk, with its token."""
        address = self.node.running().listeners["desk"]
        token = self.node.settings.desk_token_file.read_text().strip()
        headers = {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"http://{address}", headers=headers, trust_env=False, timeout=PATIENCE_S)

    def read(self, sql: str, parameters: tuple = ()) -> list[tuple]:
        """Read rows of the content store."""
        with contextlib.closing(sqlite3.connect(f"file:{self.content_file}?mode=ro", uri=True)) as link:
            return link.execute(sql, parameters).fetchall()

    def enrol(self, signed: SignedRoster) -> None:
        """Write what enrolment and an accepted roster leave in the store."""
        write_enrolment(self.content_file, self.name, signed, self.identity.fingerprint)


class Company:
    """Both nodes and who signs for them."""

    def __init__(self, members: dict[str, Member]) -> None:
        self.members = members
        self.signers = draw_signers()
        self.eu, self.ap = (members[name] for name in NAMES)

    def roster(self, version: int = 1, *, relays: dict[str, str] | None = None, **states: str) -> SignedRoster:
        """Sign a roster of both nodes; ``relays`` and ``states`` by name, where they differ."""
        own = [
            member_of(
                each.name,
                each.identity,
                (relays or {}).get(each.name, each.relay),
                state=states.get(each.name, "active"),
            )
            for each in self.members.values()
        ]
        return signed_roster(self.signers, tuple(own), version)


SETTINGS = """
region = "{name}-region"
data_dir = "data"
journal_dir = "journal"
listen = "127.0.0.1:0"
private_listen = "127.0.0.1:0"
[relay]
listen = "127.0.0.1:{port}"
desk_listen = "127.0.0.1:0"
{more}
"""


def _moves(node: str, home: str | None) -> list[str]:
    """Give the options that say where an account rests, and who may relay for it."""
    if home is not None:
        return ["--home", home]
    return [word for other in NAMES if other != node for word in ("--relayed-by", other)]


def make_template(
    name: str,
    folder: Path,
    accounts: Sequence[tuple[str, str, str, str | None]],
    secret: bytes,
    bundle: Bundle | None = None,
) -> Path:
    """Set a node up by command, once, with LINE accounts: name, bot user id, country, home where it is elsewhere.

    What is at home here may be relayed by every other node of ``NAMES``.
    """
    node = RealNode(folder)
    node.config.write_text(SETTINGS.format(name=name, port=0, more=""))
    node.command("init")
    for account, bot, country, home in accounts:
        words = ["--channel", "line", "--scope", "1656", "--bot-user-id", bot, "--secret-file", "-"]
        words += ["--country", country, *_moves(name, home)]
        node.command("account", "add", account, *words, typed=secret)
    install(node, bundle)
    return folder


def make_member(name: str, folder: Path, template: Path, more: str = "") -> Member:
    """Copy a node that was set up, and give it settings and a relay port of its own."""
    port = free_port()
    node = RealNode(folder, template)
    node.config.write_text(SETTINGS.format(name=name, port=port, more=more))
    return Member(name, node, port)


@contextlib.contextmanager
def running(company: Company) -> Iterator[Company]:
    """Start both nodes, and leave no process behind."""
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda member: member.node.start(), company.members.values()))
        yield company
    finally:
        for member in company.members.values():
            member.node.end()


__all__ = ["HOMEPORT", "NAMES", "Company", "Member", "make_member", "member_of", "running", "signed_roster"]
