"""What the commands share: reading a policy from a folder or a bundle, moments, JSON, and a bar for long work."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress, TaskID

from shared import private_files
from shared.clock import SystemClock
from shared.errors.policy import BundleMalformed
from shared.policy.assembling import Assembled
from shared.policy.bundling import BUNDLE_BYTES_MAX, Bundle, SignedBundle, digest, make, read_bundle
from shared.policy.loading import load
from shared.policy.model import Policy
from shared.policy.spans import moment_ms

PATH = click.Path(path_type=Path, exists=True)
FILE = click.Path(path_type=Path, dir_okay=False)
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for machines.")
path_argument = click.argument("path", metavar="[PATH]", type=PATH, default="policies")


class Given(msgspec.Struct, frozen=True):
    """A policy, the hash its decisions bear, and what it was called where it was read from."""

    policy: Policy
    hash: str
    title: str


def given(path: Path) -> Given:
    """Read a policy from a folder or a bundle; the named error of the first thing that is wrong with it."""
    if is_bundle(path):
        signed = open_bundle(path)
        return Given(signed.bundle.policy, signed.hash, f"{_title(signed.bundle)} ({path})")
    draft = make(load(path).sound(), None, 0)
    return Given(draft.policy, digest(draft), f"{_title(draft)}, not published ({path})")


def is_bundle(path: Path) -> bool:
    """Say whether a path is a bundle that was made, by its name."""
    return path.suffix not in {".toml", ""} and not path.is_dir()


def open_bundle(path: Path) -> SignedBundle:
    """Read a bundle's file; no signature is checked here."""
    try:
        return read_bundle(private_files.read(path, bytes_max=BUNDLE_BYTES_MAX))
    except FileNotFoundError:
        raise click.BadParameter(f"there is no file {path}.") from None
    except OSError:
        raise BundleMalformed(path=str(path), reason="cannot be read") from None
    except BundleMalformed as refused:
        raise BundleMalformed(path=str(path), **refused.details) from None


def assembled(path: Path) -> Assembled:
    """Read a folder of policies that holds together."""
    return load(path).sound()


def moment(text: str | None, option: str = "--at") -> int:
    """Give a moment (ms) that was given as a date or with its offset; now, where none was."""
    if text is None:
        return SystemClock().now()
    try:
        return moment_ms(text)
    except ValueError:
        what = f"{text} is none: a date (2026-12-01), or a moment with its offset (2026-07-01T00:00:00+07:00)."
        raise click.BadParameter(what, param_hint=option) from None


def print_json(value: object) -> None:
    """Print one JSON object on one line."""
    click.echo(msgspec.json.encode(value).decode())


class Bar:
    """Shows how far long work is."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        """Take the bar."""
        self._progress, self._task = progress, task

    def advance(self, steps: int = 1) -> None:
        """Say that steps are done."""
        self._progress.advance(self._task, steps)

    def reach(self, done: int, total: int) -> None:
        """Say how many of how many steps are done."""
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Bar]:
    """Show a bar on standard error while something runs, where that is a screen."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        yield Bar(progress, progress.add_task(what, total=total))


def _title(bundle: Bundle) -> str:
    """Name a bundle."""
    label = ", a demonstration" if bundle.label == "demonstration" else ""
    return f"{bundle.name} version {bundle.version}{label}"
