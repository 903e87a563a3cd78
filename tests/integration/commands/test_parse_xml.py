"""``homeport edge parse`` with XML: what a developer of an integration bus sees of both forms."""

import json

import pytest
from click.testing import CliRunner

from deploy.sandbox import webhooks as made
from deploy.sandbox.bus import bus_xml
from edge_node.channels.line import LINE
from edge_node.channels.line.xml import LINE_XML
from edge_node.commands import edge
from shared.commands import Programs
from shared.limits import BODY_BYTES_MAX

HOMEPORT = Programs(name="homeport", commands={"edge": edge})
SECRET = b"plainly-invented-secret"
BODY = made.line_body(made.line_text("Grüße\r\n\u0007"), made.line_unsend("561"), made.line_event("ofTomorrow", a=[1]))


def parse(*words, body, expect=0, channel="line"):
    """Run the command over ``body`` on standard input."""
    result = CliRunner().invoke(HOMEPORT, ["edge", "parse", "--channel", channel, *words, "-"], input=body)
    assert result.exit_code == expect, result.output
    return result


def events(result):
    """Give the printed events; of an unclassified one without how its JSON was spelled."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_xml_prints_the_events_of_its_json():
    assert events(parse("--xml", body=bus_xml(BODY, ""))) == events(parse(body=BODY))
    assert len(events(parse(body=BODY))) == 3


def test_json_becomes_xml_that_is_read_again(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    unsigned = parse("--to-xml", body=BODY).stdout_bytes
    signed = parse("--to-xml", "--secret-file", str(tmp_path / "secret"), body=BODY).stdout_bytes
    for xml, right in ((unsigned, False), (signed, True)):
        enclosed = LINE_XML.open(xml)
        assert enclosed.original == BODY
        assert LINE.verify([SECRET], enclosed.original, enclosed.signature) is right
        assert events(parse("--xml", body=xml)) == events(parse(body=BODY))


def test_what_is_wrong_is_named_without_its_words():
    xml = bus_xml(BODY, "")
    differs = parse("--xml", body=xml.replace(b">561<", b">562<"), expect=2)
    assert "forms_differ" in differs.stderr
    assert "event=1" in differs.stderr
    refused = parse("--xml", body=b"<!DOCTYPE canary>" + xml, expect=2)
    assert "xml_refused" in refused.stderr
    assert "reason=dtd" in refused.stderr
    nothing = parse("--to-xml", body=b"{canary", expect=2)
    assert "body_malformed" in nothing.stderr
    assert "canary" not in refused.output + nothing.output
    assert "body_too_large" in parse("--xml", body=b" " * (BODY_BYTES_MAX + 1), expect=2).stderr


@pytest.mark.parametrize("words", [["--xml", "--to-xml"], ["--xml", "--secret-file", "x"], ["--secret-file", "x"]])
def test_options_that_do_not_go_together_are_a_wrong_call(words):
    assert "Usage" in parse(*words, body=BODY, expect=2).stderr


@pytest.mark.parametrize("word", ["--xml", "--to-xml"])
def test_whatsapp_has_no_xml_form(word):
    assert "Only LINE" in parse(word, body=b"{}", expect=2, channel="whatsapp").stderr


def test_a_secret_file_that_cannot_be_read_is_named_by_its_option(tmp_path):
    result = parse("--to-xml", "--secret-file", str(tmp_path / "none"), body=BODY, expect=2)
    assert "account_invalid" in result.stderr
    assert "--secret-file" in result.stderr
