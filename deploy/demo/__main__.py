"""``python -m deploy.demo [--serve] [--keep DIR]``: run the demo.

Exit status: 0 all that was promised was seen, 1 something was not, 2 called wrongly, 130 interrupted.
"""

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from deploy.demo.closing import show_metrics, show_scan, show_summary
from deploy.demo.look import Look
from deploy.demo.narrator import Narrator
from deploy.demo.node import Command, CommandFailed, DemoNode
from deploy.demo.serve import serve
from deploy.demo.story import Step, tell
from deploy.demo.walk import Walk
from edge_node.channels.registry import CHANNELS
from edge_node.commands.parse import encode_line
from edge_node.stores import open_stores
from shared.errors import HomeportError

_INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run the demo and give its exit status."""
    wanted = _arguments(arguments)
    narrator = Narrator()
    try:
        with _folder(wanted.keep) as folder:
            return asyncio.run(_run(folder, narrator, kept=wanted.keep is not None, goes_on=wanted.serve))
    except (asyncio.CancelledError, KeyboardInterrupt):
        narrator.say("Interrupted; the node is stopped.")
        return _INTERRUPTED
    except (CommandFailed, HomeportError, httpx.HTTPError) as error:
        narrator.say(f"The demo cannot go on: {type(error).__name__}: {error}", "bold red")
        return 1


def _arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; a folder to keep must be empty or not there yet."""
    parser = argparse.ArgumentParser(prog="dev.py demo", description="Show a node at work, step by step.")
    parser.add_argument("--serve", action="store_true", help="keep the node running, with commands to send by hand")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the node in DIR and leave it there")
    wanted = parser.parse_args(arguments)
    if wanted.keep is not None and wanted.keep.exists() and (not wanted.keep.is_dir() or any(wanted.keep.iterdir())):
        parser.error(f"--keep wants an empty or new folder; {wanted.keep} is neither")
    return wanted


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Give the node's folder; a temporary one is removed at the end."""
    if keep is not None:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield keep.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="homeport-demo-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(folder: Path, narrator: Narrator, *, kept: bool, goes_on: bool) -> int:
    """Set the node up, play the story, close; then serve if asked to.  Signals end it in order."""
    started, node = time.monotonic(), DemoNode(folder)
    task, loop, serving = asyncio.current_task(), asyncio.get_running_loop(), False
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: task and task.cancel())
    try:
        steps = tell()
        _set_up(node, narrator)
        _show_parse(node, narrator, steps[0])
        async with open_stores(node.settings) as stores:
            look = await Look.at(stores)
            await _play(node, look, narrator, steps)
            show_summary(narrator, time.monotonic() - started, folder, kept=kept)
            if goes_on and not narrator.failures:
                await node.hang_up()
                serving = True
                await serve(node, look, narrator)
    except asyncio.CancelledError:
        if not serving:
            raise
        narrator.say()
    finally:
        status = await node.stop()
    if status != 0:
        narrator.say(f"The node did not stop in order: exit status {status}.", "bold red")
        return 1
    if serving:
        narrator.say("The node is stopped." if kept else "The node is stopped and its folder removed.")
    return 1 if narrator.failures else 0


def _set_up(node: DemoNode, narrator: Narrator) -> None:
    """Make a node as an operator does."""
    narrator.title("A node in a folder of its own")
    narrator.note("Made by its own commands. Everybody in here is invented; secrets are drawn for this run.")
    narrator.line("folder", str(node.folder))
    node.write_settings()
    for command in (node.command(["init"]), node.add_whatsapp(), node.add_line(), node.start()):
        _show_command(narrator, command)
    narrator.line("public", f"http://{node.now.public}  for the platforms")
    narrator.line("private", f"http://{node.now.private}  for the operator")


def _show_command(narrator: Narrator, command: Command) -> None:
    """Show a command and what it printed."""
    narrator.line("$", command.typed, "bold")
    for line in command.printed.splitlines():
        narrator.line("", line)


def _show_parse(node: DemoNode, narrator: Narrator, step: Step) -> None:
    """Run ``parse`` once for real: the steps print their events by the same function."""
    command = node.command(["parse", "--channel", step.channel, "-"], typed=step.body, config=False)
    narrator.line("$", f"{command.typed}  < the first webhook below", "bold")
    printed = command.printed.splitlines()
    for line in printed:
        narrator.code("", line)
    ours = [encode_line(event).decode() for event in CHANNELS[step.channel].parse(step.body)]
    narrator.check('the command prints what stands below under "made"', printed == ours)


async def _play(node: DemoNode, look: Look, narrator: Narrator, steps: list[Step]) -> None:
    """Play every step, then scan and count."""
    walk = Walk(node, look, narrator)
    for number, step in enumerate(steps, 1):
        await walk.play(step, number, len(steps))
    await show_scan(node, narrator, walk.words | set(node.secrets.all()))
    await show_metrics(node, narrator, walk, look)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
