"""What the commands share: the ``--config`` option and the settings behind it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edge_node.settings import CONFIG_VARIABLE, EdgeSettings, load_settings

F = TypeVar("F", bound=Callable[..., Any])


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
