"""``--serve``: everything goes on; addresses, commands to send by hand, and a line for each row that arrives."""

import asyncio
import json

from deploy.demo.company import ACCOUNTS, NODES
from deploy.demo.node import DemoNode
from deploy.demo.stage import Stage
from deploy.sandbox.webhooks import ANNA, TARO, line_body, line_text, whatsapp_body, whatsapp_text

_LOOK_SECONDS = 0.3
_ONES_OWN = "Hello from my own shell"


def by_hand(node: DemoNode, channel: str, secret: str) -> str:
    """Give shell lines that sign a body with openssl and send it with curl, as the platform would."""
    if channel == "whatsapp":
        body = whatsapp_body(whatsapp_text(_ONES_OWN, ANNA))
        signature, header = "-hex | sed 's/^.* /sha256=/'", "x-hub-signature-256"
    else:
        body = line_body(line_text(_ONES_OWN, TARO))
        signature, header = "-binary | base64", "x-line-signature"
    written = json.dumps(json.loads(body), separators=(",", ":"))  # ASCII without a single quote: safe within quotes
    return "\n".join(
        [
            f"BODY='{written}'",
            f"SIGNATURE=$(printf %s \"$BODY\" | openssl dgst -sha256 -hmac '{secret}' {signature})",
            f"curl -i --noproxy '*' {node.public}/webhooks/{channel}/{ACCOUNTS[channel]} \\",
            f'  -H \'content-type: application/json\' -H "{header}: $SIGNATURE" --data-binary "$BODY"',
        ]
    )


async def serve(stage: Stage) -> None:
    """Say where everything is and what can be done with it, then tell of each row that arrives until cancelled."""
    tell, company = stage.tell, stage.company
    tell.title("Everything goes on")
    for name, node in company.nodes.items():
        tell.line(name, f"webhooks  {', '.join(company.hook(channel, node) for channel in _channels(name))}")
        tell.line("", f"private   http://{node.now.private}/health/ready  /metrics")
        tell.line("", f"desk      http://{node.now.listeners['desk']}  (token: data/desk.token)")
    tell.line("control", f"API       {company.plane.address}/schema  (described here)")
    tell.line("", f"private   http://{company.plane.now.private}/health/ready  /metrics")
    tell.line("sandbox", f"{company.platforms.control}/state  /sent  /attempts")
    tell.line("folder", str(company.folder))
    _by_hand(stage)
    tell.say()
    tell.say("Rows are shown here as they arrive.  Ctrl-C stops everything and removes the folder.", "bold")
    await _tell_of_rows(stage)


def _channels(name: str) -> list[str]:
    """Give the channels whose accounts a node is asked about."""
    return ["whatsapp", "line"] if name == "eu" else ["line"]


def _by_hand(stage: Stage) -> None:
    """Print what can be pasted into a shell."""
    tell, company, secrets = stage.tell, stage.company, stage.company.secrets
    for text, lines in (
        ("Let a customer write, through the stand-ins (anna, rosa, taro; whatsapp or line):", _act(stage)),
        ("Send as WhatsApp does, signed by your own hand:", by_hand(company.eu, "whatsapp", secrets.whatsapp)),
        ("Send as LINE does, to the wrong region; it is stored at ap:", by_hand(company.eu, "line", secrets.line)),
        ("Ask the control plane: nodes, cases; open one by pseudonym:", _ask(stage)),
        ("Work at a node: find somebody, answer, look at a timeline of the other region:", _work(stage)),
    ):
        tell.say()
        tell.say(text, "bold")
        tell.raw(lines)
    tell.say()
    tell.say("The same webhook again is stored once. Change a byte without signing anew, and the answer is 401.")


def _act(stage: Stage) -> str:
    """Give a line that lets a customer write."""
    order = json.dumps({"who": "anna", "on": "whatsapp", "text": "Und mein Regenschirm?"}, ensure_ascii=True)
    return f"curl -s --noproxy '*' {stage.company.platforms.control}/act -d '{order}'"


def _ask(stage: Stage) -> str:
    """Give lines that ask the control plane."""
    plane, taro = stage.company.plane, stage.known["Taro"]
    order = json.dumps({"kind": "erasure", "pseudonym": taro, "reason": "subject_request"})
    asks = f"curl -s --noproxy '*' -H 'authorization: Bearer {plane.token}'"
    return "\n".join(
        [
            f"{asks} {plane.address}/v1/nodes",
            f"{asks} {plane.address}/v1/cases",
            f"{asks} {plane.address}/v1/cases -H 'content-type: application/json' -d '{order}'",
        ]
    )


def _work(stage: Stage) -> str:
    """Give commands for a node."""
    company, taro = stage.company, stage.known["Taro"]
    eu, ap = (node.folder / node.config for node in (company.eu, company.ap))
    return "\n".join(
        [
            f"printf {TARO.line_user} | .venv/bin/homeport edge find --purpose complaint --config {ap}",
            f"echo Hello | .venv/bin/homeport edge reply --subject {taro} --config {ap}",
            f".venv/bin/homeport edge view --node ap --purpose complaint --role supervisor {taro} --config {eu}",
        ]
    )


async def _tell_of_rows(stage: Stage) -> None:
    """Tell of each row that arrives at either node."""
    seen = {name: await stage.looks[name].highest() for name in NODES}
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        for name, look in stage.looks.items():
            now = await look.highest()
            # A removed row's number is given again.
            seen[name] = {table: min(row, now[table]) for table, row in seen[name].items()}
            for table, row, kind, size in await look.newest(seen[name]):
                seen[name][table] = row
                stage.tell.line("arrived", f"at {name}: {table} {row}, kind={kind}, sealed {size} bytes")
