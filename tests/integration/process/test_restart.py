"""A restart hands the listening socket on: not one request is refused or fails, whatever a client is doing."""

import asyncio
import contextlib
import threading

import pytest

from shared.errors import NodeNotRunning, RestartFailed
from shared.process import Timing, ask_restart
from tests.integration.process.harness import QUICK, Client, ask_once, gone, reaches, until


class Load:
    """Clients that ask without pause until told to end; every outcome is counted."""

    def __init__(self, address):
        self.address = address
        self.answers = {}
        self.wrong = []
        self.ended = False

    def note(self, answer):
        if answer.status == 200:
            self.answers[answer.pid] = self.answers.get(answer.pid, 0) + 1
        else:
            self.wrong.append(answer.status)

    async def one_shot(self):
        while not self.ended:
            try:
                self.note(await ask_once(self.address))
            except OSError as error:
                self.wrong.append(repr(error))

    async def keep_alive(self, pause):
        """Reuse the connection until told that it closes: a connection that closes untold is a failure."""
        client = await Client(self.address).connect()
        while not self.ended:
            try:
                answer = await client.ask()
            except OSError as error:
                self.wrong.append(repr(error))
                answer = None
            else:
                self.note(answer)
            if answer is None or answer.closes:
                await client.close()
                client = await Client(self.address).connect()
            await asyncio.sleep(pause)
        await client.close()


async def test_not_one_request_fails_over_five_restarts_under_load(node):
    first = node.start()
    load = Load(first.public)
    tasks = [asyncio.create_task(load.one_shot()) for _ in range(6)]
    tasks += [asyncio.create_task(load.keep_alive(pause)) for pause in (0, 0, 0, 0.01, 0.05, 0.2)]
    workers = {first.worker}
    for _ in range(5):
        now = await asyncio.to_thread(ask_restart, node.pid_file)
        workers.add(now.worker)
        await asyncio.to_thread(until, lambda: load.wrong or load.answers.get(now.worker, 0) >= 100)  # noqa: B023
    load.ended = True
    await asyncio.gather(*tasks)
    assert load.wrong == []
    assert set(load.answers) == workers
    assert len(workers) == 6
    after = await asyncio.to_thread(node.serving, draining=(), generation=6)
    assert after.crashes == 0
    # One worker more or less, one connection more or less: after five restarts nothing has piled up.
    assert after.open_files == first.open_files


async def test_a_worker_holds_no_more_descriptors_than_the_first_did(node):
    first = node.start()
    before = await ask_once(first.private)
    for _ in range(3):
        now = await asyncio.to_thread(ask_restart, node.pid_file)
    await asyncio.to_thread(node.serving, draining=())
    after = await ask_once(now.private)
    assert after.pid == now.worker != before.pid
    assert after.content["files"] == before.content["files"]


async def test_an_idle_connection_gets_its_next_answer_from_the_old_worker_and_is_then_closed(node):
    first = node.start()
    used, fresh = await Client(first.public).connect(), await Client(first.public).connect()
    assert not (await used.ask()).closes
    # The second has connected and said nothing yet; another round trip makes sure that it was accepted.
    await ask_once(first.public)
    now = await asyncio.to_thread(ask_restart, node.pid_file)
    assert now.draining == (first.worker,)
    await asyncio.to_thread(until, (node.folder / f"stepped-{first.worker}").exists)
    for client in (used, fresh):
        answer = await client.ask()
        assert (answer.status, answer.pid, answer.closes) == (200, first.worker, True)
        assert await client.reader.read() == b""
        await client.close()
    await asyncio.to_thread(until, lambda: gone(first.worker))
    assert (node.folder / f"closed-{first.worker}").exists()


async def test_an_idle_connection_is_closed_when_the_grace_is_over(node):
    first = node.start(timing=Timing(handover_grace_s=0.2))
    idle = await Client(first.public).connect()
    await idle.ask()
    await asyncio.to_thread(ask_restart, node.pid_file)
    assert await idle.reader.read() == b""
    await idle.close()
    await asyncio.to_thread(until, lambda: gone(first.worker))


async def test_a_slow_request_outlives_a_restart(node):
    first = node.start()
    slow = await Client(first.public).connect()
    await slow.send("/slow/one")
    await asyncio.to_thread(until, lambda: node.begun("one"))
    now = await asyncio.to_thread(ask_restart, node.pid_file)
    await reaches(first.public, now.worker)
    await asyncio.to_thread(until, (node.folder / f"stepped-{first.worker}").exists)
    node.release("one")
    answer = await slow.read()
    assert (answer.status, answer.pid, answer.closes) == (200, first.worker, True)
    await slow.close()


@pytest.mark.parametrize(("word", "reason"), [("refuse", "no store"), ("break", "RuntimeError"), ("hang", "in time")])
async def test_a_new_worker_that_does_not_get_ready_leaves_the_old_one_serving(node, word, reason):
    first = node.start(timing=Timing(ready_s=5.0) if word == "hang" else QUICK)
    node.say(word)
    with pytest.raises(RestartFailed, match=reason):
        await asyncio.to_thread(ask_restart, node.pid_file)
    assert (await ask_once(first.public)).pid == first.worker
    node.say("serve")
    now = await asyncio.to_thread(ask_restart, node.pid_file)
    assert now.worker != first.worker
    await reaches(first.public, now.worker)


async def test_a_restart_asked_during_a_restart_follows_it(node):
    node.start()
    got = []
    threads = [threading.Thread(target=lambda: got.append(ask_restart(node.pid_file))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    # The first got a worker; those who came meanwhile share one that was started after they asked.
    assert sorted(answer.generation for answer in got) in ([2, 3, 3], [2, 3, 4])


async def test_hangup_restarts(node):
    first = node.start()
    node.process.send_signal(1)
    now = await asyncio.to_thread(node.serving, generation=2)
    await reaches(first.public, now.worker)


def test_without_a_node_a_restart_says_so(node):
    with pytest.raises(NodeNotRunning):
        ask_restart(node.pid_file)


async def test_a_restart_over_unix_sockets(node, tmp_path):
    first = node.start(listen=f"unix:{tmp_path}/public", private_listen=f"unix:{tmp_path}/private")
    kept = await Client(first.public).connect()
    assert (await kept.ask()).pid == first.worker
    now = await asyncio.to_thread(ask_restart, node.pid_file)
    await reaches(first.public, now.worker)
    await asyncio.to_thread(until, (node.folder / f"stepped-{first.worker}").exists)
    with contextlib.closing(kept.writer):
        assert (await kept.ask()).closes
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o660
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
