"""``kill -9`` at random moments under load, again and again: nothing acknowledged is lost, nothing is doubled.

What was taken back stays gone, edits end at the newest, and keys and content never contradict each other.
"""

import os
import random
import signal
import time

from tests.integration.node.kept import (
    age_intents,
    everything_is_as_the_book_says,
    is_swept,
    let_leases_run_out,
    nothing_acknowledged_is_missing,
    owners_of_nobody,
    send_some_again,
    wake_the_remover,
)
from tests.integration.node.load import Book, pressed, send_again
from tests.support.node import until

MOMENTS, MOMENTS_LONG = 6, 200
LIFE = 25
"""Kills that one node survives; then a new one is taken, so that looking at all of it stays cheap."""

SEED = "HOMEPORT_KILL_SEED"
"""Repeats the moments and the traffic of a run, as far as a machine ever does the same twice."""

VICTIMS = {"both": 6, "both in a restart": 2, "worker": 2, "supervisor": 1}
"""Who is killed, and how often in proportion."""


def kill(node, victim, moment_s):
    """Kill, and see to it that a node serves again, whether by its supervisor or by its operator."""
    before = node.running()
    if victim == "both in a restart":
        # The next worker is anywhere between its first line and its first webhook then.
        os.kill(before.pid, signal.SIGHUP)
        time.sleep(moment_s * 4)
    node.kill(supervisor=victim != "worker", worker=victim != "supervisor")
    if victim == "worker":
        until(lambda: node.running().worker != before.worker)
    else:
        node.start()


def one_round(node, book, moment_s, victim):
    """Press, kill, press on, and look at everything there is."""
    with pressed(node, book, pauses_s=[0.004]):
        time.sleep(moment_s)
        kill(node, victim, moment_s)
        time.sleep(moment_s / 4)
    # A worker that lost its supervisor finishes what was begun, beside the worker of the next one, and leaves.
    until(lambda: len(node.processes()) == 2)
    let_leases_run_out(node.settings)
    nothing_acknowledged_is_missing(node, book)
    send_again(node, book)
    send_some_again(node, book, 20)
    wake_the_remover(node)
    everything_is_as_the_book_says(node, book)


def one_life(node, moments, seed):
    """Kill a node once for each of ``moments``, then see what the crashes left behind swept."""
    chance, book = random.Random(f"moments {seed}"), Book(f"traffic {seed}")
    node.start()
    for number in range(moments):
        moment_s, victim = chance.uniform(0.0, 0.4), chance.choices(list(VICTIMS), VICTIMS.values())[0]
        print(f"{seed}, kill {number}: {victim} after {moment_s:.3f} s")
        one_round(node, book, moment_s, victim)
    assert book.refused, "not one webhook noticed that its node was killed"
    assert node.stop() == 0
    left = age_intents(node.settings)
    node.start()
    let_leases_run_out(node.settings)
    node.restart()
    until(lambda: is_swept(node.settings))
    assert owners_of_nobody(everything_is_as_the_book_says(node, book)) == set()
    print(f"{seed}: {len(book.sent)} webhooks, {len(book.refused)} cut off, {left} commits swept")
    assert node.stop() == 0


def test_killed_at_any_moment_a_node_loses_nothing_acknowledged_and_doubles_nothing(make_node, long_run):
    seed = os.environ.get(SEED) or random.SystemRandom().randrange(10**6)
    left = MOMENTS_LONG if long_run else MOMENTS
    life = 0
    while left:
        moments = min(left, LIFE)
        one_life(make_node(f"node-{life}"), moments, f"seed {seed}, life {life}")
        left, life = left - moments, life + 1
