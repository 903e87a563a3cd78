"""How a bench's numbers are shown, and under what circumstances they came about."""

import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

_PACKAGES = (
    "homeport",
    "pywa",
    "line-bot-sdk",
    "tink",
    "cedarpy",
    "uvicorn",
    "uvloop",
    "httptools",
    "litestar",
    "msgspec",
    "cryptography",
)
_SYNCS = 50
_GOALS = {
    "ratio_pywa": (2.0, 3.0),
    "ratio_line_bot_sdk": (1.7, 2.5),
    "batch_messages_per_s": (10_000, 15_000),
    "p99_ms_at_half": (50, 50),
}
"""By key: what must be reached, and what is aimed for."""
_WIDTH_PIPED = 110


def circumstances() -> dict[str, object]:
    """Give date, machine and versions; what is not installed has version ``None``."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu_count": os.cpu_count(),
        "cpu": _cpu(),
        "load_before": round(os.getloadavg()[2], 2),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def disk_sync_us(folder: Path) -> int:
    """Give how long this disk takes to write and sync 4 KiB: the median of some, in microseconds."""
    path, times = folder / "sync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(bytes(4_096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return round(statistics.median(times) * 1_000_000)


def print_table(result: Mapping[str, Any]) -> None:
    """Print rates, then what is promised beside what came out, then the circumstances."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_PIPED)
    rates = Table("messages a second", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rates.add_column("median", justify="right")
    rates.add_column("each round")
    for name, median in result["medians"].items():
        rates.add_row(name, f"{median:,}", "  ".join(f"{rate:,}" for rate in result["rounds"][name]))
    goals = Table("result", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("measured", "must reach", "aim"):
        goals.add_column(column, justify="right")
    for name, (must, aim) in _GOALS.items():
        measured = "not installed" if result[name] is None else f"{result[name]:,}"
        limits = (f"< {must}", f"< {aim}") if name == "p99_ms_at_half" else (f"{must:,}", f"{aim:,}")
        goals.add_row(name, measured, *limits)
    goals.add_row("lost", str(result["lost"]), "0", "0")
    console.print(rates, "", goals, "")
    console.print(*_small_print(result), sep="\n", style="dim")


def print_goals(goals: Mapping[str, tuple[float, str]], lines: Sequence[str], circumstances: Mapping[str, Any]) -> None:
    """Print what was measured beside what it has to be, then what else was found, then the circumstances."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_PIPED)
    table = Table("result", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("measured", "has to be"):
        table.add_column(column, justify="right")
    for name, (measured, wanted) in goals.items():
        table.add_row(name, f"{measured:,}", wanted)
    console.print(table, "")
    console.print(*lines, *_machine(circumstances), sep="\n", style="dim")


def _small_print(result: Mapping[str, Any]) -> list[str]:
    """Say in words how the numbers came about."""
    lines = [
        f"{name}: at half its rate p50 {late['p50']} ms, p99 {late['p99']} ms, longest {late['max']} ms"
        for name, late in result["latency_ms"].items()
    ]
    lines += [
        f"{name}: {count:,} messages acknowledged, {result['stored'][name]:,} stored"
        for name, count in result["acknowledged"].items()
    ]
    lines += _machine(result)
    if not result["own_core"]:
        lines.append("Only one core here: load and servers shared it, so the rates mean little.")
    if result["short"]:
        lines.append("A short run: it shows that everything works, its rates mean little.")
    return lines


def _machine(result: Mapping[str, Any]) -> list[str]:
    """Say when, on what and with which versions."""
    return [
        f"{result['at']}, {result['cpu']}, {result['cpu_count']} cores, Python {result['python']}, "
        f"4 KiB written and synced in {result['sync_us']} us",
        ", ".join(f"{name} {number}" for name, number in result["versions"].items() if number),
    ]


def _version(name: str) -> str | None:
    """Give the version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """Name the processor, where Linux says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
