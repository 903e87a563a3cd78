"""``homeport edge enrol``: let the company's control plane and officers know this node."""

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from edge_node.commands.common import config_option, settings_of
from edge_node.settings import EdgeSettings
from shared.addresses import program_address_fault
from shared.crypto.signing import in_groups
from shared.errors import SettingsInvalid
from shared.errors.trust import TokenMalformed
from shared.roster import Roster, root_fingerprint
from shared.screen import print_table
from shared.wire.types import Address, JurisdictionCode

_TOKEN_BYTES_MAX = 8_192


@click.command(short_help="Enrol this node with the control plane.")
@config_option
@click.option("--token-file", default="-", show_default=True, help="File with the one-time token; - is standard input.")
@click.option("--jurisdiction", required=True, help="Whose law applies where the node stands: DE, ID, US-CA.")
@click.option("--relay-address", help="Where other nodes will reach this one: https://HOST:PORT.")
def enrol(config: Path, token_file: str, jurisdiction: str, relay_address: str | None) -> None:
    """Enrol this node: introduce it to the control plane that a one-time token names.

    The token comes from the control plane (homeport control token) and names its keys and the officers' root; both are
    pinned here. The node is taken in when officers have signed a roster that names it: compare the fingerprints printed
    here with them by voice. A running node notices by itself.
    """
    settings = settings_of(config)
    _check("--jurisdiction", jurisdiction, JurisdictionCode, "a code of ISO 3166 in capitals: DE, ID, US-CA")
    if relay_address is not None:
        wants = "https://HOST:PORT, nothing behind it; http on this machine only"
        _check("--relay-address", relay_address, Address, wants)
        if program_address_fault(relay_address) is not None:
            raise SettingsInvalid(field_name="--relay-address", wants=wants)
    node, roster, words = asyncio.run(_enrol(settings, _read(token_file), jurisdiction, relay_address))
    control = roster.control_plane
    print_table(
        ("what", "value"),
        [
            ("node", node),
            ("fingerprint, signing", words[0]),
            ("fingerprint, sealing", words[1]),
            ("control plane", control.address),
            ("its fingerprint", in_groups(control.fingerprint)),
            ("root fingerprint", in_groups(root_fingerprint(roster))),
            ("roster version", str(roster.version)),
        ],
    )
    if roster.active(node) is None:
        click.echo("Enrolled, not taken in yet: officers add the node to the roster (homeport roster add) and sign it.")
    else:
        click.echo("Enrolled; the roster in force names this node.")


async def _enrol(
    settings: EdgeSettings, token_text: str, jurisdiction: str, relay: str | None
) -> tuple[str, Roster, tuple[str, str]]:
    """Open the stores and enrol."""
    from edge_node.assembly import open_policy  # noqa: PLC0415  only what opens stores loads them
    from edge_node.storage.content.uplink import UplinkStore  # noqa: PLC0415
    from edge_node.storage.identity import ensure_identity  # noqa: PLC0415
    from edge_node.stores import key_places, open_stores  # noqa: PLC0415
    from edge_node.uplink.enrolling import Introduction, enrol  # noqa: PLC0415
    from edge_node.usecases.governing.border import Border  # noqa: PLC0415
    from shared.enrolment_token import read_token  # noqa: PLC0415
    from shared.telemetry import configure  # noqa: PLC0415

    configure(level="warning", form=settings.log_form)
    token = read_token(token_text)
    async with open_stores(settings) as stores:
        identity = ensure_identity(key_places(settings), stores.entropy)
        introduction = Introduction(settings.region, jurisdiction, relay)
        store = UplinkStore(stores.content)
        policy = await open_policy(stores)
        parts = (settings.uplink, stores.clock, stores.entropy, Border(policy))
        roster = await enrol(store, identity, token, introduction, *parts)
        await policy.write()
    return token.node, roster, identity.in_words()


def _read(path: str) -> str:
    """Read the token; it is a secret until it is used, so it is no argument."""
    try:
        if path == "-":
            data = sys.stdin.buffer.read(_TOKEN_BYTES_MAX)
        else:
            with Path(path).open("rb") as file:
                data = file.read(_TOKEN_BYTES_MAX)
        return data.decode("ascii")
    except (OSError, UnicodeDecodeError):
        raise TokenMalformed from None


def _check(option: str, value: str, form: object, wants: str) -> None:
    """Refuse an option that is not of its form."""
    try:
        msgspec.convert(value, type=form)
    except msgspec.ValidationError:
        raise SettingsInvalid(field_name=option, wants=wants) from None
