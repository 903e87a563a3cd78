"""``homeport edge escrow``: what lets a region survive the loss of its key provider, held by m of n people."""

import asyncio
import os
from pathlib import Path

import click

from edge_node.commands.common import config_option, exchanging, settings_of
from edge_node.settings import EdgeSettings
from edge_node.storage.keys.recovery import Escrow, Recovery
from shared import private_files
from shared.errors import SettingsInvalid
from shared.errors.custody import EscrowInvalid

_SHARE_BYTES_MAX = 4_096


@click.group(short_help="Survive the loss of the key provider: m of n.")
def escrow() -> None:
    """Split a recovery key among people, try it, and use it when the key provider is lost.

    keys.recovery_dir names where the epoch keys lie, sealed; the shares open them. edge_node/KEYS.md has the ceremony.
    """


@escrow.command()
@config_option
@click.option("--shares", type=click.IntRange(1, 16), required=True, help="How many people get a share.")
@click.option("--needed", type=click.IntRange(1, 16), required=True, help="How many of them are needed.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="New folder for the shares, one file each: memory (/dev/shm) or a stick, never a disk that stays.",
)
def create(config: Path, shares: int, needed: int, out: Path) -> None:
    """Draw a recovery key, seal the living epoch keys to it, and write its shares.

    Give each file to its person, on paper or a stick, and delete the folder. A second escrow replaces the first.
    """
    settings = settings_of(config)
    folder = _folder(settings)
    if out.exists():
        raise SettingsInvalid(field_name="--out", wants="the path of a folder that does not exist yet")
    made = asyncio.run(_create(settings, folder, shares, needed, out))
    click.echo(f"{needed} of {shares} shares open fingerprint {made.fingerprint}. They are in {out}.")
    click.echo("Next: hand each file over, delete the folder, then homeport edge escrow drill with enough of them.")


@escrow.command()
@config_option
@click.argument("shares", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
def drill(config: Path, shares: tuple[Path, ...]) -> None:
    """Try the files SHARES: put them together, open every living epoch key, and compare it with the node's.

    Nothing is written. Do it once a year and after each change of people.
    """
    settings = settings_of(config)
    epochs = asyncio.run(_drill(settings, _folder(settings), _read(shares)))
    click.echo(f"The shares open {epochs} living epoch key{'' if epochs == 1 else 's'}, the same as the provider's.")


@escrow.command()
@config_option
@click.argument("shares", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
def recover(config: Path, shares: tuple[Path, ...]) -> None:
    """Give a new, empty key provider the epoch keys that the files SHARES open.  Stop the node before.

    A key that is there already is kept if it is the same; another one is an error.
    """
    settings = settings_of(config)
    epochs = asyncio.run(_recover(settings, _folder(settings), _read(shares)))
    click.echo(f"The provider has {epochs} epoch key{'' if epochs == 1 else 's'} again. Start the node.")
    click.echo("Next: homeport edge keys beat, as whoever found the old provider could open what it kept.")


def _folder(settings: EdgeSettings) -> Recovery:
    """Give the folder of the escrow; ``SettingsInvalid`` where none is named."""
    if settings.keys.recovery_dir is None:
        raise SettingsInvalid(field_name="keys.recovery_dir", wants="an absolute path on another disk of the region")
    return Recovery(Path(settings.keys.recovery_dir), settings.region)


def _read(paths: tuple[Path, ...]) -> list[str]:
    """Read shares; their words go no further than memory."""
    found = []
    for path in paths:
        try:
            found.append(path.read_bytes()[:_SHARE_BYTES_MAX].decode("ascii"))
        except (OSError, UnicodeDecodeError):
            raise EscrowInvalid(path=str(path), reason="cannot be read, or is no share") from None
    return found


async def _create(settings: EdgeSettings, folder: Recovery, shares: int, needed: int, out: Path) -> Escrow:
    """Make the escrow, while nobody exchanges epochs."""
    from edge_node.storage.keys.epochs import living_keys  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415  only what opens stores loads them
    from shared.crypto.escrow import draw_escrow  # noqa: PLC0415

    async with open_stores(settings) as stores, exchanging(stores):
        key, words = draw_escrow(needed, shares, stores.entropy)
        made = Escrow(
            region=settings.region, public=key.public, needed=needed, shares=shares, created_at=stores.clock.now()
        )
        living = await living_keys(stores.keys)
        _write_shares(out, words)
        folder.replace(made, living)
    return made


def _write_shares(out: Path, words: list[str]) -> None:
    """Write each share into a file of its own."""
    try:
        out.mkdir(mode=0o700, parents=True)
        for number, share in enumerate(words, 1):
            private_files.write_new(out / f"share-{number}.txt", share.encode() + b"\n")
    except OSError as error:
        raise EscrowInvalid(path=str(out), reason=os.strerror(error.errno or 0)) from None


async def _drill(settings: EdgeSettings, folder: Recovery, shares: list[str]) -> int:
    """Compare what the shares open with what the provider has."""
    from edge_node.storage.keys.epochs import living_keys  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415

    async with open_stores(settings) as stores:
        living = await living_keys(stores.keys)
    for version, key in living.items():
        if folder.open(shares, version) != key:
            raise EscrowInvalid(reason="an epoch key in the escrow is not the provider's: homeport edge escrow create")
    return len(living)


async def _recover(settings: EdgeSettings, folder: Recovery, shares: list[str]) -> int:
    """Put the epoch keys back."""
    from edge_node.stores import open_provider  # noqa: PLC0415
    from shared.entropy import SystemEntropy  # noqa: PLC0415

    versions = folder.versions()
    if not versions:
        raise EscrowInvalid(reason="no epoch key lies in keys.recovery_dir")
    opened = {version: folder.open(shares, version) for version in versions}
    provider = open_provider(settings, SystemEntropy())
    provider.create(settings.region)
    for version, key in opened.items():
        provider.put_epoch(settings.region, version, key)
    return len(versions)
