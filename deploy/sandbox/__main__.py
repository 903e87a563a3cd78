"""``python -m deploy.sandbox``: serve the stand-ins until stopped; prints one line of JSON with both addresses."""

import argparse
import asyncio
import contextlib
import json
import signal
from pathlib import Path

from deploy.sandbox.contract import DATA, Contract
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.scripts import play, read_script
from deploy.sandbox.serving import served


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=9090, help="of the platforms' address; 0: a free one")
    parser.add_argument("--control-port", type=int, default=9091, help="of the private address; 0: a free one")
    parser.add_argument("--seed", type=int, default=0, help="of every chance: ids, mishaps")
    parser.add_argument("--script", type=Path, help="a script of customers (TOML) to play once")
    parser.add_argument("--no-openapi", action="store_true", help="do not check requests")
    words = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(words))


async def _serve(words: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    script = None if words.script is None else read_script(words.script)
    sandbox = Sandbox(seed=words.seed, contract=Contract(None if words.no_openapi else DATA))
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with served(sandbox, port=words.port, control_port=words.control_port) as here:
        said = {"platforms": here.platforms, "control": here.control, "openapi": sandbox.contract.state}
        print(json.dumps(said), flush=True)
        if script is not None:
            sandbox.courier.later(play(sandbox, script))
        await stop.wait()


if __name__ == "__main__":
    main()
