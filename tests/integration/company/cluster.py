"""A whole company as its operators run it: a control plane, the nodes ``eu`` and ``ap``, and what stands between them.

``eu`` is home of two accounts, LINE and WhatsApp, under the names that the load uses; ``ap`` of a third, on LINE.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from control_plane.stores import STORE_FILE
from deploy.sandbox.webhooks import line_body, sign_line
from deploy.sandbox.world import Bot, Number
from shared.enrolment_token import write_token
from shared.roster import NodeIntroduction
from tests.support.company import Member
from tests.support.control import RealControl, free_port
from tests.support.house_policy import bundle_of, install, open_policy, views
from tests.support.node import (
    ABROAD,
    ABROAD_CHANNEL,
    ACCESS_TOKEN,
    CHANNELS,
    LINE,
    LINE_CHANNEL,
    LINE_SECRET,
    NUMBER,
    OTHER_SECRET,
    PATIENCE_S,
    VERIFY_TOKEN,
    WHATSAPP,
    WHATSAPP_SECRET,
    RealNode,
    until,
)
from tests.support.sandbox import SandboxProcess

BOTS = {LINE: (LINE_CHANNEL, LINE_SECRET), ABROAD: (ABROAD_CHANNEL, OTHER_SECRET)}
HOMES = {LINE: "eu", WHATSAPP: "eu", ABROAD: "ap"}
SHOWN = (*views("eu-region", complaint="full"), *views("ap-region", complaint="full"))
"""What each node is shown of the other's."""
_UPLINK = "[uplink]\nbeat_seconds = 1\npoll_seconds = 2\n"
_SETTINGS = """
region = "{name}-region"
data_dir = "data"
journal_dir = "journal"
listen = "127.0.0.1:0"
private_listen = "127.0.0.1:0"
{more}
[relay]
listen = "127.0.0.1:{port}"
desk_listen = "127.0.0.1:0"
"""


def make_templates(folder: Path) -> dict[str, Path]:
    """Set both nodes up by command, once, with all accounts and their tokens."""
    folder.mkdir(exist_ok=True)
    for file, secret in (("verify", VERIFY_TOKEN), ("access", ACCESS_TOKEN)):
        (folder / file).write_text(secret)
    with ThreadPoolExecutor() as pool:
        return dict(zip(("eu", "ap"), pool.map(lambda name: _make_template(name, folder), ("eu", "ap")), strict=True))


def _make_template(name: str, folder: Path) -> Path:
    node = RealNode(folder / name)
    node.config.write_text(_SETTINGS.format(name=name, port=0, more=""))
    node.command("init")
    token = ["--access-token-file", str(folder / "access")]
    for account, (bot, secret) in BOTS.items():
        words = ["--channel", "line", "--scope", "1656", "--bot-user-id", bot.bot_user_id, "--secret-file", "-"]
        home = _moves(name, HOMES[account])
        node.command("account", "add", account, *words, "--country", "DE", *home, *token, typed=secret)
    ids = ["--app-id", NUMBER.app_id, "--waba-id", NUMBER.waba_id, "--phone-number-id", NUMBER.phone_number_id]
    files = ["--verify-token-file", str(folder / "verify"), *token]
    words = ["--channel", "whatsapp", "--scope", "555", *ids, "--app-home", "--country", "DE", "--secret-file", "-"]
    home = _moves(name, HOMES[WHATSAPP])
    node.command("account", "add", WHATSAPP, *words, *home, *files, typed=WHATSAPP_SECRET)
    install(node, bundle_of(open_policy(abroad=SHOWN)))
    return folder / name


def _moves(name: str, home: str) -> list[str]:
    """Give the options that say where an account rests, and who may relay for it."""
    return ["--home", home] if home != name else ["--relayed-by", "ap" if name == "eu" else "eu"]


def make_member(name: str, folder: Path, template: Path, platforms: str = "", ca_file: Path | None = None) -> Member:
    """Copy a node that was set up.

    ``platforms``: where it sends, if not to the platforms themselves; ``ca_file``: who vouches for other programs.
    """
    port = free_port()
    node = RealNode(folder, template)
    sends = f'[platforms]\nwhatsapp_api = "{platforms}"\nline_api = "{platforms}"\n' if platforms else ""
    vouches = f'ca_file = "{ca_file}"\n' if ca_file else ""
    more = f"{sends}\n{_UPLINK}{vouches}"
    node.config.write_text(_SETTINGS.format(name=name, port=port, more=more) + vouches)
    return Member(name, node, port)


class Places(NamedTuple):
    """Where each program is known at, where something stands before its listener; None: at its listener."""

    control: str | None = None
    eu: str | None = None
    ap: str | None = None
    system: str | None = None
    """A system of the company's own that may be told of events."""


AT_THEIR_LISTENERS = Places()


class Cluster:
    """The programs, and how an officer and an operator ask them."""

    def __init__(
        self,
        folder: Path,
        templates: dict[str, Path],
        known: Places = AT_THEIR_LISTENERS,
        platforms: str = "",
        database_url: str | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """``database_url``: of the control plane, if not SQLite; ``ca_file``: who vouches for every program."""
        self.folder = folder
        allow = f'allow = ["{known.system.removeprefix("http://")}"]' if known.system else ""
        self.control = RealControl(folder / "control", hooks=allow, database_url=database_url, address=known.control)
        self.control.ca_file = ca_file
        self.control.put_rosters(self.control.officers.signed())
        self.officer, self.operator = self.control.appoint(("dpo", "omar", "officer"), ("ops", "olga", "operator"))
        self.eu = make_member("eu", folder / "eu", templates["eu"], platforms, ca_file)
        self.ap = make_member("ap", folder / "ap", templates["ap"], platforms, ca_file)
        for member, place in ((self.eu, known.eu), (self.ap, known.ap)):
            member.relay = place or member.relay

    @property
    def members(self) -> tuple[Member, Member]:
        """Both nodes."""
        return self.eu, self.ap

    def start(self) -> None:
        """Start the control plane, enrol both nodes by command, have officers take them in, start them."""
        self.control.start()
        for member in self.members:
            token = write_token(self.control.enrolment_token(member.name)).encode()
            member.node.command("enrol", "--jurisdiction", "DE", "--relay-address", member.relay, typed=token)
            keys = NodeIntroduction(member.name, f"{member.name}-region", "DE", member.relay, member.identity.public)
            self.control.put_rosters(self.control.officers.take_in(keys))
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda member: member.node.start(), self.members))

    def end(self) -> None:
        """Leave no process behind."""
        for program in (self.control, self.eu.node, self.ap.node):
            program.end()

    def told(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Read rows of the control plane's store, whether it runs or not."""
        file = self.control.settings.data_dir / STORE_FILE
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as link:
            return link.execute(sql, values).fetchall()

    def case(self, case: str) -> dict[str, Any]:
        """Give a case as an officer sees it."""
        return dict(self.control.ask(self.officer, "GET", f"/v1/cases/{case}").json())

    def open_case(self, pseudonym: str) -> str:
        """Open an erasure by pseudonym, as soon as its node has registered it."""
        wanted = {"kind": "erasure", "pseudonym": pseudonym, "reason": "subject_request"}

        def ask() -> str | None:
            answer = self.control.ask(self.officer, "POST", "/v1/cases", wanted)
            assert answer.status_code in {201, 404}, answer.text
            return str(answer.json()["id"]) if answer.status_code == 201 else None

        return until(ask)

    def recalls(self) -> list[dict[str, Any]]:
        """Give every recall case, with what is owed."""
        page = self.control.ask(self.officer, "GET", "/v1/cases?kind=recall&limit=200").json()["items"]
        return [self.case(each["id"]) for each in page]

    def owed(self, case: str) -> dict[str, int]:
        """Give what each node still owes in a case."""
        return {each["node"]: each["owed"] for each in self.case(case)["places"] if each["owed"]}

    def finished(self, case: str) -> bool:
        """Say whether nothing is owed for a case."""
        return self.case(case).get("state") == "finished"

    def view(self, asker: Member, holder: Member, pseudonym: str) -> dict[str, Any]:
        """Open a view at a desk, once both nodes know each other."""
        wanted = {"pseudonym": pseudonym, "purpose": "complaint", "node": holder.name}

        def ask() -> dict[str, Any] | None:
            with asker.desk as desk:
                answer = desk.post("/views", json=wanted)
            return dict(answer.json()) if answer.status_code == 201 else None

        return until(ask)


@contextlib.contextmanager
def cluster(
    folder: Path,
    templates: dict[str, Path],
    known: Places = AT_THEIR_LISTENERS,
    platforms: str = "",
    database_url: str | None = None,
) -> Iterator[Cluster]:
    """Run a company, and leave no process behind."""
    made = Cluster(folder, templates, known, platforms, database_url)
    try:
        made.start()
        yield made
    finally:
        made.end()


def say(member: Member, account: str, *events: dict[str, Any]) -> httpx.Response:
    """Post a signed LINE webhook for an account at a node."""
    channel, secret = BOTS[account]
    body = line_body(*events, channel=channel)
    headers = {"x-line-signature": sign_line(secret, body), "content-type": "application/json"}
    address = f"http://{member.node.public}/webhooks/line/{account}"
    return httpx.post(address, content=body, headers=headers, trust_env=False, timeout=PATIENCE_S)


def find(member: Member, identifier: str) -> str:
    """Find a person's pseudonym at a node, as an officer with a letter does."""
    said = member.node.command("find", "--purpose", "complaint", typed=identifier.encode())
    (pseudonym,) = said.split()
    return pseudonym


def erase(member: Member, pseudonym: str) -> str:
    """Erase a person by command at a node; give the case."""
    said = member.node.command("erase", pseudonym, "--reason", "objection", "--yes")
    assert "Erased here." in said
    return next(word for word in said.split() if len(word) == 32)


def settle_accounts(sandbox: SandboxProcess, node: RealNode) -> None:
    """Tell the sandbox whose the accounts are and where their webhooks go."""
    address = {name: f"http://{node.public}{channel.path}" for name, channel in CHANNELS.items()}
    number = Number(NUMBER, ACCESS_TOKEN, WHATSAPP_SECRET, callbacks={"phone_number": address["whatsapp"]})
    bot = Bot(LINE_CHANNEL, ACCESS_TOKEN, LINE_SECRET, address["line"])
    sandbox.client.accounts(numbers=[number], bots=[bot])
