"""A restart loses, refuses and doubles nothing under load; a stop refuses only what comes after it."""

from tests.integration.node.kept import everything_is_as_the_book_says
from tests.integration.node.load import Book, pressed, send_again
from tests.support.node import gone, until

RESTARTS, RESTARTS_LONG = 3, 40
STOPS, STOPS_LONG = 2, 40
PAUSES_S = (0.002, 0.01, 0.05, 0.2)
"""Some connections are nearly always idle: a process that is replaced must not close one on which a request comes."""


def test_restarts_under_load_refuse_nothing_lose_nothing_and_double_nothing(make_node, long_run):
    node, book = make_node().start(), Book("rolling restarts")
    workers = [node.running().worker]
    with pressed(node, book, keep_alive=8, fresh=4, pauses_s=PAUSES_S):
        for _ in range(RESTARTS_LONG if long_run else RESTARTS):
            node.restart()
            workers.append(node.running().worker)
            after = len(book.sent) + 50
            until(lambda: len(book.sent) > after or book.refused)  # noqa: B023 - called at once
    assert book.refused == []
    assert len(set(workers)) == len(workers)
    now = node.running(draining=())
    assert (now.crashes, now.worker) == (0, workers[-1])
    assert all(gone(pid) for pid in workers[:-1])
    everything_is_as_the_book_says(node, book)
    assert node.stop() == 0
    everything_is_as_the_book_says(node, book)


def test_a_stop_under_load_keeps_what_it_acknowledged_and_refuses_only_what_comes_later(make_node, long_run):
    node, book = make_node(), Book("stops")
    for _ in range(STOPS_LONG if long_run else STOPS):
        node.start()
        send_again(node, book)
        worker = node.running().worker
        already = len(book.refused)
        with pressed(node, book, keep_alive=8, fresh=4, pauses_s=PAUSES_S):
            enough = len(book.sent) + 150
            until(lambda: len(book.sent) > enough)  # noqa: B023 - called at once
            assert book.refused[already:] == []
            assert node.stop() == 0
            assert gone(worker)
        # Nothing was answered with an error, and no connection that had served was cut.  One that the kernel takes in
        # at the very instant at which the last listening descriptor is closed is reset: TCP knows no other way.
        assert {"refused"} <= set(book.refused[already:]) <= {"refused", "no first answer"}
    node.start()
    send_again(node, book)
    everything_is_as_the_book_says(node, book)
