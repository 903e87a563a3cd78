"""What the tests of views share: opening one at a desk, following its stream, acting inside a node's stores."""

import asyncio
import json
import threading
from contextlib import suppress
from typing import Any, NamedTuple

import httpx

from edge_node.app_relay import relay_parts
from edge_node.assembly import open_policy
from edge_node.metrics import Metrics
from edge_node.stores import open_stores
from tests.support.node import until


class Event(NamedTuple):
    """One server-sent event."""

    kind: str
    number: str
    data: dict[str, Any]


class Watch:
    """Follows a view's stream in a thread until it ends or is left."""

    def __init__(self, desk: httpx.Client, view: str, after: str = "") -> None:
        self.events: list[Event] = []
        self.ended = False
        self._desk, self._view, self._after = desk, view, after
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        headers = {"last-event-id": self._after} if self._after else {}
        with (
            suppress(httpx.HTTPError),
            self._desk.stream("GET", f"/views/{self._view}/stream", headers=headers) as answer,
        ):
            found: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(":")
                    found[name] = value.lstrip()
                elif "event" in found:
                    self.events.append(Event(found["event"], found.get("id", ""), json.loads(found["data"])))
                    found = {}
        self.ended = True

    def shown(self) -> list[str]:
        """Give the words shown so far, in order."""
        return [each.data["content"]["text"] for each in self.events if each.kind == "shown"]

    def wait(self, kind: str, count: int = 1) -> list[Event]:
        """Wait for so many events of a kind."""
        found = until(lambda: [each for each in self.events if each.kind == kind][count - 1 :] and self.events)
        return [each for each in found if each.kind == kind]


def last_author(member):
    """Give the pseudonym of whoever wrote the newest message at a node."""
    sql = "SELECT s.pseudonym FROM subject s JOIN message m ON m.subject = s.id ORDER BY m.id DESC LIMIT 1"
    return member.read(sql)[0][0]


def open_view(desk, pseudonym, *, purpose="complaint", node="ap"):
    """Open a view of a subject at ``node``."""
    return desk.post("/views", json={"pseudonym": pseudonym, "purpose": purpose, "node": node})


def retract(member, node, disclosure):
    """Retract what ``node`` showed at a running member, as the executor of commands does it."""

    async def act():
        async with open_stores(member.node.settings) as stores:
            parts = relay_parts(stores, await open_policy(stores), Metrics(), "tests")
            try:
                return await parts.viewer.retract(node, disclosure)
            finally:
                await parts.client.close()

    return asyncio.run(act())
