"""``--serve``: the node goes on; addresses, commands to send by hand, and a line for each row that arrives."""

import asyncio
import json

from deploy.demo.look import Look
from deploy.demo.narrator import Narrator
from deploy.demo.node import DemoNode
from deploy.demo.story import LINE_ACCOUNT, WHATSAPP_ACCOUNT
from deploy.sandbox.webhooks import ANNA, TARO, line_body, line_text, whatsapp_body, whatsapp_text

_LOOK_SECONDS = 0.3
_ONES_OWN = "Hello from my own shell"


def by_hand(node: DemoNode, channel: str) -> str:
    """Give shell lines that sign a body with openssl and send it with curl, as the platform would."""
    if channel == "whatsapp":
        body = whatsapp_body(whatsapp_text(_ONES_OWN, ANNA))
        name, secret = WHATSAPP_ACCOUNT, node.secrets.whatsapp.decode()
        signature, header = "-hex | sed 's/^.* /sha256=/'", "x-hub-signature-256"
    else:
        body = line_body(line_text(_ONES_OWN, TARO))
        name, secret = LINE_ACCOUNT, node.secrets.line.decode()
        signature, header = "-binary | base64", "x-line-signature"
    written = json.dumps(json.loads(body), separators=(",", ":"))  # ASCII without a single quote: safe within quotes
    return "\n".join(
        [
            f"BODY='{written}'",
            f"SIGNATURE=$(printf %s \"$BODY\" | openssl dgst -sha256 -hmac '{secret}' {signature})",
            f"curl -i --noproxy '*' http://{node.now.public}/webhooks/{channel}/{name} \\",
            f'  -H \'content-type: application/json\' -H "{header}: $SIGNATURE" --data-binary "$BODY"',
        ]
    )


async def serve(node: DemoNode, look: Look, tell: Narrator) -> None:
    """Say where the node is and how to send to it, then tell of each row that arrives until cancelled."""
    tell.title("The node goes on")
    tell.line("public", f"http://{node.now.public}/webhooks/whatsapp/{WHATSAPP_ACCOUNT}")
    tell.line("", f"http://{node.now.public}/webhooks/line/{LINE_ACCOUNT}")
    tell.line("private", f"http://{node.now.private}/health/live  /health/ready  /metrics")
    tell.line("folder", str(node.folder))
    for channel, name in (("whatsapp", "WhatsApp"), ("line", "LINE")):
        tell.say()
        tell.say(f"Send as {name} does; paste into a shell:", "bold")
        tell.say()
        tell.raw(by_hand(node, channel))
    tell.say()
    tell.say(
        "The same body again is answered 200 and stored once: change the message's id for another. "
        "Change anything without signing anew, and the answer is 401."
    )
    tell.say("Rows are shown here as they arrive.  Ctrl-C stops the node.", "bold")
    seen = await look.highest()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        now = await look.highest()
        seen = {table: min(row, now[table]) for table, row in seen.items()}  # a removed row's number is given again
        for table, row, kind, size in await look.newest(seen):
            seen[table] = row
            tell.line("arrived", f"{table} {row}: kind={kind}, sealed {size} bytes")
