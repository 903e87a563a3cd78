"""The console command ``homeport``: finds each program's commands and shows errors as a person can use them.

Programs register a click group under the entry-point group ``homeport.commands``; a group is imported only when it is
asked for, so this page imports neither program, and a node starts without loading the control plane.

Exit status: 0 done; 1 the node, a store or a platform failed; 2 the call or the configuration is wrong (click's own
usage errors are 2 as well).  Errors are one line on standard error: code, what happened, what to do next.  There is
never a traceback: the text of a foreign exception may hold what people wrote.
"""

import os
import sys
import traceback
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import click

from shared.errors import HomeportError

ENTRY_POINTS = "homeport.commands"
"""The entry-point group in which a program names its click group."""

_ROOT = Path(__file__).resolve().parent.parent
_PROGRAMS = frozenset({"shared", "edge_node", "control_plane"})


class Failure(click.ClickException):
    """The node, a store or a platform failed: the message is all that is shown."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on standard error."""
        click.echo(f"homeport: {self.message}", file=file or sys.stderr)


class Refusal(Failure):
    """The call or the configuration is wrong: whoever made it can mend it."""

    exit_code = 2


class Programs(click.Group):
    """A group whose commands are what installed programs register, loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the registered names, sorted."""
        return sorted({*super().list_commands(ctx), *(point.name for point in _registered())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the program that registers ``cmd_name``; ``None`` where no program does."""
        for point in _registered():
            if point.name == cmd_name:
                try:
                    command = point.load()
                except Exception as error:  # noqa: BLE001 - a broken program must not show its traceback
                    raise Failure(unforeseen(error)) from None
                if not isinstance(command, click.Command):
                    raise Failure(f"command_broken: {cmd_name} registers no command. Install homeport again.")
                return command
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn every failure into one line."""
        try:
            return super().invoke(ctx)
        except HomeportError as error:
            kind = Refusal if error.fault in {"caller", "operator"} else Failure
            raise kind(f"{error.code}: {error}") from None
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - a foreign text may hold what people wrote
            raise Failure(_file_refused(error) or unforeseen(error)) from None


def _file_refused(error: Exception) -> str:
    """Describe what the system said of a file or folder, in its own words; empty where it is about something else."""
    number = error.errno if isinstance(error, OSError) and not isinstance(error, ConnectionError) else None
    if number is None or number <= 0:
        return ""
    name = getattr(error, "filename", None)
    path, said = f"{name}: " if isinstance(name, str) else "", os.strerror(number)
    return f"file_refused: {path}{said}. Mend the path, its permissions or the disk, then do it again."


def unforeseen(error: Exception) -> str:
    """Describe an exception that no page of ours names: its class and our nearest line, never its text."""
    frames = traceback.extract_tb(error.__traceback__)
    files = [(Path(frame.filename), frame.lineno) for frame in frames]
    ours = [(file.relative_to(_ROOT), line) for file, line in files if file.is_relative_to(_ROOT)]
    places = [f"{file}:{line}" for file, line in ours if file.parts[0] in _PROGRAMS]
    where = f" at {places[-1]}" if places else ""
    return (
        f"unforeseen: {type(error).__name__}{where}. Its text is withheld, because it may hold what people wrote. "
        "Report the class and the place."
    )


def _registered() -> metadata.EntryPoints:
    """Give the entry points of all installed programs."""
    return metadata.entry_points(group=ENTRY_POINTS)


@click.group(
    cls=Programs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command explains itself: homeport edge --help, homeport edge run --help.",
)
@click.version_option(package_name="homeport", prog_name="homeport", message="%(prog)s %(version)s")
def homeport() -> None:
    """Keep customers' WhatsApp and LINE messages in their home region.

    \b
    homeport edge ...      a region's node: receives webhooks, seals, stores, recalls
    homeport control ...   the company's control plane: cases, nodes, who may ask
    homeport roster ...    officers: who is a node, an officer, a witness
    homeport policy ...    officers: what may be done with people's data, where, by which law

    Exit status: 0 done, 1 the node or a platform failed, 2 the call or the configuration is wrong. Errors are one
    line on standard error: code, what happened, what to do next.
    """


def main() -> None:
    """Run ``homeport`` with this process's arguments; ends the process."""
    homeport(prog_name="homeport")
