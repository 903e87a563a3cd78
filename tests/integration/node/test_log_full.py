"""A log that takes no more: what a node does not get said keeps it from nothing."""

import resource

from deploy.sandbox.webhooks import ROSA, TARO, line_body, line_edited, line_text, line_unsend
from tests.integration.node.load import GROUP
from tests.integration.node.opened import Opened, at_rest, faults
from tests.integration.node.wire import ask
from tests.support.node import NOWHERE, NOWHERE_CHANNEL, OTHER_SECRET, sign_line, until

LOG_BYTES = 256 * 1024 * 1024


def test_a_log_that_takes_no_more_keeps_a_node_from_nothing(make_node):
    node = make_node().start()
    said, kept = line_text("said", TARO, group=GROUP), line_text("kept", TARO, group=GROUP)
    assert node.post("line", line_body(said, kept)).status_code == 200
    # Every file may grow up to where the log ends already.
    with node.log_file.open("ab") as log:
        log.truncate(LOG_BYTES)
    now = node.running()
    for pid in (now.pid, now.worker):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (LOG_BYTES, resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]))
    # Each of these would be logged: a removal, an edit by another author, events that may not rest here, a restart.
    assert node.post("line", line_body(line_unsend(said["message"]["id"], TARO, group=GROUP))).status_code == 200
    assert node.post("line", line_body(line_edited(kept["message"]["id"], "no", GROUP, ROSA))).status_code == 200
    body = line_body(line_text("refused"), channel=NOWHERE_CHANNEL)
    headers = {"x-line-signature": sign_line(OTHER_SECRET, body)}
    assert ask(node.public, f"/webhooks/line/{NOWHERE}", headers, body).status == 200
    assert node.post("line", line_body(line_text("goes on", TARO))).status_code == 200
    until(lambda: at_rest(node.settings))
    node.restart()
    assert node.post("line", line_body(line_text("goes on after a restart", TARO))).status_code == 200
    stored = Opened(node.settings)
    assert sorted(held.text for held in stored.messages) == ["goes on", "goes on after a restart", "kept"]
    assert faults(stored) == []
