"""``bench custody``: what a key of its own costs each field, and what letting people and messages go costs a node.

Sealing: the median time of a 200-byte field under a fresh row key (drawn, wrapped by its bucket key, used once), beside
one bare AES-256-GCM call with its constructor, and Tink's AES-GCM where it is installed.  Erasing: a person with 1,000
messages, in a store of 10,000 and in one of 1,000,000 messages, in turns; until nothing opens, and until the bytes are
gone.  In process, pinned to one core, on the checkout's disk, with everything synced.  Ingest under load: a whole node
over HTTP, with and without messages expiring and keys being wrapped anew, in turns (:mod:`deploy.bench.custody_load`).
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from rich.console import Console
from rich.progress import Progress

from deploy.bench import custody_load, report, servers
from edge_node.assembly import assemble_taking_in
from edge_node.core.accounts import Account, Credentials, WhatsAppIds
from edge_node.metrics import Metrics
from edge_node.settings import EdgeSettings
from edge_node.storage.content.places import DisclosurePlaces
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.hierarchy import Owner
from edge_node.stores import Stores, initialise, open_stores
from edge_node.usecases.letting_go.erasing import Eraser
from edge_node.usecases.receiving.filing import Taken
from edge_node.usecases.receiving.taking_in import TakingIn
from shared.crypto import Cipher, content_place, seal_once
from shared.entropy import SystemEntropy
from shared.message import Identifier, Message, Person, Text

_ACCOUNT = Account(
    name="bench", ids=WhatsAppIds(app_id="1", waba_ids=("2",), phone_number_ids=("3",)), scope="portfolio"
)
_FIELD = bytes(range(200))
_PER_PERSON = 1_000
_PEOPLE = 2_000
_SEED = 20_261_124
_LOOPS = 200
GOALS = {"seal_ratio": 3.0, "unreadable_scale_ratio": 1.3, "gone_scale_ratio": 3.0}
"""By key: what may not be exceeded."""
LEAST = {"ingest_under_load_ratio": 0.8}
"""By key: what must be reached."""


class Pace(msgspec.Struct, frozen=True):
    """How much is measured."""

    load: custody_load.LoadPace = custody_load.LoadPace()
    samples: int = 300
    small: int = 10_000
    large: int = 1_000_000
    seals: int = 400


SHORT = Pace(load=custody_load.SHORT, samples=3, small=2_000, large=6_000, seals=20)


def main(arguments: list[str]) -> int:
    """Run the bench; give 0, or 1 where something is lost or, in a full run, a goal is missed."""
    parser = argparse.ArgumentParser(prog="bench custody", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few samples: does it run?")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    chosen = parser.parse_args(arguments)
    pace = SHORT if chosen.short else Pace()
    server_core, load_core = servers.cores()
    os.sched_setaffinity(0, server_core)
    result: dict[str, Any] = {"bench": "custody", "short": chosen.short}
    with servers.scratch() as folder:
        result |= measure_sealing(pace.seals)
        result |= asyncio.run(measure_erasing(folder, pace))
        result["sync_us"] = report.disk_sync_us(folder)
        result |= custody_load.measure_load(folder / "load", pace.load, server_core, load_core)
    result |= report.circumstances()
    _print(result)
    if chosen.json:
        print(json.dumps(result))
    missed = [name for name, most in GOALS.items() if result[name] > most]
    missed += [name for name, least in LEAST.items() if result[name] < least]
    missed += ["load_samples"] if result["load_samples"]["loaded"] < pace.load.pairs else []
    return 1 if result["lost"] or result["refused"] or (missed and not chosen.short) else 0


def measure_sealing(rounds: int) -> dict[str, object]:
    """Time each way of sealing in turns; give medians in microseconds and the ratio."""
    entropy = SystemEntropy()
    place = content_place("region", "0" * 32, "message", "sealed", 1)
    draft = _draft(entropy)

    def bare() -> None:
        AESGCM(_KEY).encrypt(_NONCE, _FIELD, place)

    def ours() -> None:
        row, key, nonce = draft.row("owner", "message", b"0123456789abcdef")
        seal_once(key, nonce, _FIELD, content_place("region", "0" * 32, "message", "sealed", row))

    ways: dict[str, Callable[[], None]] = {"bare": bare, "homeport": ours}
    tink = _tink(place)
    if tink is not None:
        ways["tink"] = tink
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            for _ in range(_LOOPS):
                way()
            times[name].append((time.perf_counter() - began) / _LOOPS * 1e6)
    medians = {name: statistics.median(found) for name, found in times.items()}
    return {
        "seal_us": {name: round(median, 2) for name, median in medians.items()},
        "seal_ratio": round(medians["homeport"] / medians["bare"], 2),
    }


_KEY, _NONCE = bytes(32), bytes(12)


def _draft(entropy: SystemEntropy) -> Draft:
    """Give a draft whose owner is known, as in a batch."""

    def ids() -> Any:
        number = 0
        while True:
            number += 1
            yield number

    owner = Owner(1, "owner", 1, Cipher(entropy.draw(32)))
    return Draft(
        generation=1, epoch=(1, Cipher(entropy.draw(32))), owners={"owner": owner}, ids=ids(), entropy=entropy, now=0
    )


def _tink(place: bytes) -> Callable[[], None] | None:
    """Give Tink's way, with a key of its own for each field; ``None`` where it is not installed."""
    if find_spec("tink") is None:
        return None
    import tink  # noqa: PLC0415
    from tink import aead  # noqa: PLC0415

    aead.register()
    template = aead.aead_key_templates.AES256_GCM_RAW

    def way() -> None:
        tink.new_keyset_handle(template).primitive(aead.Aead).encrypt(_FIELD, place)

    return way


class Node:
    """The parts of a node that take in and erase, without processes."""

    def __init__(self, stores: Stores, taking_in: TakingIn) -> None:
        """Take the open stores."""
        self._stores = stores
        self._taking_in = taking_in
        places = DisclosurePlaces(stores.content)
        self._eraser = Eraser(stores.content, stores.keys, stores.journal, places, stores.clock, stores.blobs)
        self._metrics = Metrics()
        self._chance = random.Random(_SEED)  # noqa: S311  message ids keep no secret
        self._people = _PEOPLE

    async def fill(self, messages: int, told: Callable[[int], None]) -> None:
        """Take in messages of many people."""
        for start in range(0, messages, 1_000):
            await self._take([(start + number) % _PEOPLE for number in range(1_000)])
            told(1_000)

    async def erase_one(self) -> tuple[float, float]:
        """Let somebody new write 1,000 messages and erase them; give seconds until unreadable, and until gone."""
        self._people += 1
        await self._take([self._people] * _PER_PERSON)
        async with self._stores.content.read() as transaction:
            rows = await transaction.fetch("SELECT pseudonym FROM subject ORDER BY id DESC LIMIT 1")
        began = time.perf_counter()
        _, entry = await self._eraser.open_case(rows[0][0], "subject_request")
        while await self._state(entry) not in {"destroyed", "done"}:
            await self._eraser.step(self._metrics)
        unreadable = time.perf_counter() - began
        while await self._eraser.step(self._metrics):
            pass
        return unreadable, time.perf_counter() - began

    async def _state(self, entry: str) -> str:
        """Give how far an erasure is."""
        async with self._stores.content.read() as transaction:
            rows = await transaction.fetch("SELECT state FROM log_entry WHERE id = :id", {"id": entry})
        return str(rows[0][0])

    async def _take(self, authors: list[int]) -> None:
        """Take in one message of each author."""
        await self._taking_in.take_in([Taken(self._message(each), 1, "bench", "portfolio", 1) for each in authors])

    def _message(self, author: int) -> Message:
        """Make a message of a usual length."""
        return Message(
            channel="whatsapp",
            via="3",
            at=1_800_000_000_000,
            author=Person((Identifier("whatsapp_user", f"ID.{author}"),)),
            message_id=f"wamid.{self._chance.getrandbits(128):032x}",
            content=Text("Is the parcel on its way already? I have not seen it, and it was to come on Monday."),
        )


@asynccontextmanager
async def node_in(folder: Path) -> AsyncIterator[Node]:
    """Make a node below ``folder`` and open it."""
    settings = EdgeSettings(
        region="bench",
        data_dir=folder / "data",
        journal_dir=folder / "journal",
        key_dir=folder / "data" / "keyring",
    )
    await initialise(settings)
    async with open_stores(settings) as stores:
        await stores.accounts.save(_ACCOUNT, Credentials((b"an-app-secret",), ("verify",)), replace=False)
        yield Node(stores, await assemble_taking_in(stores))


async def measure_erasing(folder: Path, pace: Pace) -> dict[str, object]:
    """Erase in both stores in turns; give medians in milliseconds and the ratios."""
    times: dict[str, tuple[list[float], list[float]]] = {"small": ([], []), "large": ([], [])}
    async with AsyncExitStack() as stack:
        nodes = {name: await stack.enter_async_context(node_in(folder / name)) for name in times}
        bar = stack.enter_context(Progress(console=Console(stderr=True)))
        for name, node in nodes.items():
            count = getattr(pace, name)
            task = bar.add_task(f"filling a store of {count:,}", total=count)
            await node.fill(count, lambda done, task=task: bar.advance(task, done))  # type: ignore[misc]
        task = bar.add_task("erasing", total=2 * pace.samples)
        for _ in range(pace.samples):
            for name, node in nodes.items():
                unreadable, gone = await node.erase_one()
                times[name][0].append(unreadable)
                times[name][1].append(gone)
                bar.advance(task)
    medians = {name: [statistics.median(found) * 1_000 for found in pair] for name, pair in times.items()}
    return {
        "unreadable_ms": {name: round(pair[0], 2) for name, pair in medians.items()},
        "gone_ms": {name: round(pair[1], 2) for name, pair in medians.items()},
        "unreadable_scale_ratio": round(medians["large"][0] / medians["small"][0], 2),
        "gone_scale_ratio": round(medians["large"][1] / medians["small"][1], 2),
        "samples": pace.samples,
        "messages": {"small": pace.small, "large": pace.large},
    }


def _print(result: dict[str, Any]) -> None:
    """Print what was measured beside what it may be."""
    report.print_goals(
        {
            **{name: (result[name], f"at most {most}") for name, most in GOALS.items()},
            **{name: (result[name], f"at least {least}") for name, least in LEAST.items()},
        },
        [
            f"sealing 200 bytes, us: {result['seal_us']}",
            f"until unreadable, ms: {result['unreadable_ms']}; until gone: {result['gone_ms']}",
            f"{result['samples']} samples a size, stores of {result['messages']}",
            f"messages a second taken in, quartiles of windows: {result['ingest_per_s']}",
            f"expired and wrapped anew a second meanwhile: {result['load_per_s']}; windows: {result['load_samples']}",
            f"share of its core that the node had: {result['core_share']}, us of it a message: {result['core_us']}",
            f"acknowledged and not stored: {result['lost']}; not answered 200: {result['refused']}",
        ],
        result,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
