"""The sandbox's private address: what a test, a demo or a person at a terminal may order and ask.

A listener of its own, so that nothing the business can reach orders anything.  JSON in and out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from deploy.sandbox.acts import Act, ScriptWrong, Stage
from deploy.sandbox.app import Receive, Scope, Send, read_request, write_answer
from deploy.sandbox.courier import Manners, NotLoopback, require_loopback
from deploy.sandbox.exchange import Answer, Asked, told
from deploy.sandbox.faults import Fault
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.scripts import KNOWN, parse_script, play
from deploy.sandbox.world import Bot, Number

Order = Callable[[Asked], Awaitable[Any]]

IDLE_SECONDS_MAX = 30.0


class ControlApp:
    """ASGI application of the private address."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Take the sandbox that is ordered about."""
        self._sandbox = sandbox
        self._stage = Stage(sandbox, dict(KNOWN))
        self._orders: dict[tuple[str, str], Order] = {
            ("GET", "/state"): self._state,
            ("GET", "/sent"): self._sent,
            ("GET", "/attempts"): self._attempts,
            ("GET", "/requests"): self._requests,
            ("GET", "/violations"): self._violations,
            ("POST", "/accounts"): self._accounts,
            ("POST", "/act"): self._act,
            ("POST", "/script"): self._script,
            ("POST", "/faults"): self._faults,
            ("DELETE", "/faults"): self._clear_faults,
            ("POST", "/clock"): self._clock,
            ("POST", "/manners"): self._manners,
            ("POST", "/revoke"): self._revoke,
            ("POST", "/idle"): self._idle,
            ("POST", "/reset"): self._reset,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry out one order; 400 with what is wrong."""
        if scope["type"] != "http":
            return
        asked = await read_request(scope, receive)
        order = self._orders.get((asked.method, asked.path))
        if order is None:
            await write_answer(
                send, told({"error": "no such order", "orders": [" ".join(o) for o in self._orders]}, 404)
            )
            return
        try:
            answer = Answer(200, msgspec.json.encode(await order(asked)), {"content-type": "application/json"})
        except (ScriptWrong, NotLoopback, msgspec.ValidationError, msgspec.DecodeError) as error:
            answer = told({"error": str(error)}, 400)
        await write_answer(send, answer)

    async def _state(self, asked: Asked) -> dict[str, Any]:
        """Say how things stand, in numbers."""
        del asked
        sandbox = self._sandbox
        return {
            "now": sandbox.clock.now(),
            "openapi": sandbox.contract.state,
            "checked": sandbox.contract.checked,
            "violations": len(sandbox.violations),
            "requests": len(sandbox.requests),
            "said": len(sandbox.world.said),
            "sent": len(sandbox.world.sent),
            "attempts": len(sandbox.courier.attempts),
            "dropped": len(sandbox.courier.dropped),
            "busy": sandbox.courier.busy,
        }

    async def _sent(self, asked: Asked) -> object:
        """Give what the business sent."""
        del asked
        return self._sandbox.world.sent

    async def _attempts(self, asked: Asked) -> object:
        """Give every attempt to deliver a webhook; bodies in base64."""
        del asked
        return self._sandbox.courier.attempts

    async def _requests(self, asked: Asked) -> object:
        """Give every request of the business, without its body."""
        del asked
        return self._sandbox.requests

    async def _violations(self, asked: Asked) -> object:
        """Give what broke the vendors' descriptions."""
        del asked
        return self._sandbox.violations

    async def _accounts(self, asked: Asked) -> dict[str, int]:
        """Set the business's accounts: ``numbers`` and ``bots``, secrets in base64; a list given replaces that list."""
        wanted = msgspec.json.decode(asked.body, type=_Accounts)
        for number in wanted.numbers or ():
            for address in number.callbacks.values():
                require_loopback(address)
        for bot in wanted.bots or ():
            if bot.endpoint is not None:
                require_loopback(bot.endpoint)
        world = self._sandbox.world
        world.numbers = world.numbers if wanted.numbers is None else wanted.numbers
        world.bots = world.bots if wanted.bots is None else wanted.bots
        return {"numbers": len(world.numbers), "bots": len(world.bots)}

    async def _act(self, asked: Asked) -> dict[str, str]:
        """Let one of the known people do one thing now."""
        return {"id": self._stage.perform(msgspec.json.decode(asked.body, type=Act))}

    async def _script(self, asked: Asked) -> dict[str, list[str]]:
        """Play a script (TOML) to its end."""
        return {"ids": await play(self._sandbox, parse_script(asked.body.decode()))}

    async def _faults(self, asked: Asked) -> dict[str, int]:
        """Order a fault."""
        self._sandbox.faults.order(msgspec.json.decode(asked.body, type=Fault))
        return {"ordered": len(self._sandbox.faults.ordered)}

    async def _clear_faults(self, asked: Asked) -> dict[str, int]:
        """Take every fault back."""
        del asked
        self._sandbox.faults.clear()
        return {"ordered": 0}

    async def _clock(self, asked: Asked) -> dict[str, int]:
        """Move the clock ``seconds`` forward."""
        move = msgspec.json.decode(asked.body, type=_Move)
        if move.seconds < 0:
            raise ScriptWrong("the clock only moves forward")
        self._sandbox.clock.advance(move.seconds)
        return {"now": self._sandbox.clock.now()}

    async def _manners(self, asked: Asked) -> Manners:
        """Set how webhooks are carried; what is not given is as at the beginning."""
        self._sandbox.courier.manners = msgspec.json.decode(asked.body, type=Manners)
        return self._sandbox.courier.manners

    async def _revoke(self, asked: Asked) -> dict[str, int]:
        """Revoke an access token."""
        self._sandbox.world.revoked.add(msgspec.json.decode(asked.body, type=_Token).token)
        return {"revoked": len(self._sandbox.world.revoked)}

    async def _reset(self, asked: Asked) -> dict[str, bool]:
        """Start over with a new world."""
        del asked
        await self._sandbox.begin_anew()
        self._stage = Stage(self._sandbox, dict(KNOWN))
        return {"reset": True}

    async def _idle(self, asked: Asked) -> dict[str, bool]:
        """Wait until nothing is on its way any more; false where that takes too long."""
        del asked
        for _ in range(round(IDLE_SECONDS_MAX / 0.02)):
            if not self._sandbox.courier.busy:
                return {"idle": True}
            await asyncio.sleep(0.02)
        return {"idle": False}


class _Accounts(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /accounts``."""

    numbers: list[Number] | None = None
    bots: list[Bot] | None = None


class _Move(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /clock``."""

    seconds: float


class _Token(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /revoke``."""

    token: str
