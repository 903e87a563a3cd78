"""What the commands share: ``--config``, and the store opened for one command."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from control_plane.settings import CONFIG_VARIABLE, ControlSettings, load_settings
from control_plane.stores import Opened, open_stores

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def config_option(command: F) -> F:
    """Give a command ``--config PATH``."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("control.toml"),
        show_default=True,
        envvar=CONFIG_VARIABLE,
        help=f"The control plane's settings file; also {CONFIG_VARIABLE}.",
    )(command)


def settings_of(config: Path) -> ControlSettings:
    """Load the settings, overlaid by this process's environment."""
    return load_settings(config, os.environ)


def with_stores(config: Path, act: Callable[[Opened], Awaitable[T]]) -> T:
    """Do something with the store open; a running control plane sees it within a second."""

    async def run() -> T:
        async with open_stores(settings_of(config)) as opened:
            return await act(opened)

    return asyncio.run(run())
