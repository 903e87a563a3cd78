"""``homeport edge parse``: show what a node makes of a webhook body.  Needs no node and stores nothing."""

import json
from typing import BinaryIO

import click
import msgspec

from shared.errors import BodyTooLarge
from shared.limits import BODY_BYTES_MAX
from shared.message import Event


@click.command(short_help="Show what a node makes of a webhook body.")
@click.option("--channel", type=click.Choice(["whatsapp", "line"]), required=True, help="Whose webhook it is.")
@click.argument("file", type=click.File("rb"))
def parse(channel: str, file: BinaryIO) -> None:
    """Print the canonical events of a webhook body, one JSON object a line.

    FILE holds the body's bytes as the platform sent them; - reads standard input. No signature is asked for,
    because nothing is stored. What this release does not know is printed with "kind": "unclassified". The
    output holds whatever the body holds: names, numbers, words.
    """
    from edge_node.channels.registry import CHANNELS  # noqa: PLC0415  other commands need no channel

    body = file.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        raise BodyTooLarge(bytes_max=BODY_BYTES_MAX)
    for event in CHANNELS[channel].parse(body):
        click.echo(encode_line(event))


def encode_line(event: Event) -> bytes:
    """Write one event as one line of JSON; half a surrogate pair in a text stays as its escape."""
    try:
        return msgspec.json.encode(event)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(event), separators=(",", ":")).encode()
