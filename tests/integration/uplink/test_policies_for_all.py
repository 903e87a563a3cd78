"""What officers publish at a real control plane is what every node of the company decides by, a beat later."""

import asyncio
import contextlib

import httpx

from edge_node.metrics import Metrics
from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.governing.policy_book import PolicyBook
from shared.enrolment_token import write_token
from shared.policy.bundling import digest
from shared.roster import NodeIntroduction
from tests.integration.uplink.conftest import enrolled, identity_of, running, until
from tests.support.control import RealControl
from tests.support.house_policy import bundle_bytes, bundle_of, open_policy, rule
from tests.support.node import PATIENCE_S
from tests.support.stores import bench

NO_MEDIA = rule("no-media", "deny", operations=("store",), classes=("media",), reason="not_here")
NAMES = ("eu", "ap")


class Tokens:
    """Gives enrolment tokens of a real control plane."""

    def __init__(self, tokens):
        self._tokens = tokens

    def token(self, name):
        """Give a node's."""
        return write_token(self._tokens[name])


def founded(folder):
    """Set a control plane up and start it; give it, an officer's token and both enrolment tokens."""
    control = RealControl(folder)
    control.put_rosters(control.officers.signed())
    (officer,) = control.appoint(("dpo", "omar", "officer"))
    tokens = {name: control.enrolment_token(name) for name in NAMES}
    return control.start(), officer, Tokens(tokens)


async def published(control, officer, file):
    """Publish a file."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        return await client.post(
            f"{control.address}/v1/policies", content=file, headers={"authorization": f"Bearer {officer}"}
        )


async def decides(book, hash_):
    """Say whether a node decides by a bundle."""
    await book.look()
    return book.in_force is not None and book.in_force.kept.hash == hash_


async def test_both_nodes_decide_by_what_was_published(tmp_path):
    control, officer, tokens = await asyncio.to_thread(founded, tmp_path / "control")
    try:
        async with contextlib.AsyncExitStack() as opened:
            books = []
            for name in NAMES:
                node = await opened.enter_async_context(bench(tmp_path / name, bundle=None))
                await enrolled(node, tokens, name)
                keys = NodeIntroduction(name, "id-test", "DE", None, identity_of(node).public)
                await asyncio.to_thread(control.put_rosters, control.officers.take_in(keys))
                await opened.enter_async_context(running(node, control))
                books.append(PolicyBook(PolicyStore(node.content), "id-test", Metrics(), node.stores.clock))
            await until(lambda: all_seen(control, officer, ["policy_missing"]))
            one = bundle_of(open_policy([NO_MEDIA]))
            two = bundle_of(open_policy(), one)
            for bundle, allowed in ((one, False), (two, True)):
                refused = await published(control, officer, bundle_bytes(bundle, "ann", keys=control.officers.keys))
                assert (refused.status_code, refused.json()["code"]) == (422, "bundle_undersigned")
                made = await published(control, officer, bundle_bytes(bundle, keys=control.officers.keys))
                assert (made.status_code, made.json()["hash"]) == (201, digest(bundle))
                for book in books:
                    await until(lambda book=book, bundle=bundle: decides(book, digest(bundle)))
                    assert book.decide("store", "media", "intake", "ID").allowed is allowed
            await until(lambda: all_seen(control, officer, []))
    finally:
        await asyncio.to_thread(control.end)


def all_seen(control, officer, problems):
    """Say whether the control plane sees these problems, and no others, at both nodes."""
    views = control.ask(officer, "GET", "/v1/nodes").json()["items"]
    return [each["problems"] for each in views] == [problems, problems]
