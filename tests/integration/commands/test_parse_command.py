"""``homeport edge parse`` on bodies as the platforms send them, from a file and from standard input."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from deploy.sandbox import webhooks as made
from edge_node.commands import edge
from shared.commands import Programs
from shared.limits import BODY_BYTES_MAX

HOMEPORT = Programs(name="homeport", commands={"edge": edge})
DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def parse(channel, body, tmp_path=None):
    """Run the command; with ``tmp_path`` the body is read from a file, else from standard input."""
    where = "-"
    if tmp_path is not None:
        (tmp_path / "body.json").write_bytes(body)
        where, body = str(tmp_path / "body.json"), b""
    return CliRunner().invoke(HOMEPORT, ["edge", "parse", "--channel", channel, where], input=body)


def lines(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("from_file", [False, True])
def test_one_event_a_line_from_file_or_standard_input(tmp_path, from_file):
    said = made.whatsapp_text("Grüße\n2. Zeile")
    body = made.whatsapp_body(said, made.whatsapp_revoke(said.id), made.whatsapp_status("wamid.x", "read"))
    events = lines(parse("whatsapp", body, tmp_path if from_file else None))
    assert [event["kind"] for event in events] == ["message", "recall", "status"]
    assert events[0]["content"] == {"form": "text", "text": "Grüße\n2. Zeile"}
    assert events[1]["message_id"] == said.id


def test_a_line_body_of_several_people():
    group = "C" + "a1" * 16
    body = made.line_body(made.line_text("a"), made.line_edited("1", "b", group, made.ANNA), made.line_unsend("1"))
    events = lines(parse("line", body))
    assert [event["kind"] for event in events] == ["message", "edit", "recall"]
    assert events[0]["author"] != events[1]["author"]


def test_what_is_unknown_says_so():
    events = lines(parse("line", made.line_body(made.line_event("aKindOfTomorrow", novelty={"a": 1}))))
    assert [event["kind"] for event in events] == ["unclassified"]


def test_half_a_surrogate_pair_is_printed_as_its_escape():
    body = made.line_body(made.line_text("MARK")).replace(b"MARK", b"\\ud83e")
    (event,) = lines(parse("line", body))
    assert event["kind"] in {"message", "unclassified"}


def test_a_connection_check_prints_nothing():
    assert lines(parse("line", made.line_body())) == []


@pytest.mark.parametrize("channel", ["whatsapp", "line"])
def test_bytes_that_are_no_json_are_an_error_without_their_words(channel):
    result = parse(channel, b"{canary-of-the-parser")
    assert result.exit_code == 2
    assert "body_malformed" in result.stderr
    assert "signed" not in result.stderr
    assert "canary" not in result.output


def test_a_body_over_the_limit_is_refused():
    result = parse("line", b" " * (BODY_BYTES_MAX + 1))
    assert result.exit_code == 2
    assert "body_too_large" in result.stderr


def test_a_missing_file_and_an_unknown_channel_are_wrong_calls(tmp_path):
    runner = CliRunner()
    missing = runner.invoke(HOMEPORT, ["edge", "parse", "--channel", "line", str(tmp_path / "none")])
    unknown = runner.invoke(HOMEPORT, ["edge", "parse", "--channel", "telex", "-"], input=b"{}")
    assert (missing.exit_code, unknown.exit_code) == (2, 2)


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
def test_lines_own_sample_is_understood_but_for_its_one_deliberate_unknown():
    events = lines(parse("line", (DATA / "line" / "sdk-python-webhook.json").read_bytes()))
    kinds = [event["kind"] for event in events]
    assert (len(kinds), kinds.count("unclassified")) == (28, 1)


def test_every_command_explains_itself():
    def walk(command, path):
        yield command, path
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, [*path, name])

    for command, path in walk(edge, ["edge"]):
        result = CliRunner().invoke(HOMEPORT, [*path, "--help"])
        assert result.exit_code == 0
        assert command.help
        assert all(
            option.help for option in command.params if isinstance(option, click.Option) and option.name != "channel"
        )
