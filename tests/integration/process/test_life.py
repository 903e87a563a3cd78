"""Start, crash and stop: the socket outlives its workers, and what was taken in is answered."""

import asyncio
import os
import signal
import socket
import threading

import pytest

from shared.errors import NodeNotRunning
from shared.process import Timing, ask_stop, status
from tests.integration.process.harness import QUICK, Client, ask_once, gone, last_words, refuses, until


async def test_a_killed_worker_is_replaced_and_nobody_is_refused_meanwhile(node):
    first = node.start()
    for _ in range(3):
        before = node.serving()
        os.kill(before.worker, signal.SIGKILL)
        # Until the new worker comes, the connection waits in the kernel's queue.
        answers = await asyncio.gather(*(ask_once(first.public) for _ in range(20)))
        assert {answer.status for answer in answers} == {200}
        assert before.worker not in {answer.pid for answer in answers}
    after = await asyncio.to_thread(node.serving)
    assert (after.crashes, after.generation, after.pid) == (3, 4, first.pid)


async def test_a_worker_that_dies_while_starting_after_a_crash_is_tried_again(node):
    first = node.start()
    node.say("break")
    os.kill(first.worker, signal.SIGKILL)
    waiting = asyncio.create_task(ask_once(first.public))
    await asyncio.to_thread(until, lambda: node.log().count('"worker_failed"') >= 2)
    assert node.status().state == "starting"
    node.say("serve")
    assert (await waiting).status == 200
    assert node.serving().crashes == 1


async def test_a_stop_answers_what_is_in_flight_and_then_refuses(node):
    first = node.start()
    slow, idle = await Client(first.public).connect(), await Client(first.public).connect()
    await slow.send("/slow/one")
    await idle.ask()
    await asyncio.to_thread(until, lambda: node.begun("one"))
    stopping = threading.Thread(target=ask_stop, args=(node.pid_file,))
    stopping.start()
    await asyncio.to_thread(until, lambda: refuses(first.public))
    assert node.process.poll() is None
    assert status(node.pid_file).state == "stopping"
    answer = await idle.ask()
    assert (answer.status, answer.closes) == (200, True)
    node.release("one")
    answer = await slow.read()
    assert (answer.status, answer.pid, answer.closes) == (200, first.worker, True)
    await asyncio.to_thread(stopping.join)
    assert await asyncio.to_thread(node.process.wait) == 0
    assert (node.folder / f"closed-{first.worker}").exists()
    assert node.pid_file.read_text() == ""
    with pytest.raises(NodeNotRunning):
        status(node.pid_file)


async def test_a_stop_takes_in_what_the_kernel_has_queued(node):
    first = node.start()
    os.kill(first.worker, signal.SIGSTOP)
    clients = [await Client(first.public).connect() for _ in range(40)]
    for client in clients:
        await client.send()
    node.process.terminate()
    await asyncio.to_thread(until, lambda: '"stopping"' in node.log())
    os.kill(first.worker, signal.SIGCONT)
    answers = await asyncio.gather(*(client.read() for client in clients))
    assert {(answer.status, answer.closes) for answer in answers} == {(200, True)}
    for client in clients:
        await client.close()
    assert await asyncio.to_thread(node.process.wait) == 0


async def test_asked_twice_to_stop_it_does_not_wait_for_idle_connections(node):
    first = node.start(timing=Timing(stop_grace_s=3600.0))
    idle = await Client(first.public).connect()
    await idle.ask()
    node.process.terminate()
    await asyncio.to_thread(until, lambda: refuses(first.public))
    node.process.send_signal(signal.SIGINT)
    assert await idle.reader.read() == b""
    await idle.close()
    assert await asyncio.to_thread(node.process.wait) == 0


async def test_a_worker_that_does_not_leave_is_killed(node):
    first = node.start(timing=Timing(stop_grace_s=0.1, finish_s=0.5))
    os.kill(first.worker, signal.SIGSTOP)
    node.process.terminate()
    assert await asyncio.to_thread(node.process.wait) == 0
    assert gone(first.worker)
    assert '"worker_killed"' in node.log()


def test_a_second_supervisor_on_the_same_folder_is_refused(node):
    first = node.start()
    second = node.launch()
    said = last_words(second)
    assert second.returncode == 2
    assert "node_running" in said
    assert f"pid={first.pid}" in said
    assert "homeport edge stop" in said
    assert node.serving().worker == first.worker


async def test_a_pid_file_left_behind_hinders_nobody(node):
    node.pid_file.write_text("4194304\n")
    node.pid_file.with_suffix(".control").write_text("")
    first = node.start()
    assert int(node.pid_file.read_text()) == first.pid == node.process.pid
    assert (await ask_once(first.public)).status == 200


async def test_when_the_supervisor_is_killed_its_worker_drains_and_the_next_one_gets_the_address(node):
    first = node.start()
    slow = await Client(first.public).connect()
    await slow.send("/slow/one")
    await asyncio.to_thread(until, lambda: node.begun("one"))
    node.process.kill()
    await asyncio.to_thread(node.process.wait)
    second = await asyncio.to_thread(node.start, listen=first.public, private_listen=first.private)
    assert second.public == first.public
    assert not gone(first.worker)
    node.release("one")
    assert (await slow.read()).pid == first.worker
    await slow.close()
    await asyncio.to_thread(until, lambda: gone(first.worker))
    assert (await ask_once(second.public)).pid == second.worker


def test_after_an_unclean_end_an_address_still_in_use_is_waited_for(node):
    node.pid_file.write_text("4194304\n")
    with socket.create_server(("127.0.0.1", 0)) as dying:
        host, port = dying.getsockname()
        node.process = node.launch(listen=f"{host}:{port}")
        until(lambda: '"waiting_for_address"' in node.log())
    assert node.serving().public == f"{host}:{port}"


@pytest.mark.parametrize(("word", "reason"), [("refuse", "There is no store"), ("break", "RuntimeError")])
def test_a_first_worker_that_does_not_get_ready_ends_the_node_with_its_reason(node, word, reason):
    node.say(word)
    process = node.launch()
    said = last_words(process)
    assert process.returncode == 2
    assert said.startswith("restart_failed: ")
    assert reason in said
    assert node.pid_file.read_text() == ""


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1:70000", "::1:80", "127.0.0.1:http", ":8080", "taken"])
def test_an_address_that_cannot_be_had_is_named(node, listen):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host, port = taken.getsockname()
        process = node.launch(listen=f"{host}:{port}" if listen == "taken" else listen)
        said = last_words(process)
    assert process.returncode == 2
    assert said.startswith("settings_invalid: ")
    assert "setting=listen" in said
    assert ("nothing listens yet" in said) is (listen == "taken")


async def test_ipv6_addresses_are_told_as_they_are_given(node):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    first = node.start(listen="[::1]:0")
    assert first.public.startswith("[::1]:")
    assert (await ask_once(first.public)).pid == first.worker


async def test_the_service_manager_hands_over_sockets_and_hears_every_turn(node, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        first = node.start(activated=True, env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert manager.recv(500) == f"READY=1\nMAINPID={first.pid}".encode()
        assert (await ask_once(first.public)).pid == first.worker
        assert "bytes" in (await ask_once(first.public)).content
        assert "files" in (await ask_once(first.private)).content
        node.process.send_signal(signal.SIGHUP)
        assert manager.recv(500).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(500).startswith(b"READY=1")
        node.process.terminate()
        assert manager.recv(500) == b"STOPPING=1"
        assert await asyncio.to_thread(node.process.wait) == 0


def test_the_default_grace_of_a_restart_outlives_an_idle_connection(node):
    from shared.process.contract import KEEP_ALIVE_S

    assert Timing().handover_grace_s > KEEP_ALIVE_S
    assert QUICK.finish_s < Timing().finish_s
