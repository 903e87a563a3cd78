"""What is wrong with a node's custody, and what to do: facts in, findings out.  Pure.

Each finding names one promise: ``ok`` where it holds, ``warning`` where it does not, ``unknown`` where this machine
does not say.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_node.core.crossing import Withheld
from edge_node.core.doctor_policy import AccountFact, PolicyFact, account_findings, policy_finding
from edge_node.core.findings import Finding
from shared.clock import DAY

LATE_MS = 15 * 60_000
"""A removal that is open for longer is overdue."""

_PROMISES = {
    "file_deleted": Finding(
        "key destruction",
        "warning",
        "provider file: destroying a key is no better than overwriting and deleting a file",
        'For keys that never leave a device set key_provider = "pkcs11" (edge_node/KEYS.md).',
    ),
    "token_destroyed": Finding("key destruction", "ok", "epoch keys are destroyed in their tokens"),
}


class FileFact(NamedTuple):
    """A file or folder that must be there: path, permission bits, device; ``None`` where it is missing."""

    path: str
    mode: int | None
    device: int | None
    is_folder: bool = False


class EpochFact(NamedTuple):
    """Epochs: when the current one was drawn, how many are retired but not destroyed, days between beats."""

    current_since: int
    retired: int
    days: int


class ProcessFact(NamedTuple):
    """The serving process: bytes of core dump allowed, swap allowed by its group (bytes); ``None``: not known."""

    core_bytes: int | None
    swap_bytes: int | None


class Facts(NamedTuple):
    """Everything that was looked at; times in ms."""

    now: int
    readings: Sequence[tuple[str, str, str, str]]
    """Store, name, what it must be, what it is."""
    files: Sequence[FileFact]
    devices: Sequence[tuple[str, FileFact, FileFact]]
    """What lies apart from what: a sentence, and the two."""
    places: Sequence[tuple[str, str | None]]
    promise: str
    epochs: EpochFact
    escrow: str | None
    """Why there is no escrow to rely on, ``None`` where there is one."""
    key_backup_at: int | None
    content_backup_at: int | None
    """When the newest content backup was taken that the key store knows."""
    quarantine: tuple[str, int, int] | None
    """Of a restored store: ``replaying`` or ``judging``, removals left from before it, events that wait."""
    swaps: Sequence[str] | None
    """Kinds of swap that are on; ``None`` where this system does not say."""
    process: ProcessFact | None
    """``None`` where the node is not running."""
    removals: tuple[int, int | None]
    """How many are open, and when the oldest was ordered."""
    free_bytes: int
    withheld: Sequence[Withheld]
    """What the policy does not let go to the control plane."""
    policy: PolicyFact | None
    """``None`` where the node has none."""
    accounts: Sequence[AccountFact]
    bases: Sequence[tuple[str, str]]
    """Name of the setting and address, where an operator set another than the platform's own."""


_PLACE_REMEDY = (
    "Bring it back. If it is lost, homeport edge keys rotate fills an empty one from the other; if both are,"
    " homeport edge escrow recover (edge_node/KEYS.md)."
)
_BACKUP_REMEDY = "Set custody.backup_dir, then homeport edge backup, every day (edge_node/BACKUP.md)."
FREE_BYTES_MIN = 1024**3
BACKUP_DAYS_MAX = 7
"""A content backup that is older is late."""


def examine(facts: Facts) -> list[Finding]:
    """Give every finding, in the order in which an operator should read them."""
    return [
        policy_finding(facts.policy),
        *account_findings(facts.policy, facts.accounts),
        *_stores(facts.readings),
        *_files(facts.files),
        *_apart(facts.devices),
        *_keys(facts),
        *_backups(facts),
        *_memory(facts),
        _removals(facts),
        _space(facts.free_bytes),
        *_withheld(facts.withheld),
        *_bases(facts.bases),
    ]


def _stores(readings: Sequence[tuple[str, str, str, str]]) -> Iterable[Finding]:
    """Judge the settings of each store."""
    for store in dict.fromkeys(reading[0] for reading in readings):
        own = [reading for reading in readings if reading[0] == store]
        wrong = [f"{name} is {found}, must be {wanted}" for _, name, wanted, found in own if wanted != found]
        if wrong:
            remedy = "On PostgreSQL correct the server's settings; on SQLite report it: each is set when it is opened."
            yield Finding(f"{store} store", "warning", "; ".join(wrong), remedy)
        else:
            yield Finding(f"{store} store", "ok", f"{len(own)} settings read back")


def _files(files: Sequence[FileFact]) -> Iterable[Finding]:
    """Judge who may read what."""
    well = True
    for file in files:
        wanted = "700" if file.is_folder else "600"
        if file.mode is None:
            well = False
            yield Finding("files", "warning", f"{file.path} is missing", "Mount its disk, or restore it.")
        elif file.mode & 0o077:
            well = False
            yield Finding(
                "files", "warning", f"{file.path} is open to others ({file.mode:o})", f"chmod {wanted} {file.path}"
            )
    if well:
        yield Finding("files", "ok", f"{len(files)} files and folders are for the node's account alone")


def _apart(devices: Sequence[tuple[str, FileFact, FileFact]]) -> Iterable[Finding]:
    """Judge what should not be lost together."""
    for sentence, one, other in devices:
        if one.device is None or other.device is None:
            yield Finding("second place", "unknown", f"{sentence}: {one.path} or {other.path} is missing")
        elif one.device == other.device:
            yield Finding(
                "second place",
                "warning",
                f"{sentence} lie on one disk ({one.path}, {other.path})",
                "Put one of them on another disk of the region: one failure takes both.",
            )
        else:
            yield Finding("second place", "ok", f"{sentence} lie on two file systems")


def _keys(facts: Facts) -> Iterable[Finding]:
    """Judge the key provider and its epochs."""
    for place, ailment in facts.places:
        if ailment is not None:
            yield Finding("key place", "warning", f"{place}: {ailment}", _PLACE_REMEDY)
    if len(facts.places) < 2:
        yield Finding("key place", "warning", "there is only one", "Name a second token: pkcs11.second_token.")
    yield _PROMISES[facts.promise]
    epochs, age = facts.epochs, (facts.now - facts.epochs.current_since) // DAY
    if epochs.retired:
        yield Finding("epoch beat", "warning", "one was begun and has not ended", "homeport edge keys beat --finish")
    elif epochs.days and age > epochs.days + 1:
        yield Finding("epoch beat", "warning", f"the epoch is {age} days old", "homeport edge keys beat")
    else:
        yield Finding("epoch beat", "ok", f"the epoch is {age} days old")
    if facts.escrow is None:
        yield Finding("escrow", "ok", "the region survives the loss of its key provider")
    else:
        yield Finding("escrow", "warning", facts.escrow, "See edge_node/KEYS.md, Escrow.")
    if facts.key_backup_at is None:
        yield Finding("key backup", "warning", "there is none", "homeport edge keys beat writes one.")
    else:
        yield Finding("key backup", "ok", f"{(facts.now - facts.key_backup_at) // DAY} days old")


def _backups(facts: Facts) -> Iterable[Finding]:
    """Judge whether what is lost could be put back, and whether it was."""
    if facts.content_backup_at is None:
        yield Finding("content backup", "warning", "there is none", _BACKUP_REMEDY)
    elif (age := (facts.now - facts.content_backup_at) // DAY) > BACKUP_DAYS_MAX:
        yield Finding("content backup", "warning", f"{age} days old", _BACKUP_REMEDY)
    else:
        yield Finding("content backup", "ok", f"{age} days old")
    if facts.quarantine is not None:
        state, left, waiting = facts.quarantine
        what = "nothing is opened yet" if state == "replaying" else "what came in meanwhile is judged"
        remedy = "Wait while the node runs; if it stands still, read its log for alert_quarantine."
        yield Finding("quarantine", "warning", f"{what}: {left} removals to go, {waiting} events wait", remedy)


def _memory(facts: Facts) -> Iterable[Finding]:
    """Judge whether what is in memory can reach a disk."""
    if facts.process is None:
        yield Finding("core dumps", "unknown", "the node is not running", "Start it and ask again.")
    elif facts.process.core_bytes is None:
        yield Finding("core dumps", "unknown", "this system does not say")
    elif facts.process.core_bytes:
        remedy = "Report it: a node turns them off when it starts."
        yield Finding("core dumps", "warning", "the serving process may write them", remedy)
    else:
        yield Finding("core dumps", "ok", "off in the serving process")
    confined = facts.process is not None and facts.process.swap_bytes == 0
    if facts.swaps is None:
        yield Finding("swap", "unknown", "this system does not say")
    elif facts.swaps and not confined:
        yield Finding(
            "swap",
            "warning",
            f"on ({', '.join(facts.swaps)}): keys and words may be written to it",
            "swapoff -a, encrypt it with a key of each boot, or run the node with MemorySwapMax=0 (systemd).",
        )
    else:
        yield Finding("swap", "ok", "none that the node could be written to")


def _removals(facts: Facts) -> Finding:
    """Judge whether what was let go is going."""
    count, oldest = facts.removals
    if oldest is not None and facts.now - oldest > LATE_MS:
        minutes = (facts.now - oldest) // 60_000
        remedy = "Read the node's log for alert_removal; a key place or the journal's disk may be away."
        return Finding("removals", "warning", f"{count} open, the oldest for {minutes} minutes", remedy)
    return Finding("removals", "ok", f"{count} open")


def _space(free_bytes: int) -> Finding:
    """Judge the room that is left."""
    free = f"{free_bytes / 1024**3:.1f} GiB free"
    if free_bytes < FREE_BYTES_MIN:
        return Finding("disk", "warning", free, "Make room: a full disk is answered 503 and nothing is taken in.")
    return Finding("disk", "ok", free)


_KEPT_HERE = {
    "health": "signs of life",
    "registrations": "people not registered",
    "case": "notices of cases",
    "receipt": "receipts",
    "recall": "notices of recalls",
}


def _withheld(withheld: Sequence[Withheld]) -> Iterable[Finding]:
    """Name what stays here because the policy does not let it go to the control plane."""
    for each in withheld:
        yield Finding(
            "unlinked",
            "warning",
            f"{_KEPT_HERE[each.what]}: {each.count} kept here ({each.reason})",
            "Work their cases at this node, or let officers mend the policy: homeport edge policy decisions --denied.",
        )
    if not withheld:
        yield Finding("unlinked", "ok", "the policy keeps nothing from the control plane")


def _bases(bases: Sequence[tuple[str, str]]) -> Iterable[Finding]:
    """Name the addresses that get tokens and are not the platforms' own."""
    for platform, address in bases:
        yield Finding(
            "platform address",
            "warning",
            f"platforms.{platform} is {address}, which gets access tokens and may be a private address",
            f"If that is not meant so, remove platforms.{platform} from the settings.",
        )
