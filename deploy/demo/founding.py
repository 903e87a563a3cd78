"""Chapter 1: a company sets up.  Two officers make a roster, a control plane starts, two nodes are enrolled."""

import asyncio
import re

from deploy.demo.commands import CHECKOUT, Command
from deploy.demo.company import ACCOUNTS, BUNDLE, HOME, LAW, NAME, NODES, OFFICERS, Company
from deploy.demo.stage import Stage

_ABOUT = """\
The company "parcels" serves customers over WhatsApp, with messages at home in Europe, and over LINE, with messages \
at home in Asia-Pacific. It runs a node in each region, "eu" and "ap", and one control plane, which never holds a \
message, a name or a number. Who is a node is decided by two officers, with keys of their own: not by the control \
plane. All of this is real and runs now on this machine; only the two platforms and their customers are stand-ins."""


async def found(stage: Stage) -> None:
    """Play the chapter; afterwards everything runs."""
    stage.tell.chapter(1, "A company sets up", _ABOUT)
    company = stage.company
    stage.tell.line("folder", str(company.folder))
    root = await _keys_and_roster(stage)
    await _policy(stage)
    await _programs(stage, root)
    await _enrolments(stage, root)
    await _take_in(stage)


async def _keys_and_roster(stage: Stage) -> str:
    """Make every key, then the first roster; give the officers' root fingerprint as they read it."""
    company, tell = stage.company, stage.tell
    tell.step("Keys, and a roster that two officers sign")
    tell.note("The roster says who is an officer, a node, the control plane. Every program believes it, and only it.")
    control, *keys = await asyncio.gather(
        company.plane.command(["init"]), *(company.roster("key", person, person=person) for person in OFFICERS)
    )
    for done in (*keys, control):
        stage.command(done, "Fingerprint")
    officers = [part for person in OFFICERS for part in ("--officer", f"{person}.officer.json")]
    made = ["init", NAME, *officers, "--control", "../control/control-plane.json", "--threshold", "2"]
    stage.command(await company.roster(*made), "Version")
    await _sign(stage, 1)
    shown = await company.roster("show", "roster-1.json")
    stage.command(shown, "Root", "Officers")
    return _root(shown)


async def _sign(stage: Stage, version: int) -> None:
    """Let both officers sign."""
    for person in OFFICERS:
        words = ("sign", f"roster-{version}.json", "--key", f"{person}.key")
        stage.command(await stage.company.roster(*words, person=person), "Signed")


async def _policy(stage: Stage) -> None:
    """Make a bundle of the shipped policies, signed by both officers."""
    company, tell = stage.company, stage.tell
    tell.step("A policy that both officers sign")
    tell.note(
        "What a node may do is decided by rules with articles of law, in text that a lawyer reads: policies/. This "
        "bundle is a demonstration; nobody has checked it for use."
    )
    stage.command(await company.officer("policy", "bundle", str(CHECKOUT / "policies"), "--out", BUNDLE), "Wrote")
    for person in OFFICERS:
        words = ("policy", "sign", BUNDLE, "--key", f"{person}.key", "--roster", "roster-1.json")
        stage.command(await company.officer(*words, person=person), "Signed")


async def _programs(stage: Stage, root: str) -> None:
    """Set up control plane and nodes, each by its own commands, all at once; start the control plane."""
    company, tell = stage.company, stage.tell
    tell.step("A control plane, and two nodes with their accounts")
    tell.note("Secrets of the accounts go in by pipe, are sealed at once, and lie in no file and no argument.")
    await company.platforms.start()
    for node in company.nodes.values():
        node.write(company.platforms.address)
    control, eu, ap = await asyncio.gather(_set_up_control(company, root), _set_up_eu(company), _set_up_ap(company))
    for done in control[:-1]:
        stage.command(done, "Version", "dpo")
    tell.line(control[-1].where, f"$ {control[-1].typed}", "bold")
    tell.line("", f"(the token, shown once)  {control[-1].errors.strip().partition('. ')[0]}.")
    stage.command(await company.plane.start())
    for done in (*eu, *ap):
        stage.command(done, "Store", "Account")
    answer = await company.plane.api("GET", "/v1/roster")
    tell.check("the control plane answers its API, with the roster that the officers signed", answer.status_code == 200)


async def _set_up_control(company: Company, root: str) -> list[Command]:
    """Put the roster in force; give the compliance officer a token for the API."""
    plane = company.plane
    done = [
        await plane.command(words)
        for words in (
            ["roster", "put", "../officers/roster-1.json", "--root", root],
            ["principal", "add", "dpo", "--person", "dora", "--role", "officer"],
            ["principal", "token", "dpo"],
        )
    ]
    company.secrets.access = plane.token = done[-1].out.strip()
    return done


async def _set_up_eu(company: Company) -> list[Command]:
    """Set up at eu the account that is at home there, and the one that is at home at ap, for what goes astray."""
    return [
        await company.eu.command(["init"]),
        await company.eu.add_whatsapp(ACCOUNTS["whatsapp"], company.secrets),
        await company.eu.add_line(ACCOUNTS["line"], company.secrets, "--home", HOME["line"]),
    ]


async def _set_up_ap(company: Company) -> list[Command]:
    """Set up at ap the account that is at home there, for which eu may relay, and no other node."""
    return [
        await company.ap.command(["init"]),
        await company.ap.add_line(ACCOUNTS["line"], company.secrets, "--relayed-by", "eu"),
    ]


async def _enrolments(stage: Stage, root: str) -> None:
    """Enrol both nodes by one-time tokens, and start them."""
    company, tell = stage.company, stage.tell
    tell.step("Both nodes are enrolled by one-time tokens")
    tell.note("A token names control plane and officers by fingerprint: a node believes nobody who says otherwise.")
    enrolled = await asyncio.gather(*(_enrol(company, name) for name in NODES))
    for name, (token, done) in zip(NODES, enrolled, strict=True):
        stage.command(token, "(shown once)")
        stage.command(done, "fingerprint", "root fingerprint", "Enrolled")
        tell.check(f"{name} pinned the officers' root, as it stands on their own screen above", _root(done) == root)
    installed = await asyncio.gather(*(_take_over(company, name) for name in NODES))
    for done in installed:
        stage.command(done, "In force")
    for started in await asyncio.gather(*(node.start() for node in company.nodes.values())):
        stage.command(started)


async def _take_over(company: Company, name: str) -> Command:
    """Let a node take the policy over; it believes the officers of the roster, whoever brings it."""
    words = ["policy", "install", f"../officers/{BUNDLE}", "--roster", "../officers/roster-1.json", "--yes"]
    return await company.nodes[name].command(words)


async def _enrol(company: Company, name: str) -> tuple[Command, Command]:
    """Make a token and enrol the node with it."""
    token, node = await company.plane.command(["token", name]), company.nodes[name]
    company.secrets.enrolment.append(token.out.strip())
    words = ["enrol", "--jurisdiction", LAW[name], "--relay-address", node.relay]
    return token, await node.command(words, typed=token.out.strip().encode())


async def _take_in(stage: Stage) -> None:
    """Let the officers compare fingerprints and take the nodes in; wait until everybody knows."""
    company, tell, plane = stage.company, stage.tell, stage.company.plane
    tell.step("The officers take the nodes in")
    introduced = await asyncio.gather(
        *(plane.command(["pending", name, "--out", f"../officers/{name}.node.json"]) for name in NODES)
    )
    for name, done, source in zip(NODES, introduced, ("roster-1.json", "roster-2.json"), strict=True):
        stage.command(done, "Wrote")
        stage.command(await company.roster("add", "node", f"{name}.node.json", "--roster", source), "Version")
    await _sign(stage, 2)
    stage.command(await plane.command(["roster", "put", "../officers/roster-2.json"]), "Version")
    found, seconds = await plane.until("/v1/nodes", _all_heard)
    rows = [
        (each["name"], each["region"], each["jurisdiction"], each["state"], str(each["roster_version"]))
        for each in found["items"]
    ]
    tell.table(("node", "region", "law", "state", "roster"), rows)
    tell.check(f"both are active and have roster 2, {seconds:.1f} s after it came into force", _all_heard(found))
    tell.line("", "uplink beat: 1 s here (30 s by default), so that nobody has to wait for the demo")
    hooks = company.hook("whatsapp", company.eu), company.hook("line", company.ap)
    await company.platforms.accounts(company.secrets, *hooks)
    tell.line("callback", f"WhatsApp  {hooks[0]}")
    tell.line("", f"LINE      {hooks[1]}")


def _all_heard(nodes: dict[str, list[dict[str, object]]]) -> bool:
    """Say whether every node is active with the newest roster."""
    return len(nodes["items"]) == len(NODES) and all(
        each["state"] == "active" and each["roster_version"] == 2 for each in nodes["items"]
    )


def _root(shown: Command) -> str:
    """Read the root fingerprint off a screen."""
    found = re.search(r"^\s*root fingerprint\s+([0-9a-f ]+)$", shown.printed, re.IGNORECASE | re.MULTILINE)
    return found[1].replace(" ", "") if found else ""
