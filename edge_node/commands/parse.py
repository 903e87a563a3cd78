"""``homeport edge parse``: show what a node makes of a webhook body.  Needs no node and stores nothing."""

import json
from typing import BinaryIO

import click
import msgspec

from edge_node.commands.secrets import read_secret
from shared.errors import BodyTooLarge
from shared.limits import BODY_BYTES_MAX
from shared.message import Event


@click.command(short_help="Show what a node makes of a webhook body.")
@click.option("--channel", type=click.Choice(["whatsapp", "line"]), required=True, help="Whose webhook it is.")
@click.option("--xml", "from_xml", is_flag=True, help="LINE: FILE is XML, as an integration bus sends it.")
@click.option("--to-xml", is_flag=True, help="LINE: print the XML that an integration bus would send for FILE.")
@click.option("--secret-file", help="With --to-xml: channel secret, so that LINE's signature stands in the XML.")
@click.argument("file", type=click.File("rb"))
def parse(channel: str, from_xml: bool, to_xml: bool, secret_file: str | None, file: BinaryIO) -> None:
    """Print the canonical events of a webhook body, one JSON object a line.

    FILE holds the body's bytes as the platform sent them; - reads standard input. No signature is asked for,
    because nothing is stored. What this release does not know is printed with "kind": "unclassified". With --xml
    both forms in the document must say the same, as at a node. The output holds whatever the body holds: names,
    numbers, words.
    """
    _check_options(channel, secret_file, from_xml=from_xml, to_xml=to_xml)
    body = file.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        raise BodyTooLarge(bytes_max=BODY_BYTES_MAX)
    if to_xml:
        click.echo(_as_xml(body, secret_file), nl=False)
        return
    for event in _events_of(channel, body, from_xml=from_xml):
        click.echo(encode_line(event))


def _check_options(channel: str, secret_file: str | None, *, from_xml: bool, to_xml: bool) -> None:
    """Refuse options that do not go together."""
    if from_xml and to_xml:
        raise click.UsageError("--xml reads XML and --to-xml writes it: one of them.")
    if channel != "line" and (from_xml or to_xml):
        raise click.UsageError("Only LINE's webhooks have an XML form.")
    if secret_file is not None and not to_xml:
        raise click.UsageError("--secret-file goes with --to-xml; to read a body no secret is needed.")


def _events_of(channel: str, body: bytes, *, from_xml: bool) -> list[Event]:
    """Read a body, in its own form or a bus's."""
    from edge_node.channels.agreement import agreed_events  # noqa: PLC0415  other commands need no channel
    from edge_node.channels.registry import BUS_FORMS, CHANNELS  # noqa: PLC0415  as above

    if from_xml:
        return agreed_events(CHANNELS[channel], BUS_FORMS[channel].open(body))
    return CHANNELS[channel].parse(body)


def _as_xml(body: bytes, secret_file: str | None) -> bytes:
    """Write a LINE body as a bus would, signed as LINE does if there is a secret."""
    from edge_node.channels.line.signature import sign  # noqa: PLC0415  other commands need no channel
    from edge_node.channels.line.xml.writer import write  # noqa: PLC0415  as above

    signature = sign(read_secret(secret_file, "--secret-file"), body).decode() if secret_file else ""
    return write(body, signature)


def encode_line(event: Event) -> bytes:
    """Write one event as one line of JSON; half a surrogate pair in a text stays as its escape."""
    try:
        return msgspec.json.encode(event)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(event), separators=(",", ":")).encode()
