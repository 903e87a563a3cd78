"""The commands of edge_node/KEYS.md and BACKUP.md, run as they stand there, with a real node."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.sandbox.webhooks import line_body, line_text, line_unsend
from tests.integration.node.load import PEOPLE
from tests.integration.node.opened import Opened, at_rest, read_rows
from tests.support.node import HOMEPORT, RealNode, until

PAGES = Path(__file__).parents[3] / "edge_node"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)


def commands_of(page: str, section: str) -> list[str]:
    """Give the lines of the shell blocks of a section, in order."""
    text = (PAGES / page).read_text()
    heads = [(match.group(1), match.end()) for match in _SECTION.finditer(text)]
    begin = next(end for name, end in heads if name == section)
    end = min([match.start() for match in _SECTION.finditer(text) if match.start() > begin], default=len(text))
    lines = [line for block in _BLOCK.findall(text[begin:end]) for line in block.splitlines()]
    assert lines, f"{page}, {section}: no commands"
    return lines


class Operator:
    """Somebody who types what the pages say; folders outside the node's lie below its folder here."""

    def __init__(self, node: RealNode) -> None:
        """Take the node."""
        self.node = node

    def follow(self, page: str, section: str) -> str:
        """Type every command of a section; give what was printed."""
        return self.type(commands_of(page, section))

    def type(self, lines: list[str]) -> str:
        """Type lines; give what was printed."""
        return "".join(self._type(line) for line in lines)

    def _type(self, line: str) -> str:
        """Type one line."""
        if line == "homeport edge run":
            self.node.start()
            return ""
        for outside in ("/srv", "/dev/shm"):
            line = line.replace(outside, f"{self.node.folder}{outside}")
        done = subprocess.run(
            line,
            shell=True,
            cwd=self.node.folder,
            env={**os.environ, "PATH": f"{HOMEPORT.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        # The doctor's status says that something is to be mended, which a test machine always has.
        wanted = (0, 1) if line == "homeport edge doctor" else (0,)
        assert done.returncode in wanted, line + done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def operator(make_node):
    """Give an operator of a node whose settings name every folder of the pages."""
    node = make_node()
    own = (
        f'[keys]\nrecovery_dir = "{node.folder}/recovery"\n[custody]\nbackup_dir = "{node.folder}/srv/backup/content"\n'
    )
    node.config.write_text(f"{node.config.read_text()}\n{own}")
    for folder in ("recovery", "srv", "dev/shm"):
        (node.folder / folder).mkdir(parents=True)
    return Operator(node)


def say(node: RealNode, text: str) -> str:
    """Let somebody write, and give the message's id."""
    event = line_text(text, PEOPLE[0])
    assert node.post("line", line_body(event)).status_code == 200
    return str(event["message"]["id"])


def texts(node: RealNode) -> list[str]:
    """Give the words that rest, sorted."""
    return sorted(Opened(node.settings).texts("line").values())


def quarantine(node: RealNode) -> list[tuple]:
    """Read the quarantine."""
    return read_rows(node.settings.data_dir / "content.db", "SELECT state FROM quarantine")


def test_keys_are_exchanged_and_escrowed_as_the_page_says(operator):
    node = operator.node.start()
    say(node, "one")
    assert "well" in operator.follow("KEYS.md", "Choose a provider")
    assert "Epoch 1 is destroyed at every place." in operator.follow("KEYS.md", "Epoch beat")
    assert "the old one is destroyed" in operator.follow("KEYS.md", "Region key")
    commands = commands_of("KEYS.md", "Escrow")
    recovery = [line for line in commands if "recover" in line or "run" in line]
    assert len(recovery) == 2
    node.command("escrow", "create", "--shares", "5", "--needed", "3", "--out", str(node.folder / "dev/shm/shares"))
    assert commands[0].startswith("homeport edge escrow create --shares 5 --needed 3 --out")
    say(node, "two")
    node.stop()
    for place in (node.settings.key_dir, node.settings.second_key_dir):
        for file in (*place.glob("region.key"), *place.glob("epoch-*.key")):
            file.unlink()
    for share in (1, 3, 5):
        shutil.copy(node.folder / f"dev/shm/shares/share-{share}.txt", node.folder)
    operator.node.command(*recovery[0].replace("share-", f"{node.folder}/share-").split()[2:])
    node.start()
    say(node, "three")
    assert texts(node) == ["one", "three", "two"]
    assert "destroyed at every place" in operator.follow("KEYS.md", "Epoch beat")


@pytest.mark.parametrize("keys_lost", [False, True], ids=["key-store-there", "key-store-lost"])
def test_a_node_is_backed_up_and_restored_as_the_page_says(operator, keys_lost):
    node = operator.node.start()
    ids = [say(node, text) for text in ("one", "two", "three")]
    assert "content backup" in operator.follow("BACKUP.md", "Back up")
    assert node.post("line", line_body(line_unsend(ids[1], PEOPLE[0]))).status_code == 200
    until(lambda: at_rest(node.settings))
    say(node, "lost with the disk")
    lines = commands_of("BACKUP.md", "Restore")
    if keys_lost:
        lines.insert(next(place for place, line in enumerate(lines) if "restore" in line), "mv data/keys.db* /srv/lost")
    printed = operator.type(lines)
    assert "1 removals since" in printed
    operator.follow("BACKUP.md", "Quarantine")
    say(node, "four")
    until(lambda: quarantine(node) == [])
    assert texts(node) == ["four", "one", "three"]
    assert node.post("line", line_body(line_unsend(ids[0], PEOPLE[0]))).status_code == 200
    until(lambda: at_rest(node.settings))
    assert texts(node) == ["four", "three"]


def test_messages_are_taken_in_while_the_journal_is_away(operator):
    node = operator.node.start()
    one = say(node, "one")
    operator.follow("BACKUP.md", "Back up")
    operator.type([line for line in commands_of("BACKUP.md", "Restore") if line != "homeport edge run"])
    journal = node.settings.journal_dir / "tombstones.jsonl"
    journal.rename(node.folder / "away")
    node.start()
    two = say(node, "two")
    say(node, "three")
    assert node.post("line", line_body(line_unsend(two, PEOPLE[0]))).status_code == 200
    assert quarantine(node) == [("replaying",)]
    until(lambda: "alert_quarantine_waits" in node.log())
    assert "nothing is opened yet" in operator.follow("BACKUP.md", "Quarantine")
    node.restart()
    (node.folder / "away").replace(journal)
    until(lambda: quarantine(node) == [])
    assert texts(node) == ["one", "three"]
    assert one
    assert "homeport_edge_quarantine 0.0" in node.ask("/metrics").text
