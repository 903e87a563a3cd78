"""``homeport edge hold add`` names the law; ``homeport edge policy kept`` shows what is kept, why, until when."""

import asyncio

import pytest
from click.testing import CliRunner

from edge_node.commands import edge
from shared.errors import HomeportError
from tests.support.governed import DAY, govern, laws_of, of_law, take_at
from tests.support.stores import bench, message, person, recall

ANN, BEN = person(1), person(2)


def run(config, *words, expect=0):
    """Run a command and give its result."""
    result = CliRunner().invoke(edge, [*words, "--config", str(config)])
    assert result.exit_code == expect, (result.output, result.exception)
    return result


@pytest.fixture
def node(tmp_path):
    """Give a node's settings file, and the pseudonyms of an European and of somebody in Taiwan, with a message each."""

    async def fill():
        async with bench(tmp_path) as opened:
            await take_at(opened, opened.stores.clock.now() - DAY, message(1, ANN, "one"), message(2, BEN, "two"))
            names = [await of_law(opened, 1, "EU"), await of_law(opened, 2, "TW")]
            await govern(opened, laws_of("EU"))
            return names

    names = asyncio.run(fill())
    config = tmp_path / "node.toml"
    config.write_text('region = "id-test"\ndata_dir = "data"\njournal_dir = "journal"\nlog_level = "error"\n')
    return config, names, tmp_path


async def taken_back(folder):
    """Let both take their message back, and what is due be done."""
    async with bench(folder) as opened:
        await opened.policy.look()
        await opened.take(recall(1, ANN), recall(2, BEN))
        await opened.settle()


def test_a_hold_says_what_it_stands_on_and_what_is_kept_is_shown(node):
    config, (ann, ben), folder = node
    assert "Nothing of this person is kept" in run(config, "policy", "kept", "--pseudonym", ann).output
    words = ("--reason", "legal_claim", "--review", "2031-01-31")
    assert "hold by gdpr-17-3-e; held." in run(config, "hold", "add", "--pseudonym", ann, *words).output
    assert "hold_unbacked" in run(config, "hold", "add", "--pseudonym", ben, *words).output
    stands = run(config, "policy", "kept", "--pseudonym", ann).output
    assert "stands by gdpr-17-3-e, for legal_claim" in stands
    asyncio.run(taken_back(folder))
    shown = " ".join(run(config, "policy", "kept", "--pseudonym", ann).output.split())
    for word in (
        "recall",
        "message_text",
        "held",
        "kept_by_duty",
        "EU.legal-claims",
        "gdpr-17-3-e",
        "somebody ends it",
    ):
        assert word in shown
    assert "hold_unbacked" in run(config, "policy", "kept", "--pseudonym", ben).output
    listed = run(config, "hold", "list").output
    assert "gdpr-17-3-e" in listed
    assert "hold_unbacked" in listed


def test_what_the_law_does_not_know_is_refused_by_name(node):
    config, (ann, ben), _ = node
    words = ("--reason", "restriction", "--review", "2031-01-31")
    said = run(config, "hold", "add", "--pseudonym", ann, *words).output
    assert "restriction by gdpr-18-2; restricted." in said
    assert "does not stop: recall" in said
    refused = CliRunner().invoke(edge, ["hold", "add", "--pseudonym", ben, *words, "--config", str(config)])
    assert isinstance(refused.exception, HomeportError)
    assert refused.exception.code == "hold_unfounded"
    nobody = CliRunner().invoke(edge, ["policy", "kept", "--pseudonym", "0" * 32, "--config", str(config)])
    assert nobody.exception.code == "subject_unknown"
