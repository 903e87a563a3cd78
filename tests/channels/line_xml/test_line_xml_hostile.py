"""XML that no honest bus sends: refused with a code before it costs anything, and never with a word of it."""

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_node.channels.line.xml import LINE_XML
from edge_node.channels.line.xml.mapping import ELEMENTS_MAX
from shared.errors.bus import XmlRefused
from tests.channels.line_xml.xml_cases import BARE, GOOD, HEAD, REFUSED, WORD, document, schema

READER_ONLY = {
    "white space that is none of XML's": ("shape", document("<array>\u00a0<null/></array>")),
    "no base64": ("value", document('<string encoding="base64">?</string>')),
    "base64 without its end": ("value", document('<string encoding="base64">YQ</string>')),
    "base64 beyond ascii": ("value", document('<string encoding="base64">YQ==é</string>')),
    "base64 of no utf-8": ("value", document('<string encoding="base64">/w==</string>')),
    "a key that is no base64": ("value", document('<map><null key="?" key-encoding="base64"/></map>')),
    "an original that is no base64": ("value", document("<map/>", HEAD.replace("e30=", "e30"))),
}
"""The schema does not look into base64, and the validator used here has Python's white space."""


@pytest.mark.parametrize(("reason", "xml"), (REFUSED | READER_ONLY).values(), ids=REFUSED | READER_ONLY)
def test_it_is_refused_for_its_reason_without_a_word_of_it(reason, xml):
    with pytest.raises(XmlRefused) as refusal:
        LINE_XML.open(xml)
    assert refusal.value.details == {"reason": reason}
    assert WORD not in "".join(traceback.format_exception(refusal.value))
    assert refusal.value.__context__ is None


@pytest.mark.parametrize("name", [name for name, (reason, _) in REFUSED.items() if reason in {"shape", "value"}])
def test_what_the_reader_refuses_the_schema_refuses(name):
    assert schema().is_valid(document("<map/>"))
    assert not schema().is_valid(REFUSED[name][1])


ACCEPTED = {
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "no declaration": BARE,
    "declared in small letters": GOOD.replace(b"UTF-8", b"utf-8"),
    "prefix": BARE.replace(b"</", b"</h:")
    .replace(b"<", b"<h:")
    .replace(b"<h:/h:", b"</h:")
    .replace(b"xmlns", b"xmlns:h"),
    "character data section": GOOD.replace(WORD.encode(), f"<![CDATA[{WORD}]]>".encode()),
    "character by number": GOOD.replace(WORD[:1].encode(), b"&#x51;"),
    "one line": b"".join(line.strip() for line in GOOD.splitlines()),
    "windows lines": GOOD.replace(b"\n", b"\r\n"),
    "schema location": GOOD.replace(
        b"<webhook ",
        b'<webhook xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x http://127.0.0.1:9/x" ',
    ),
    "encoded without need": GOOD.replace(
        f'key="text">{WORD}'.encode(), b'key="text" encoding="base64">UXVpdHRl\n bmdlbGVl'
    ),
    "white space round a number": GOOD.replace(b"<number", b"<number").replace(b"</number>", b" \n</number>"),
}


@pytest.mark.parametrize("xml", ACCEPTED.values(), ids=ACCEPTED)
def test_other_spellings_of_the_same_document_are_read_alike(xml):
    assert xml != GOOD
    assert LINE_XML.open(xml) == LINE_XML.open(GOOD)


def test_elements_up_to_the_bound_are_read():
    xml = document("<array>" + "<null/>" * (ELEMENTS_MAX - 3) + "</array>")
    assert LINE_XML.open(xml).rendering.count(b"null") == ELEMENTS_MAX - 3


def test_huge_attributes_and_texts_are_read_or_refused_at_once():
    word = "x" * 3_000_000
    rendering = LINE_XML.open(document(f'<map><string key="{word}">{word}</string></map>')).rendering
    assert rendering == f'{{"{word}":"{word}"}}'.encode()
    for many in (" ".join(f'a{n}=""' for n in range(100_000)), " ".join(f'xmlns:n{n}="u{n}"' for n in range(100_000))):
        with pytest.raises(XmlRefused, match="shape"):
            LINE_XML.open(document(f"<array><map {many}/></array>").replace(b"<map ", b'<map a="" '))


@settings(deadline=None)
@given(st.data())
def test_a_changed_byte_never_does_worse(data):
    changed = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        LINE_XML.open(bytes(changed))
    except XmlRefused:
        return


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_refused(body):
    with pytest.raises(XmlRefused):
        LINE_XML.open(body)
