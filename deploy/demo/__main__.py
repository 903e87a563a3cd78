"""``python -m deploy.demo [--serve] [--keep DIR]``: run the demo.

Exit status: 0 all that was promised was seen, 1 something was not, 2 called wrongly, 130 interrupted.
"""

import argparse
import asyncio
import contextlib
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from deploy.demo.borders import relay_home, reply
from deploy.demo.closing import close, show_summary
from deploy.demo.commands import CHECKOUT, CommandFailed
from deploy.demo.company import Company
from deploy.demo.erasing import forget
from deploy.demo.founding import found
from deploy.demo.home import come_home
from deploy.demo.look import Look
from deploy.demo.narrator import Narrator
from deploy.demo.serve import serve
from deploy.demo.showing import show, take_back
from deploy.demo.stage import Stage
from deploy.sandbox.client import OrderRefused
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
        narrator.say("Interrupted; everything is stopped.")
        return _INTERRUPTED
    except (CommandFailed, HomeportError, OrderRefused, httpx.HTTPError, sqlite3.Error) as error:
        narrator.say(f"The demo cannot go on: {type(error).__name__}: {error}", "bold red")
        return 1


def _arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; a folder to keep must be empty or not there yet."""
    parser = argparse.ArgumentParser(prog="dev.py demo", description="Show two regions at work, step by step.")
    parser.add_argument("--serve", action="store_true", help="keep everything running, with commands to send by hand")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make everything in DIR and leave it there")
    wanted = parser.parse_args(arguments)
    if wanted.keep is not None and wanted.keep.exists() and (not wanted.keep.is_dir() or any(wanted.keep.iterdir())):
        parser.error(f"--keep wants an empty or new folder; {wanted.keep} is neither")
    return wanted


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Give the folder of all programs; one below ``var`` is removed at the end."""
    if keep is not None:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield keep.resolve()
        return
    (CHECKOUT / "var").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=CHECKOUT / "var")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(folder: Path, narrator: Narrator, *, kept: bool, goes_on: bool) -> int:
    """Play the chapters; then serve if asked to.  Signals end it in order."""
    started, company, serving = time.monotonic(), Company(folder), False
    stage = Stage(company, narrator)
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: task and task.cancel())
    try:
        async with contextlib.AsyncExitStack() as opened:
            await _play(stage, opened)
            show_summary(narrator, time.monotonic() - started, folder, kept=kept)
            if goes_on and not narrator.failures:
                serving = True
                await serve(stage)
    except asyncio.CancelledError:
        if not serving:
            raise
        narrator.say()
    finally:
        await stage.watch.close()
        ends = await company.close()
    if serving:
        narrator.say("Everything is stopped." if kept else "Everything is stopped, and its folder removed.")
    wrong = [f"{name} ({status})" for name, status in ends.items() if status != 0]
    if wrong:
        narrator.say(f"Did not stop in order: {', '.join(wrong)}.", "bold red")
    return 1 if narrator.failures or wrong else 0


async def _play(stage: Stage, opened: contextlib.AsyncExitStack) -> None:
    """Play every chapter; the nodes' stores are read as long as ``opened`` is."""
    await found(stage)
    for name, node in stage.company.nodes.items():
        stage.looks[name] = await Look.at(await opened.enter_async_context(open_stores(node.settings)))
    await come_home(stage)
    await relay_home(stage)
    await reply(stage)
    await show(stage)
    await take_back(stage)
    await forget(stage)
    await close(stage)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
