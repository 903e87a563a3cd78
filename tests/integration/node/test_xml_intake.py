"""XML of an integration bus over HTTP: taken in as LINE's own would be, or refused; never a word in answer or log."""

import base64
import json

import pytest

from deploy.demo.scanner import missed, scan, write_controls
from deploy.sandbox.bus import bus_xml, sign_bus
from deploy.sandbox.webhooks import (
    TARO,
    line_body,
    line_event,
    line_text,
    line_unsend,
    sign_line,
    sign_whatsapp,
    whatsapp_body,
    whatsapp_text,
)
from tests.channels.line_xml.xml_cases import REFUSED
from tests.integration.node.opened import Opened, at_rest, faults
from tests.integration.node.wire import ask
from tests.support.node import (
    CHANNELS,
    LINE,
    LINE_CHANNEL,
    LINE_SECRET,
    NOWHERE,
    OTHER_SECRET,
    WHATSAPP_SECRET,
    RealNode,
    until,
)

BUS_SECRET, OLD_BUS_SECRET = b"plainly-invented-bus-secret-4716", b"plainly-invented-old-bus-secret-4717"
WORD = "Stachelbeerkompott mit Zimt"
PATH = CHANNELS["line"].path


@pytest.fixture(scope="module")
def node(node_template, tmp_path_factory):
    """Give a running node whose LINE account has a bus, which is changing its secret."""
    folder = tmp_path_factory.mktemp("bus")
    node = RealNode(folder / "node", node_template)
    files = []
    for name, secret in (("new", BUS_SECRET), ("old", OLD_BUS_SECRET)):
        (folder / name).write_bytes(secret)
        files += ["--bus-secret-file", str(folder / name)]
    words = ["--channel", "line", "--scope", "1656", "--bot-user-id", LINE_CHANNEL.bot_user_id, "--secret-file", "-"]
    node.command("account", "add", LINE, *words, *files, "--replace", typed=LINE_SECRET)
    try:
        yield node.start()
    finally:
        node.end()


def as_xml(body, line_secret=LINE_SECRET):
    return bus_xml(body, sign_line(line_secret, body))


def headers_of(xml, secret=BUS_SECRET, **other):
    return {"content-type": "application/xml", "x-homeport-signature": sign_bus(secret, xml)} | other


def post(node, xml, path=PATH, **headers):
    return ask(node.public, path, headers or headers_of(xml), xml)


def is_silent(node, answer):
    """Check that neither the answer nor the log holds a word, in any of the forms that it was sent in."""
    for place in (str(answer.headers) + answer.body.decode("latin-1"), node.log()):
        assert "Stachelbeer" not in place
        assert "U3RhY2hlbGJlZX" not in place
    return True


def code(answer):
    return json.loads(answer.body)["type"].rpartition(":")[2] if answer.body else ""


@pytest.mark.parametrize("content_type", ["application/xml", "text/xml; charset=utf-8", "Application/XML ;x=y"])
@pytest.mark.parametrize("secret", [BUS_SECRET, OLD_BUS_SECRET])
def test_both_forms_are_stored_once_and_as_lines_own(node, content_type, secret):
    said = [line_text(f"{WORD} \r\n \u0007 {number} \U0001f468") for number in range(3)]
    body = line_body(*said, line_event("ofTomorrow", novelty=["one"]))
    xml = as_xml(body)
    answer = post(node, xml, **headers_of(xml, secret, **{"content-type": content_type}))
    assert (answer.status, answer.body) == (200, b"")
    assert node.post("line", body).status_code == 200
    texts = Opened(node.settings).texts("line")
    assert [texts[each["message"]["id"]] for each in said] == [each["message"]["text"] for each in said]
    assert is_silent(node, answer)


def test_an_unsend_through_the_bus_removes_what_came_without_it(node):
    said = line_text(WORD, TARO)
    assert node.post("line", line_body(said)).status_code == 200
    assert said["message"]["id"] in Opened(node.settings).texts("line")
    assert post(node, as_xml(line_body(line_unsend(said["message"]["id"], TARO)))).status == 200
    until(lambda: at_rest(node.settings))
    assert said["message"]["id"] not in Opened(node.settings).texts("line")


def test_a_connection_check_through_the_bus_is_answered(node):
    assert post(node, as_xml(line_body())).status == 200


def spoiled(xml):
    """Give headers that are wrong in one way each."""
    right = headers_of(xml)
    yield "absent", {"content-type": "application/xml"}
    yield "of other bytes", headers_of(xml + b" ")
    yield "of another secret", headers_of(xml, OTHER_SECRET)
    yield "of the channel's secret", headers_of(xml, LINE_SECRET)
    yield "in capitals", right | {"x-homeport-signature": right["x-homeport-signature"].upper()}
    yield "without its name", right | {"x-homeport-signature": right["x-homeport-signature"].removeprefix("sha256=")}
    yield "not ascii", right | {"x-homeport-signature": b"sha256=\xc3\xa9"}
    yield "line's own", {"content-type": "text/xml", "x-line-signature": sign_line(LINE_SECRET, xml)}


@pytest.mark.parametrize("name", [name for name, _ in spoiled(b"")])
@pytest.mark.parametrize("kind", ["good", "no xml", "bomb"])
def test_a_wrong_signature_is_answered_like_an_unknown_account_whatever_the_body(node, name, kind):
    xml = {"good": as_xml(line_body(line_text(WORD))), "no xml": WORD.encode(), "bomb": REFUSED["entity bomb"][1]}[kind]
    before = len(Opened(node.settings).messages)
    headers = dict(spoiled(xml))[name]
    answer = post(node, xml, **headers).without_date
    assert (answer.status, answer.body) == (401, b"")
    assert answer == post(node, xml, f"{PATH}-unknown", **headers_of(xml)).without_date
    assert answer == post(node, xml, f"/webhooks/line/{NOWHERE}", **headers_of(xml, OTHER_SECRET)).without_date
    assert len(Opened(node.settings).messages) == before
    assert is_silent(node, answer)


def test_the_bus_alone_cannot_make_a_webhook(node):
    body = line_body(line_text(WORD))
    for xml in (as_xml(body, BUS_SECRET), as_xml(body, OTHER_SECRET), bus_xml(body, "")):
        answer = post(node, xml)
        assert (answer.status, answer.body) == (401, b"")
    changed = bus_xml(line_body(line_text("something else")), sign_line(LINE_SECRET, body))
    assert post(node, changed).status == 401


def test_a_rendering_that_says_something_else_is_refused_and_told_to_the_operator(node):
    said = line_text(WORD)
    xml = as_xml(line_body(said))
    for changed in (xml.replace(b" mit Zimt", b""), xml.replace(b'<hp:string key="id">', b'<hp:string key="idx">')):
        assert changed != xml
        answer = post(node, changed)
        assert (answer.status, code(answer)) == (422, "forms_differ")
        assert is_silent(node, answer)
    assert said["message"]["id"] not in Opened(node.settings).texts("line")
    told = [json.loads(line) for line in node.log().splitlines() if "forms_differ" in line]
    assert len(told) == 2
    for line in told:
        del line["at"]
        wanted = {
            "event": "alert_bus_refused",
            "level": "warning",
            "account": LINE,
            "code": "forms_differ",
            "reason": "",
        }
        assert line == wanted
    assert post(node, xml).status == 200


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_xml_with_a_right_signature_is_refused_and_the_node_goes_on(node, name):
    reason, xml = REFUSED[name]
    before = len(node.log())
    answer = post(node, xml)
    assert (answer.status, code(answer)) == (400, "xml_refused")
    assert "Quittengelee" not in answer.body.decode() + node.log()
    assert f'"reason": "{reason}"' in node.log()[before:]


def test_an_original_that_is_no_json_or_too_much_is_refused_as_it_would_be_by_itself(node):
    for body, wanted in ((b"{" + WORD.encode(), 400), (line_body(*[line_text(WORD)] * 1_001), 413)):
        xml = bus_xml(b"[]", sign_line(LINE_SECRET, body)).replace(b">W10=<", b">" + base64.b64encode(body) + b"<")
        answer = post(node, xml)
        assert answer.status == wanted == node.post("line", body).status_code
        assert is_silent(node, answer)


def test_too_large_and_compressed_are_refused_before_anything(node):
    large = as_xml(line_body(line_text(WORD * 100_000)))
    assert len(large) > 3 * 1024 * 1024
    assert post(node, large).status == 413
    xml = as_xml(line_body(line_text(WORD)))
    assert post(node, xml, **headers_of(xml), **{"content-encoding": "gzip"}).status == 415


def test_xml_at_a_whatsapp_address_is_what_any_other_body_is(node):
    xml = as_xml(line_body(line_text(WORD)))
    path = CHANNELS["whatsapp"].path
    assert (post(node, xml, path).status, post(node, xml, path).body) == (401, b"")
    signed = {"content-type": "application/xml", "x-hub-signature-256": sign_whatsapp(WHATSAPP_SECRET, xml)}
    answer = post(node, xml, path, **signed)
    assert (answer.status, code(answer)) == (400, "body_malformed")
    body = whatsapp_body(whatsapp_text("said as xml"))
    signed = {"content-type": "application/xml", "x-hub-signature-256": sign_whatsapp(WHATSAPP_SECRET, body)}
    assert post(node, body, path, **signed).status == 200


def test_lines_own_webhooks_need_no_bus(node):
    body = line_body(line_text(WORD))
    both = {"x-line-signature": sign_line(LINE_SECRET, body), "x-homeport-signature": "sha256=" + "0" * 64}
    assert post(node, body, **both).status == 200


def test_afterwards_no_file_holds_a_word_and_both_stores_are_whole(node, tmp_path):
    said = line_text(f"{WORD} \u0007")
    xml = as_xml(line_body(said))
    for each, status in ((xml, 200), (xml + b"<", 400), (REFUSED["entity bomb"][1], 400)):
        assert post(node, each).status == status
    assert post(node, xml.replace(b'encoding="base64"', b"")).status == 422
    assert post(node, xml, **headers_of(xml, OTHER_SECRET)).status == 401
    found = Opened(node.settings)
    assert found.texts("line")[said["message"]["id"]] == said["message"]["text"]
    assert faults(found) == []
    assert node.running().crashes == 0
    words = ["Stachelbeerkompott", "Quittengelee", LINE_SECRET.decode(), BUS_SECRET.decode(), OLD_BUS_SECRET.decode()]
    assert scan(node.folder, words).hits == []
    write_controls(tmp_path, words)
    assert missed(tmp_path, words) == []
