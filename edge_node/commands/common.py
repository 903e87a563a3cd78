"""What the commands share: the ``--config`` option and the settings behind it."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge_node.settings import CONFIG_VARIABLE, EdgeSettings, load_settings
from edge_node.storage.content.leases import Lease
from shared.errors.custody import BeatElsewhere
from shared.ids import draw_opaque_id

if TYPE_CHECKING:
    from edge_node.stores import Stores

F = TypeVar("F", bound=Callable[..., Any])

_LEASE_MILLISECONDS = 60_000


def config_option(command: F) -> F:
    """Give a command ``--config PATH``."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("node.toml"),
        show_default=True,
        envvar=CONFIG_VARIABLE,
        help=f"The node's settings file; also {CONFIG_VARIABLE}.",
    )(command)


def settings_of(config: Path) -> EdgeSettings:
    """Load the settings, overlaid by this process's environment."""
    return load_settings(config, os.environ)


def confirmed(question: str) -> None:
    """Ask, and end the command unless the answer is yes; where nobody can answer, name ``--yes``."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        raise click.UsageError("Nobody answered, so nothing was done; --yes goes on without asking.") from None
    if not agreed:
        raise click.ClickException("Nothing was done.")


@asynccontextmanager
async def exchanging(stores: "Stores") -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Exchange keys alone in the region inside the block; give what holds on to that for a minute more.

    Either raises ``BeatElsewhere`` where another process exchanges keys.
    """
    lease = Lease(stores.content, "epochs", draw_opaque_id(stores.entropy), _LEASE_MILLISECONDS)

    async def hold() -> None:
        """Take the lease, or take it for longer."""
        if not await lease.hold(stores.clock.now()):
            raise BeatElsewhere

    await hold()
    try:
        yield hold
    finally:
        await lease.give_back()
