"""``homeport edge subject`` and ``policy restricted``: whose law, declared at a terminal, and what that restricts."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_node.assembly import assemble_taking_in
from edge_node.commands import edge
from edge_node.settings import load_settings
from edge_node.stores import open_stores
from shared.commands import Programs
from tests.support.house_policy import bundle_of, install, open_policy, rule
from tests.support.stores import message, person, taken

HOMEPORT = Programs(name="homeport", commands={"edge": edge})
KEEP_OUT = rule("no-japanese", "deny", operations=("store",), subjects=("JP",), reason="not_here")


class Terminal:
    """An operator's terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "node.toml"

    def command(self, *words, typed=b"", expect=0):
        """Run ``homeport edge ...``; what stood on the screen."""
        result = CliRunner().invoke(HOMEPORT, ["edge", *words, "--config", str(self.config)], input=typed)
        assert result.exit_code == expect, result.output
        return result.output


@pytest.fixture
def terminal(tmp_path):
    """Give a node with one person, whose law nobody keeps out."""
    made = Terminal(tmp_path)
    made.command("init", "--region", "id-test")
    install(made, bundle_of(open_policy([KEEP_OUT])))

    async def first_contact():
        async with open_stores(load_settings(made.config, {})) as stores:
            await (await assemble_taking_in(stores)).take_in([taken(message(1, person(1), "hi"))])
            async with stores.content.read() as transaction:
                return (await transaction.fetch("SELECT pseudonym FROM subject"))[0][0]

    made.who = asyncio.run(first_contact())
    return made


def test_a_declared_residence_is_shown_and_restricts(terminal):
    name = ("--pseudonym", terminal.who)
    shown = terminal.command("subject", "show", *name)
    assert "platform_country" in shown
    assert "0 in all" in terminal.command("policy", "restricted")
    told = terminal.command("subject", "residence", *name, "--country", "JP")
    assert "declared_residence" in told
    assert "message_text" in told
    listed = terminal.command("policy", "restricted")
    assert terminal.who in listed
    assert "1 in all" in listed
    assert "nothing" in terminal.command("subject", "residence", *name, "--country", "none")
    assert "0 in all" in terminal.command("policy", "restricted")


def test_a_wrong_country_or_name_is_refused(terminal):
    wrong = terminal.command("subject", "residence", "--pseudonym", terminal.who, "--country", "japan", expect=2)
    assert "settings_invalid" in wrong
    assert "subject_unknown" in terminal.command("subject", "show", "--pseudonym", "nobody", expect=2)
