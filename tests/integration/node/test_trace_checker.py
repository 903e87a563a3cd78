"""The checker of traces finds every way of answering too early; a check that cannot fail would prove nothing."""

import pytest

from tests.integration.node.traced import Trace

SOUND = """\
71 openat(AT_FDCWD</srv>, "/srv/data/keys.db-wal", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0600) = 7</srv/data/keys.db-wal>
72 openat(AT_FDCWD</srv>, "/srv/data/content.db-wal", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 8</srv/data/content.db-wal>
70 read(20<socket:[11]>, "POST /webhooks/line/line-desk HT"..., 256000) = 300
71 pwrite64(7</srv/data/keys.db-wal>, "\\0\\0\\0\\v = \\r", 24, 78312) = 24
70 epoll_wait(5<anon_inode:[eventpoll]>,  <unfinished ...>
71 pwrite64(7</srv/data/keys.db-wal>, "\\r\\0"..., 4096, 78336 <unfinished ...>
70 <... epoll_wait resumed>[], 1024, 10) = 0
71 <... pwrite64 resumed>) = 4096
71 fdatasync(7</srv/data/keys.db-wal> <unfinished ...>
70 read(21<socket:[12]>, "GET /health/live"..., 256000) = 60
71 <... fdatasync resumed>) = 0
71 fdatasync(9</srv/data>) = 0
70 write(21<socket:[12]>, "HTTP/1.1 200 OK\\r\\n"..., 94) = 94
72 pwrite64(8</srv/data/content.db-wal>, "\\r"..., 4096, 0) = 4096
72 fdatasync(8</srv/data/content.db-wal>) = 0
72 fsync(9</srv/data>) = 0
72 --- SIGURG {si_signo=SIGURG} ---
70 write(20<socket:[11]>, "HTTP/1.1 200 OK\\r\\n"..., 94) = 94
72 +++ exited with 0 +++
""".splitlines()
KEYS_SYNC = (8, 10)
"""Where the sync of the keys begins and returns."""
CONTENT_WRITE, CONTENT_SYNC, ANSWER = 13, 14, 17


def moved(line, before):
    """Give the trace with one line moved to before another."""
    lines = [*SOUND[:before], SOUND[line], *SOUND[before:]]
    del lines[line + (line >= before)]
    return lines


def changed(line, old, new):
    """Give the trace with one line changed."""
    assert old in SOUND[line]
    return [*SOUND[:line], SOUND[line].replace(old, new), *SOUND[line + 1 :]]


KEYS_UNSYNCED = "keys.db was written and not synced before the answer"
CONTENT_UNSYNCED = "content.db was written and not synced before the answer"
KEYS_LATE = "content was written before its keys were synced"
SPOILT = {
    "the keys are never synced": ([line for n, line in enumerate(SOUND) if n not in KEYS_SYNC], KEYS_UNSYNCED),
    "the content is never synced": (SOUND[:CONTENT_SYNC] + SOUND[CONTENT_SYNC + 1 :], CONTENT_UNSYNCED),
    "the content is synced after the answer": (moved(CONTENT_SYNC, ANSWER + 1), CONTENT_UNSYNCED),
    "the sync returns after the answer": (moved(KEYS_SYNC[1], ANSWER + 1), KEYS_UNSYNCED),
    "the sync begins before the write returns": (moved(KEYS_SYNC[0], 7), KEYS_UNSYNCED),
    "the sync fails": (changed(CONTENT_SYNC, "= 0", "= -1 EIO (Input/output error)"), CONTENT_UNSYNCED),
    "the sync is of another file": (changed(CONTENT_SYNC, "content.db-wal", "content.db"), CONTENT_UNSYNCED),
    "the sync is of another node's file": (changed(CONTENT_SYNC, "/srv/", "/opt/"), CONTENT_UNSYNCED),
    "the keys are synced after the content": (moved(KEYS_SYNC[1], CONTENT_SYNC + 1), KEYS_LATE),
    "the content goes first": (moved(CONTENT_WRITE, 3), "keys were written after the content"),
    "no keys are written": ([line for line in SOUND if "keys.db" not in line], "nothing was written to keys.db"),
    "no content is written": ([line for line in SOUND if "content" not in line], "nothing was written to content.db"),
}


def test_a_sound_trace_is_found_sound():
    trace = Trace(SOUND)
    (exchange,) = trace.exchanges
    assert exchange.status == 200
    assert list(trace.unsafe(exchange)) == []
    assert not trace.unproven(exchange)
    assert trace.unnamed(exchange) == []


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_spoilt_trace_is_found_out(spoilt):
    lines, word = SPOILT[spoilt]
    trace = Trace(lines)
    (exchange,) = trace.exchanges
    assert word in list(trace.unsafe(exchange))
    assert trace.unproven(exchange)


def test_a_recall_may_leave_the_keys_alone_and_nothing_else():
    trace = Trace(line for line in SOUND if "keys.db" not in line)
    assert list(trace.unsafe(trace.exchanges[0], ("content",))) == []
    unsynced = trace.without(lambda line: " fdatasync(8" in line)
    assert list(unsynced.unsafe(unsynced.exchanges[0], ("content",))) == [CONTENT_UNSYNCED]
    elsewhere = Trace(changed(CONTENT_WRITE, "8</srv/data/content.db-wal", "2</srv/log"))
    assert list(elsewhere.unsafe(elsewhere.exchanges[0], ("content",))) == ["nothing was written to content.db"]


def test_a_new_log_whose_name_is_not_synced_is_found_out():
    unsynced = Trace(line for line in SOUND if "sync(9" not in line)
    assert unsynced.unnamed(unsynced.exchanges[0]) == ["keys.db-wal", "content.db-wal"]
    early = Trace([SOUND[0], "71 fsync(9</srv/data>) = 0", *(line for line in SOUND[1:] if "sync(9" not in line)])
    assert early.unnamed(early.exchanges[0]) == ["content.db-wal"]


def test_the_answers_of_two_connections_are_told_apart():
    other = [line.replace("[11]", "[31]").replace("200 OK", "401 No") for line in SOUND if "[11]" in line]
    trace = Trace([*SOUND[:3], *other, *SOUND[3:]])
    assert [exchange.status for exchange in trace.exchanges] == [200, 401]
    first, second = trace.exchanges
    assert list(trace.unsafe(first)) == []
    assert list(trace.unsafe(second, ())) == []
    assert trace.unproven(second)


def test_a_call_that_never_returned_counts_for_nothing():
    cut = Trace([*SOUND[:CONTENT_SYNC], "72 fdatasync(8</srv/data/content.db-wal> <unfinished ...>", *SOUND[ANSWER:]])
    assert list(cut.unsafe(cut.exchanges[0])) == [CONTENT_UNSYNCED]
    again = Trace([*SOUND[:CONTENT_SYNC], "72 fdatasync(8</srv/data/content.db-wal>) = ? ERESTARTSYS", *SOUND[ANSWER:]])
    assert list(again.unsafe(again.exchanges[0])) == [CONTENT_UNSYNCED]
