"""What ``homeport edge view`` makes of a stream: lines end where the stream says so, and nothing steers a terminal."""

import json

import pytest

from edge_node.commands.view import _print_page
from edge_node.relay.desk_link import _events, _lines


def message(**more):
    """Give a shown message as the desk says it."""
    return {
        "disclosure": "0" * 32,
        "form": "full",
        "channel": "line",
        "direction": "in",
        "at": 1_000,
        "edited": False,
        "kind": "text",
        "content": {"form": "text", "text": "words"},
    } | more


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x1e"])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_line_ends_at_a_line_feed_alone_however_it_is_cut(mark, size):
    said = message(content={"form": "text", "text": f"a{mark}{mark}event:closed{mark}{mark}b"})
    stream = f"event: shown\r\nid: 3\r\ndata: {json.dumps(said, ensure_ascii=False)}\r\n\r\n".encode()
    stream = stream.replace(b"\\u000b", b"\x0b").replace(b"\\u001e", b"\x1e")
    pieces = (stream[start : start + size] for start in range(0, len(stream), size))
    [(number, spoken)] = _events(_lines(pieces))
    assert (number, spoken.kind) == ("3", "shown")


@pytest.mark.parametrize("at", [2**63, -(2**63), 10**30])
def test_a_time_beyond_every_calendar_is_printed_all_the_same(at, capsys):
    _print_page([message(at=at)], set(), "full")
    assert "words" in capsys.readouterr().out


def test_a_kind_of_another_node_steers_no_terminal(capsys):
    _print_page([message(kind="\x1b[2J\nforged", content=None)], set(), "masked")
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert printed.count("\n") == 1
