"""The company of the demo: platforms, a control plane, the nodes ``eu`` and ``ap``, two officers; real processes."""

import asyncio
import socket
from pathlib import Path

from deploy.demo.commands import Command, run
from deploy.demo.drawn import Secrets
from deploy.demo.node import DemoNode
from deploy.demo.plane import DemoPlane
from deploy.demo.platforms import DemoPlatforms
from deploy.demo.program import Program
from shared.roster import SignedRoster, read_signed

NAME = "parcels"
NODES = ("eu", "ap")
OFFICERS = ("ada", "ben")
WHATSAPP_ACCOUNT, LINE_ACCOUNT = "parcels-whatsapp", "parcels-line"
HOME = {"whatsapp": "eu", "line": "ap"}
ACCOUNTS = {"whatsapp": WHATSAPP_ACCOUNT, "line": LINE_ACCOUNT}
LAW = {"eu": "DE", "ap": "JP"}
BUNDLE = "demonstration.bundle"
"""The policy in force, as the officers signed it."""
PURPOSE = "complaint"
"""For what somebody at ``eu`` asks to see what a customer of ``ap`` wrote."""
ROLE = "supervisor"
"""Who may settle a complaint across borders, by the policy."""
NEVER_READS = "operator"
"""Who reads no conversation, by the policy."""


class Company:
    """Every process and folder of the demo; nothing of it outlives :meth:`close`."""

    def __init__(self, folder: Path) -> None:
        """Make the folders below an empty one."""
        eu_public, eu_relay, ap_public, ap_relay, plane = _free_ports(5)
        self.folder = folder
        self.secrets = Secrets()
        self.platforms = DemoPlatforms(folder / "platforms")
        self.plane = DemoPlane(folder / "control", plane)
        self.eu = DemoNode("eu", folder / "eu", eu_public, eu_relay)
        self.ap = DemoNode("ap", folder / "ap", ap_public, ap_relay)
        self.officers = folder / "officers"
        (self.officers / "tmp").mkdir(mode=0o700, parents=True)

    @property
    def nodes(self) -> dict[str, DemoNode]:
        """Give both nodes by name."""
        return {"eu": self.eu, "ap": self.ap}

    def home(self, channel: str) -> DemoNode:
        """Give the node at which a channel's account is at home."""
        return self.nodes[HOME[channel]]

    def hook(self, channel: str, node: DemoNode) -> str:
        """Give the callback address of a channel's account at a node."""
        return f"{node.public}/webhooks/{channel}/{ACCOUNTS[channel]}"

    async def roster(self, *words: str, person: str | None = None) -> Command:
        """Run ``homeport roster`` where officers work; a person's passphrase goes to its standard input."""
        return await self.officer("roster", *words, person=person)

    async def officer(self, *words: str, person: str | None = None) -> Command:
        """Run ``homeport`` where officers work; a person's passphrase goes to its standard input."""
        typed = b"" if person is None else self.secrets.passphrase(person)
        secret = () if person is None else ("--passphrase-file", "-")
        return await asyncio.to_thread(run, self.officers, [*words, *secret], typed=typed)

    def signed(self, version: int) -> SignedRoster:
        """Read a roster as officers signed it."""
        return read_signed((self.officers / f"roster-{version}.json").read_bytes())

    @property
    def programs(self) -> dict[str, Program]:
        """Give everything that runs, by what a person calls it."""
        return {"eu": self.eu, "ap": self.ap, "control plane": self.plane, "sandbox": self.platforms}

    async def close(self) -> dict[str, int | None]:
        """Stop everything at once; give the exit status of each, ``None`` where it never ran."""
        ends = await asyncio.gather(*(program.close() for program in self.programs.values()))
        return dict(zip(self.programs, ends, strict=True))


def _free_ports(count: int) -> list[int]:
    """Give so many different ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [int(sock.getsockname()[1]) for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()
