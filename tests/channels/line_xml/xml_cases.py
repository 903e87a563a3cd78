"""What several tests of the XML form need: the schema, values that JSON may hold, documents that are refused."""

import functools
import json
from pathlib import Path

import xmlschema
from hypothesis import strategies as st

from edge_node.channels.line.xml import reader
from edge_node.channels.line.xml.mapping import DEPTH_MAX, ELEMENTS_MAX
from edge_node.channels.line.xml.writer import write
from tests.channels.line.cases import body_of, text_event

FOLDER = Path(reader.__file__).parent
SIGNATURE = "A" * 43 + "="
HEAD = '<webhook xmlns="urn:homeport:line-webhook:1"><original signature="">e30=</original>'

STRINGS = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["", " ", "\r\n", "\t", "]]>", "&amp;", "<!--", "\0", "\x1f", "\ufffe", "\uffff", "\ud83e", "\udd28x", "\U0001f468"]
)
"""Any string that Python's ``json`` can write, halves of surrogate pairs among them."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=10,
)


@functools.cache
def schema():
    """Give the published schema, compiled."""
    return xmlschema.XMLSchema(FOLDER / "line-webhook.xsd")


def document(value, head=HEAD):
    """Give a document with ``value`` (elements as text) in the place of the webhook's."""
    return f"{head}{value}</webhook>".encode()


def exact(text):
    """Read JSON with its numbers as they are spelled and its properties in order, doubled ones too."""
    return json.loads(text, parse_int=spelled, parse_float=spelled, object_pairs_hook=tuple)


def spelled(number):
    """Tell a number from a string of the same characters."""
    return ("number", number)


WORD = "Quittengelee"
GOOD = write(body_of(text_event(WORD)), SIGNATURE)
BARE = GOOD.partition(b"?>\n")[2]
BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
XXE = f'<!DOCTYPE webhook [<!ENTITY e SYSTEM "file:///etc/hostname">]>{HEAD}<string>&e;</string></webhook>'

REFUSED = {
    "nothing": ("syntax", b""),
    "only white space": ("syntax", b" \n"),
    "json": ("syntax", body_of(text_event(WORD))),
    "cut short": ("syntax", GOOD[:-4]),
    "two documents": ("syntax", GOOD + BARE),
    "text after": ("syntax", GOOD + WORD.encode()),
    "space before the declaration": ("syntax", b" " + GOOD),
    "undefined entity": ("syntax", document("<string>&nbsp;</string>")),
    "undefined prefix": ("syntax", document("<x:string/>")),
    "attribute twice": ("syntax", document('<string encoding="base64" encoding="base64"/>')),
    "control character": ("syntax", document("<string>\x01</string>")),
    "control character by number": ("syntax", document("<string>&#1;</string>")),
    "half a pair by number": ("syntax", document("<string>&#xD83E;</string>")),
    "xml 1.1": ("encoding", GOOD.replace(b'version="1.0"', b'version="1.1"')),
    "declared latin-1": ("encoding", GOOD.replace(b"UTF-8", b"ISO-8859-1")),
    "declared utf-16": ("encoding", GOOD.replace(b"UTF-8", b"UTF-16")),
    "declared utf-7": ("encoding", GOOD.replace(b"UTF-8", b"UTF-7")),
    "latin-1": ("encoding", document("<string>é</string>").decode().encode("latin-1")),
    "utf-16 with a mark": ("encoding", BARE.decode().encode("utf-16")),
    "utf-16 without a mark": ("encoding", BARE.decode().encode("utf-16-le")),
    "utf-32": ("encoding", BARE.decode().encode("utf-32")),
    "half a pair in utf-8": ("encoding", document("<string>?</string>").replace(b"?", b"\xed\xa0\xbe")),
    "document type": ("dtd", b"<!DOCTYPE webhook>" + BARE),
    "external document type": ("dtd", b'<!DOCTYPE webhook SYSTEM "http://127.0.0.1:9/x.dtd">' + BARE),
    "entity bomb": ("dtd", f'<!DOCTYPE a [<!ENTITY e0 "{WORD}">{BOMB}]>{HEAD}<string>&e9;</string></webhook>'.encode()),
    "quadratic bomb": ("dtd", f'<!DOCTYPE a [<!ENTITY e "{WORD * 9}">]>{HEAD}{"&e;" * 9}</webhook>'.encode()),
    "external entity": ("dtd", XXE.encode()),
    "parameter entity": ("dtd", b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hostname">%p;]>' + BARE),
    "comment": ("comment", document("<string>a<!-- -->b</string>")),
    "comment before": ("comment", b"<!-- made by a bus -->" + BARE),
    "instruction": ("instruction", document("<string>a<?b c?></string>")),
    "style sheet": ("instruction", b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>' + BARE),
    "too deep": ("too_deep", document("<array>" * (DEPTH_MAX + 1) + "</array>" * (DEPTH_MAX + 1))),
    "far too deep": ("too_deep", document("<array>" * 200_000)),
    "too many": ("too_many_elements", document("<array>" + "<null/>" * ELEMENTS_MAX + "</array>")),
    "no namespace": ("shape", b'<webhook><original signature="">e30=</original><map/></webhook>'),
    "another namespace": ("shape", GOOD.replace(b"urn:homeport:line-webhook:1", b"urn:homeport:line-webhook:2")),
    "the W3C's namespace": ("shape", document('<map xmlns="http://www.w3.org/2005/xpath-functions"/>')),
    "another root": ("shape", b'<map xmlns="urn:homeport:line-webhook:1"/>'),
    "empty": ("shape", b'<webhook xmlns="urn:homeport:line-webhook:1"/>'),
    "no elements": ("shape", document("")),
    "two values": ("shape", document("<map/><map/>")),
    "two originals": ("shape", document('<original signature="">e30=</original><map/>')),
    "original last": (
        "shape",
        b'<webhook xmlns="urn:homeport:line-webhook:1"><map/><original signature=""/></webhook>',
    ),
    "an original within": ("shape", document('<map><original key="a" signature=""/></map>')),
    "unknown element": ("shape", document("<date>2026-11-24</date>")),
    "text between": ("shape", document(f"<array>{WORD}<null/></array>")),
    "element in a string": ("shape", document("<string>a<string>b</string></string>")),
    "no key": ("shape", document("<map><null/></map>")),
    "a key in an array": ("shape", document('<array><null key="a"/></array>')),
    "unknown attribute": ("shape", document('<string type="x">a</string>')),
    "unknown attribute of the root": ("shape", document("<map/>", HEAD.replace(" xmlns", ' id="x" xmlns'))),
    "type by attribute": (
        "shape",
        document('<null xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'),
    ),
    "unknown encoding": ("shape", document('<string encoding="hex">61</string>')),
    "unknown encoding of a key": ("shape", document('<map><null key="61" key-encoding="hex"/></map>')),
    "encoding of a number": ("shape", document('<number encoding="base64">MQ==</number>')),
    "a word as truth": ("value", document("<boolean>True</boolean>")),
    "a number as truth": ("value", document("<boolean>1</boolean>")),
    "no truth": ("value", document("<boolean/>")),
    "a word as number": ("value", document(f"<number>{WORD}</number>")),
    "no number of json": ("value", document("<number>01</number>")),
    "not a number": ("value", document("<number>NaN</number>")),
    "digits of another script": ("value", document("<number>\u0661</number>")),
    "json within a number": ("value", document('<number>1,"a":2</number>')),
    "something as null": ("value", document("<null> </null>")),
}
"""What is wrong, the code it is refused with, and the document."""
