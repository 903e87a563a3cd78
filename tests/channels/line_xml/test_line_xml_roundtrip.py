"""A webhook written as XML and read again is the webhook: the same value, the same events, valid by the schema."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.sandbox.bus import bus_xml
from edge_node.channels.agreement import agreed_events
from edge_node.channels.line import LINE
from edge_node.channels.line.xml import LINE_XML
from edge_node.channels.line.xml.mapping import DEPTH_MAX
from edge_node.channels.line.xml.writer import write
from shared.errors import BodyMalformed
from shared.errors.bus import XmlRefused
from tests.channels.line.cases import FIXTURES, body_of, text_event
from tests.channels.line_xml.xml_cases import FOLDER, JSON, SIGNATURE, STRINGS, exact, schema


@pytest.mark.parametrize("make", [write, bus_xml], ids=["writer", "bus"])
@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_every_fixture_gives_the_events_of_its_json(fixture, make):
    body = fixture.read_bytes()
    xml = make(body, SIGNATURE)
    assert schema().is_valid(xml)
    enclosed = LINE_XML.open(xml)
    assert (enclosed.original, enclosed.signature) == (body, SIGNATURE.encode())
    assert enclosed.rendering != body
    assert agreed_events(LINE, enclosed) == LINE.parse(body)


def test_lines_own_sample_survives(shared_data):
    body = (shared_data / "line/sdk-python-webhook.json").read_bytes()
    assert len(agreed_events(LINE, LINE_XML.open(bus_xml(body, SIGNATURE)))) == 28


@settings(deadline=None)
@given(JSON)
def test_any_json_value_has_one_xml_form_and_comes_back_from_it(value):
    body = json.dumps(value).encode()
    xml = write(body, "")
    assert schema().is_valid(xml)
    assert exact(LINE_XML.open(xml).rendering) == exact(body)


@settings(deadline=None)
@given(st.lists(st.tuples(STRINGS, JSON), max_size=3), STRINGS)
def test_any_addition_to_an_event_gives_equal_events(additions, text):
    event = text_event(text) | {f"new{name}": value for name, value in additions}
    body = body_of(event, text_event(), **{"beside" + text: text})
    for xml in (write(body, SIGNATURE), bus_xml(body, SIGNATURE)):
        assert schema().is_valid(xml)
        assert agreed_events(LINE, LINE_XML.open(xml)) == LINE.parse(body)


@settings(deadline=None)
@given(st.lists(JSON, max_size=4))
def test_any_values_as_events_give_equal_events(values):
    body = body_of(*values)
    for xml in (write(body, SIGNATURE), bus_xml(body, SIGNATURE)):
        assert agreed_events(LINE, LINE_XML.open(xml)) == LINE.parse(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2,"":{"":[[],{}]}}',
        b'[1.50,1e2,1E+400,-0,-0.0,123456789012345678901234567890,0.1e-7,"1","true",true,"null",null]',
        b'{"id":"561000000000000059","n":561000000000000059}',
        rb'["\ud83e","\ud83e\udd28","\udd28\ud83e","\\ud83e","\u0000","\r","\r\n","\u0085\u2028"]',
        '{"<&>\\"\'":"<![CDATA[]]>&lt;","\\t\\n\\r":"\\t\\n\\r","xmlns":"xml:lang","日本":"\U0001f468\u200d"}'.encode(),
        b'"only a string"',
        b'[["one"]]',
    ],
)
def test_what_converters_spoil_comes_back_as_it_was(body):
    xml = write(body, "")
    assert schema().is_valid(xml)
    assert exact(LINE_XML.open(xml).rendering) == exact(body)


def test_nesting_is_bounded_alike_on_both_sides():
    deepest = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    assert LINE_XML.open(write(deepest, "")).rendering == deepest
    for levels in (DEPTH_MAX + 1, 100_000):
        with pytest.raises(XmlRefused, match="reason=too_deep"):
            write(b"[" * levels + b"]" * levels, "")


@pytest.mark.parametrize("body", [b"", b"{", b"[NaN]", b"[-Infinity]", b'"\xff"', b"\xef\xbb\xbf{}", b"{}{}"])
def test_what_is_no_json_is_not_written(body):
    with pytest.raises(BodyMalformed):
        write(body, "")


def test_the_page_shows_what_the_writer_writes():
    page = (FOLDER / "README.md").read_text()
    example = page.partition("```xml\n")[2].partition("```")[0]
    assert schema().is_valid(example)
    enclosed = LINE_XML.open(example.encode())
    assert write(enclosed.original, enclosed.signature.decode()).decode() == example
    assert LINE.verify([b"channel secret"], enclosed.original, enclosed.signature)
    assert len(agreed_events(LINE, enclosed)) == 1
