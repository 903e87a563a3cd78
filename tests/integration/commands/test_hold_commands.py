"""``homeport edge hold``: placed, listed, released; what cannot be is refused by name."""

import asyncio
import datetime as dt

import pytest
from click.testing import CliRunner

from edge_node.commands import edge
from tests.support.stores import bench, message, person, recall


def run(config, *words, expect=0):
    """Run a command and give what it said."""
    result = CliRunner().invoke(edge, [*words, "--config", str(config)])
    assert result.exit_code == expect, (result.output, result.exception)
    return result.output


@pytest.fixture
def node(tmp_path):
    """Give a node's settings file and the pseudonym of somebody there, with one message of 2023-11-14."""

    async def fill():
        async with bench(tmp_path) as opened:
            await opened.take(message(1, person(1), "one", at=1_700_000_000_000))
            return (await opened.rows("SELECT pseudonym FROM subject"))[0][0]

    name = asyncio.run(fill())
    config = tmp_path / "node.toml"
    config.write_text('region = "id-test"\ndata_dir = "data"\njournal_dir = "journal"\nlog_level = "error"\n')
    return config, name, tmp_path


async def keeps(folder):
    """Take the message back, and give how it is kept."""
    async with bench(folder) as opened:
        await opened.take(recall(1, person(1)))
        await opened.remove()
        return await opened.rows("SELECT keep FROM message")


@pytest.mark.parametrize(
    ("range_", "held"),
    [
        ((), True),
        (("--from", "2023-11-14", "--until", "2023-11-14"), True),
        (("--from", "2023-11-15"), False),
        (("--until", "2023-11-13"), False),
        (("--stops", "erase"), False),
    ],
)
def test_a_hold_covers_what_its_options_say(node, range_, held):
    config, name, folder = node
    words = ("--pseudonym", name, "--reason", "legal_claim", "--review", "2027-01-31", *range_)
    hold = run(config, "hold", "add", *words).split()[0]
    assert asyncio.run(keeps(folder)) == ([("held",)] if held else [])
    listed = run(config, "hold", "list")
    assert all(word in listed for word in (hold, name, "legal_claim", "2027-01-31"))
    assert ("1 rows" in listed) is held
    assert "Released" in run(config, "hold", "release", hold)
    assert hold not in run(config, "hold", "list")
    assert f"released {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}" in run(config, "hold", "list", "--all")


def test_an_erasure_under_a_hold_says_that_it_waits(node):
    config, name, _ = node
    run(config, "hold", "add", "--pseudonym", name, "--reason", "complaint", "--review", "2027-01-31")
    said = run(config, "erase", name, "--reason", "objection", "--yes")
    assert "a hold or a law keeps what is left" in said
    assert "erasure" in run(config, "hold", "list")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "--pseudonym", "0" * 32, "--reason", "complaint", "--review", "2027-01-31"), "SubjectUnknown"),
        (("add", "--pseudonym", "x", "--reason", "complaint", "--review", "2027-01-31"), "SubjectUnknown"),
        (("release", "0" * 32), "HoldUnknown"),
        (
            (
                "add",
                "--pseudonym",
                "0" * 32,
                "--reason",
                "complaint",
                "--review",
                "2027-01-31",
                "--from",
                "2026-02-02",
                "--until",
                "2026-02-01",
            ),
            "SettingsInvalid",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(node, words, code):
    config, _, _ = node
    result = CliRunner().invoke(edge, ["hold", *words, "--config", str(config)])
    assert type(result.exception).__name__ == code


@pytest.mark.parametrize(("review", "warned"), [("2020-06-30", True), ("2999-06-30", False)])
def test_a_hold_whose_review_is_past_is_placed_with_a_warning(node, review, warned):
    config, name, _ = node
    said = run(config, "hold", "add", "--pseudonym", name, "--reason", "complaint", "--review", review)
    assert ("past already" in said) is warned
    assert said.split()[0] in run(config, "hold", "list")
