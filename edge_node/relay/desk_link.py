"""A command's way to its own node's desk listener, on this machine: open a view, follow it, close it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import httpx
import msgspec

from shared import private_files
from shared.errors import SettingsInvalid, StoreMissing
from shared.errors.policy import PolicyDenies
from shared.errors.relay import ShowingRefused, ViewFailed

_SECONDS_MAX = 30.0
_QUIET_SECONDS_MAX = 60.0
"""A stream says something, if only a heartbeat, far more often."""
_TOKEN_BYTES_MAX = 256
_RULE_PREFIX = "urn:homeport:error:"


class Spoken(NamedTuple):
    """One event of a live view as it came."""

    kind: str
    data: dict[str, Any]


class DeskLink:
    """Speaks with one node's desk; a context manager."""

    def __init__(self, address: str, token_file: Path) -> None:
        """Take the desk's address, as the node's status gives it, and where its token lies.

        ``SettingsInvalid`` where the node has no desk, ``StoreMissing`` where the token cannot be read.
        """
        if not address:
            raise SettingsInvalid(field_name="relay.desk_listen", wants="an address, and a node started with it")
        try:
            token = private_files.read(token_file, bytes_max=_TOKEN_BYTES_MAX, private=True).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise StoreMissing(path=str(token_file)) from None
        path = address.removeprefix("unix:") if address.startswith("unix:") else None
        self._http = httpx.Client(
            base_url="http://desk" if path else f"http://{address}",
            headers={"authorization": f"Bearer {token}"},
            transport=httpx.HTTPTransport(uds=path),
            timeout=httpx.Timeout(_SECONDS_MAX, read=_QUIET_SECONDS_MAX),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> "DeskLink":
        """Open nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        self._http.close()

    def open(self, node: str | None, pseudonym: str, purpose: str, role: str = "agent") -> dict[str, Any]:
        """Open a view.

        ``ShowingRefused`` with the other node's rule, ``PolicyDenies`` with this node's, ``ViewFailed`` with the node's
        code for anything else.
        """
        asked = {"pseudonym": pseudonym, "purpose": purpose, "role": role} | ({"node": node} if node else {})
        return self._ask("POST", "/views", asked)

    def older(self, view: str) -> dict[str, Any]:
        """Ask for what is older."""
        return self._ask("POST", f"/views/{view}/older", None)

    def close(self, view: str) -> None:
        """Close a view; one that has ended meanwhile is closed already."""
        with suppress(ViewFailed):
            self._ask("DELETE", f"/views/{view}", None)

    def follow(self, view: str) -> Iterator[Spoken]:
        """Give what a view says until it is closed; a stream that breaks is taken up after its last event."""
        last = ""
        while True:
            headers = {"last-event-id": last} if last else {}
            stream = self._http.stream("GET", f"/views/{view}/stream", headers=headers)
            with suppress(httpx.TransportError), stream as answer:
                if answer.status_code != httpx.codes.OK:
                    return
                for number, spoken in _events(_lines(answer.iter_bytes())):
                    last = number or last
                    yield spoken
                    if spoken.kind == "closed":
                        return

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Ask once; the desk's refusal by its code, and nothing else of it."""
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ViewFailed(reason=type(error).__name__) from None
        content = _object(answer.content)
        if answer.is_success:
            return content
        code = str(content.get("type", "")).removeprefix(_RULE_PREFIX)
        if code == ShowingRefused.code:
            raise ShowingRefused(**_named(content, "rule", "policy_rule"))
        if code == PolicyDenies.code:
            raise PolicyDenies(**_named(content, "reason", "rule"))
        raise ViewFailed(status=answer.status_code, reason=code)


def _named(content: dict[str, Any], *names: str) -> dict[str, str]:
    """Give those of the named members that are there."""
    return {name: str(content[name]) for name in names if name in content}


def _object(content: bytes) -> dict[str, Any]:
    """Read a JSON object; an empty one where there is none."""
    try:
        return msgspec.json.decode(content, type=dict[str, Any]) if content else {}
    except msgspec.DecodeError:
        return {}


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    """Split a stream at line feeds alone.

    The client's own splitting takes U+2028 and others for line ends, which JSON leaves as they are: whoever wrote a
    message could end it there and go on in the stream's own words.
    """
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Spoken]]:
    """Read server-sent events (HTML Living Standard, section 9.2.6) from lines: number, event."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "event" in fields:
                yield fields.get("id", ""), Spoken(fields["event"], _object(fields.get("data", "").encode()))
            fields = {}
