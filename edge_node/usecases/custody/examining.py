"""Look at a node's custody from outside its processes: stores, files, disks, keys, memory.  Reads, changes nothing."""

import asyncio
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge_node.core.accounts import Account
from edge_node.core.doctor import EpochFact, Facts, FileFact, ProcessFact
from edge_node.core.doctor_policy import AccountFact, PolicyFact
from edge_node.core.laws import laws_in
from edge_node.settings import EdgeSettings
from edge_node.settings_media import Platforms
from edge_node.storage.content.quarantine import count_waiting, left_to_remove, read_quarantine
from edge_node.storage.content.removals import waiting
from edge_node.storage.keys.backups import BACKUP_FILE, last_content_backup
from edge_node.storage.keys.epochs import read_epochs
from edge_node.storage.keys.recovery import Recovery
from edge_node.stores import CONTENT_FILE, KEYS_FILE, Stores, key_places
from edge_node.usecases.governing.border import read_withheld
from edge_node.usecases.governing.policy_book import InForce, PolicyBook
from shared.clock import Clock
from shared.database.contract import Database
from shared.database.copying import beside
from shared.errors.custody import EscrowInvalid
from shared.policy.deriving import Clues, derive, laws_of

_CORE_LIMIT = re.compile(r"^Max core file size\s+(\d+|unlimited)", re.MULTILINE)


async def gather(stores: Stores, policy: PolicyBook, worker: int | None) -> Facts:
    """Gather every fact; ``worker`` is the serving process, ``None`` where the node does not run."""
    settings = stores.settings
    epochs = await read_epochs(stores.keys)
    readings = [
        (name, *reading)
        for name, database in (("key", stores.keys.database), ("content", stores.content))
        for reading in await database.examine()
    ]
    files = _files(settings)
    by_path = {file.path: file for file in files}
    data, journal = by_path[str(settings.data_dir)], by_path[str(settings.journal_dir)]
    devices = [("stores and tombstone journal", data, journal)]
    if settings.key_provider == "file":
        one, two = (by_path[str(place)] for place in key_places(settings))
        devices.append(("the two key places", one, two))
    return Facts(
        now=stores.clock.now(),
        readings=readings,
        files=files,
        devices=devices,
        places=await asyncio.to_thread(stores.keys.provider.places, settings.region, epochs[-1].version),
        promise=stores.keys.provider.promise,
        epochs=EpochFact(
            epochs[-1].created_at, sum(each.state == "retired" for each in epochs), settings.keys.epoch_days
        ),
        escrow=_escrow(settings),
        key_backup_at=_changed_at(settings.key_backup_dir / BACKUP_FILE),
        content_backup_at=await last_content_backup(stores.keys.database),
        quarantine=await _quarantine(stores.content),
        swaps=_swaps(),
        process=_process(worker),
        removals=await waiting(stores.content),
        withheld=await read_withheld(stores.content, policy),
        policy=_policy(policy, settings.region, stores.clock),
        accounts=_accounts([account for account, _ in await stores.accounts.load()], policy.in_force),
        free_bytes=shutil.disk_usage(settings.data_dir).free,
        bases=_bases(settings.platforms),
    )


def _policy(book: PolicyBook, region: str, clock: Clock) -> PolicyFact | None:
    """Look at the policy in force."""
    found = book.in_force
    if found is None:
        return None
    names_region = any(each.name == region for each in found.bundle.policy.regions)
    is_fresh = book.alone or not found.fresh.over(clock.now(), clock.elapsed())
    return PolicyFact(region, names_region, is_fresh)


def _accounts(accounts: Sequence[Account], found: InForce | None) -> list[AccountFact]:
    """Look at the accounts whose home is here."""
    laws = laws_of((law.code, law.countries) for law in found.bundle.policy.jurisdictions) if found is not None else {}
    return [
        AccountFact(each.name, each.channel, each.country, bool(laws_in(derive(Clues(account=each.country), laws))))
        for each in accounts
        if each.home is None
    ]


async def _quarantine(content: Database) -> tuple[str, int, int] | None:
    """Say how far a restored store is."""
    found = await read_quarantine(content)
    if found is None:
        return None
    return found.state, await left_to_remove(content, found.restored_at), await count_waiting(content)


def _files(settings: EdgeSettings) -> list[FileFact]:
    """Look at files and folders; a write-ahead log that is not there is none that anybody could read."""
    folders = [settings.data_dir, settings.journal_dir, *key_places(settings)]
    files = [settings.data_dir / KEYS_FILE]
    if settings.database_url is None:
        files.append(settings.data_dir / CONTENT_FILE)
    side_files = [path for file in files for path in beside(file)]
    backups = [settings.key_backup_dir / BACKUP_FILE]
    optional = [path for path in [*side_files, *backups] if path.exists()]
    return [_file(folder, is_folder=True) for folder in folders] + [_file(path) for path in [*files, *optional]]


def _file(path: Path, *, is_folder: bool = False) -> FileFact:
    """Look at one."""
    try:
        found = path.stat()
    except OSError:
        return FileFact(str(path), None, None, is_folder)
    return FileFact(str(path), found.st_mode & 0o777, found.st_dev, is_folder)


def _escrow(settings: EdgeSettings) -> str | None:
    """Say why there is no escrow to rely on."""
    if settings.keys.recovery_dir is None:
        return "there is none: a lost key provider is the loss of everything"
    try:
        found = Recovery(Path(settings.keys.recovery_dir), settings.region).load()
    except EscrowInvalid as error:
        return str(error.details.get("reason", error.code))
    return None if found is not None else "keys.recovery_dir is set, but no shares were made"


def _changed_at(path: Path) -> int | None:
    """Give when a file was written (ms)."""
    try:
        return int(path.stat().st_mtime * 1000)
    except OSError:
        return None


def _swaps() -> list[str] | None:
    """Give the kinds of swap that are on: partition, file, or zram, which never reaches a disk, left out."""
    lines = _read(Path("/proc/swaps"), str.splitlines)
    if lines is None:
        return None
    return [line.split()[1] for line in lines[1:] if line.split() and not line.startswith("/dev/zram")]


def _process(worker: int | None) -> ProcessFact | None:
    """Look at the serving process."""
    if worker is None:
        return None
    found = _read(Path(f"/proc/{worker}/limits"), _CORE_LIMIT.search)
    core = None if found is None else (1 if found[1] == "unlimited" else int(found[1]))
    group = _read(Path(f"/proc/{worker}/cgroup"), lambda text: text.strip().rpartition("::")[2])
    swap = _read(Path(f"/sys/fs/cgroup{group}/memory.swap.max"), str.strip) if group else None
    return ProcessFact(core, int(swap) if swap and swap.isdigit() else None)


def _read(path: Path, use: Callable[[str], Any]) -> Any:
    """Give what ``use`` makes of a file's text; ``None`` where it cannot be read."""
    try:
        return use(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _bases(platforms: Platforms) -> list[tuple[str, str]]:
    """Give the addresses that an operator set: tokens go there, and these alone may be private."""
    own = set(platforms.set_by_operator())
    follows = "line_data_api" if platforms.line_data_api is None else ""  # it is not set: line_api is to be mended
    return [(name, address) for name, address in platforms.bases() if address in own and name != follows]
