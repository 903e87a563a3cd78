"""A client of the sandbox's private address, for tests and the demo."""

from typing import Any

import httpx
import msgspec

from deploy.sandbox.acts import Act, Deed
from deploy.sandbox.courier import Attempt, Manners
from deploy.sandbox.faults import Fault, FaultKind
from deploy.sandbox.world import Bot, Number, Platform, Sent

WAIT_SECONDS = 60.0


class OrderRefused(Exception):
    """The sandbox refuses an order; the text is its own."""


class SandboxClient:
    """Orders and asks; every call is one request."""

    def __init__(self, control: str) -> None:
        """Take the private address."""
        self._http = httpx.Client(base_url=control, timeout=WAIT_SECONDS, trust_env=False)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def accounts(self, *, numbers: list[Number] | None = None, bots: list[Bot] | None = None) -> None:
        """Set the business's accounts; ``None`` leaves a platform's as they are."""
        self._order("POST", "/accounts", {"numbers": numbers, "bots": bots})

    def act(self, who: str, on: Platform, does: Deed = "say", **more: Any) -> str:
        """Let one of anna, rosa and taro do one thing now; give the message's id."""
        return str(self._order("POST", "/act", Act(who, on, does, **more))["id"])

    def script(self, text: str) -> list[str]:
        """Play a script to its end; give the messages' ids."""
        return list(self._ask("POST", "/script", text.encode()).json()["ids"])

    def fault(self, endpoint: str, kind: FaultKind, **more: Any) -> None:
        """Order that the next call (``count``) of an endpoint fails."""
        self._order("POST", "/faults", Fault(endpoint, kind, **more))

    def clear_faults(self) -> None:
        """Take every fault back."""
        self._order("DELETE", "/faults")

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._order("POST", "/clock", {"seconds": seconds})

    def manners(self, manners: Manners) -> None:
        """Set how webhooks are carried."""
        self._order("POST", "/manners", manners)

    def revoke(self, token: str) -> None:
        """Revoke an access token."""
        self._order("POST", "/revoke", {"token": token})

    def reset(self) -> None:
        """Start over with a new world."""
        self._order("POST", "/reset")

    def idle(self) -> bool:
        """Wait until nothing is on its way."""
        return bool(self._order("POST", "/idle")["idle"])

    def state(self) -> dict[str, Any]:
        """Ask how things stand."""
        return dict(self._order("GET", "/state"))

    def sent(self) -> list[Sent]:
        """Ask what the business sent."""
        return msgspec.json.decode(self._ask("GET", "/sent").content, type=list[Sent])

    def attempts(self) -> list[Attempt]:
        """Ask what was tried to deliver."""
        return msgspec.json.decode(self._ask("GET", "/attempts").content, type=list[Attempt])

    def requests(self) -> list[dict[str, Any]]:
        """Ask what the business asked for, in order."""
        return list(self._order("GET", "/requests"))

    def violations(self) -> list[dict[str, str]]:
        """Ask what broke the vendors' descriptions."""
        return list(self._order("GET", "/violations"))

    def _order(self, method: str, path: str, body: object = None) -> Any:
        """Send an order as JSON; give the answer."""
        return self._ask(method, path, b"" if body is None else msgspec.json.encode(body)).json()

    def _ask(self, method: str, path: str, content: bytes = b"") -> httpx.Response:
        """Send one request."""
        answer = self._http.request(method, path, content=content)
        if answer.status_code != httpx.codes.OK:
            raise OrderRefused(answer.json().get("error", answer.text))
        return answer
