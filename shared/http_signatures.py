"""Signed requests and answers between programs: RFC 9421 with Ed25519, body digests of RFC 9530.  Pure.

A request's signature covers method, authority, path, query and body, and the parameters created, keyid, nonce and tag.
An answer's covers status and body, and the method and the signature of the request it answers, so that no answer fits
another request.  ``http-message-signatures`` builds and parses; what it leaves to its caller is checked here:

- there is exactly one signature, in exactly one ``Signature`` and one ``Signature-Input`` line, and one body digest;
- it covers exactly these components and carries exactly these parameters, the tag of this listener among them;
- it was created within ``skew_ms`` of now, on an argument and not on the machine's clock;
- the digest is of the very body.

Whether a nonce was seen before is :mod:`shared.nonces`'s to say, after everything else has been checked.  Why something
was refused is a code for the refusing program's own log: the answer to a stranger never says.

The URL is the one the asked program is known by, from its own settings; taken from the ``Host`` header, the authority
would be whatever the sender wrote.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import http_message_signatures as hms
from http_message_signatures.structures import VerifyResult

from shared.crypto.signing import SigningKeys, is_ed25519
from shared.errors.trust import AnswerRefused, RequestRefused

Tag = Literal["homeport-relay", "homeport-uplink"]
"""What a signature is for: asking the control plane, or another node."""

SKEW_MS = 60_000
"""How far the clocks of two programs may be apart, and how long a nonce is remembered beyond it."""

KeysOf = Callable[[str], bytes | None]
"""Gives the Ed25519 public key of a ``keyid``, or ``None`` where nobody of that name is known.  It must not fail."""

_REQUEST = ("@method", "@authority", "@path", "@query", "content-digest")
_ANSWER = ("@status", "content-digest", '"@method";req', '"signature";req')
_REQUEST_COVERED = tuple(f'"{name}"' for name in _REQUEST)
_ANSWER_COVERED = ('"@status"', '"content-digest"', '"@method";req', '"signature";req')
_REQUEST_PARAMETERS = {"created", "keyid", "alg", "nonce", "tag"}
_ANSWER_PARAMETERS = {"created", "keyid", "alg", "tag"}
_SIGNED_FIELDS = ("content-digest", "signature", "signature-input")
_NONCE = re.compile(r"[0-9a-f]{32}")
_LABEL = "homeport"

Fields = Iterable[tuple[str, str]]
"""Header lines as they came, doubled ones apart."""


class Request(NamedTuple):
    """A request, as it is sent or was received."""

    method: str
    """In capitals."""
    url: str
    """Absolute: scheme, authority, path and query, percent-encoded."""
    fields: tuple[tuple[str, str], ...]
    """Header lines; of these only body digest and signature matter here."""
    body: bytes


class Signed(NamedTuple):
    """Who signed, and what makes the request unlike every other."""

    keyid: str
    nonce: str
    created_ms: int


class _Ed25519(hms.HTTPSignatureAlgorithm):
    """Ed25519 (RFC 9421 section 3.3.6), done by :mod:`shared.crypto.signing`."""

    algorithm_id = "ed25519"

    def __init__(self, public_key: Any = None, private_key: Any = None) -> None:
        """Take a public key's bytes, or a pair of private keys."""
        self._public: bytes = public_key
        self._private: SigningKeys = private_key

    def sign(self, message: bytes) -> bytes:
        """Sign the signature base."""
        return self._private.sign_ed25519(message)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a signature of the signature base."""
        if not is_ed25519(self._public, signature, message):
            raise hms.InvalidSignature


class _Keys(hms.HTTPSignatureKeyResolver):
    """Looks keys up for the library."""

    def __init__(self, private: SigningKeys | None = None, of: KeysOf | None = None) -> None:
        """Take the pair to sign with, or the function to look public keys up with."""
        self._private, self._of = private, of

    def resolve_private_key(self, key_id: str) -> Any:  # noqa: ARG002 - there is one key to sign with
        """Give the pair to sign with."""
        return self._private

    def resolve_public_key(self, key_id: str) -> Any:
        """Give the public key of ``key_id`` or ``None``."""
        return self._of(key_id) if self._of else None


class _Verifier(hms.HTTPMessageVerifier):
    """The library's verifier without its clock: when a signature was made is judged here, on an argument."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Leave it to the caller."""


class _Lines:
    """Header lines for the library, which reads them by ``items``."""

    def __init__(self, fields: Fields) -> None:
        """Keep what a signature may cover."""
        self._fields = [(name, value) for name, value in fields if name.lower() in _SIGNED_FIELDS]

    def items(self) -> list[tuple[str, str]]:
        """Give the lines."""
        return self._fields

    def once(self, name: str) -> bool:
        """Say whether there is exactly one line of that name."""
        return sum(1 for found, _ in self._fields if found.lower() == name) == 1


class _Message:
    """A request for the library."""

    def __init__(self, request: Request, headers: Mapping[str, str] | _Lines) -> None:
        """Take the request and its header lines."""
        self.method, self.url, self.headers = request.method, request.url, headers


class _Answer:
    """An answer for the library."""

    def __init__(self, status: int, headers: Mapping[str, str] | _Lines, request: _Message) -> None:
        """Take the answer's status and header lines, and the request it answers."""
        self.status_code, self.headers, self.request = status, headers, request


def sign_request(request: Request, keys: SigningKeys, *, keyid: str, tag: Tag, nonce: str, now_ms: int) -> Request:
    """Give the request with its body digest and signature added.

    ``nonce`` is 32 freshly drawn hexadecimal digits; ``keyid`` is the name that the asked program knows the key by.
    """
    if _NONCE.fullmatch(nonce) is None:
        raise ValueError("a nonce is 32 hexadecimal digits")
    added: dict[str, str] = {}
    _signer(keys).sign(
        _Message(request, added),
        key_id=keyid,
        created=_moment(now_ms),
        nonce=nonce,
        label=_LABEL,
        tag=tag,
        covered_component_ids=_REQUEST,
        body=request.body,
    )
    kept = tuple((name, value) for name, value in request.fields if name.lower() not in _SIGNED_FIELDS)
    return request._replace(fields=kept + _lines(added))


def verify_request(request: Request, keys_of: KeysOf, *, tag: Tag, now_ms: int, skew_ms: int = SKEW_MS) -> Signed:
    """Say who signed the request; ``RequestRefused`` with a ``reason`` for the log where nobody known did.

    The caller still asks its nonce memory, and decides whether that program may ask this.
    """
    lines = _Lines(request.fields)
    result, reason = _verified(_Message(request, lines), lines, request.body, keys_of)
    if result is None:
        raise RequestRefused(reason=reason)
    parameters = result.parameters
    reason = _amiss(result, _REQUEST_COVERED, _REQUEST_PARAMETERS, tag, now_ms, skew_ms)
    nonce = parameters.get("nonce")
    if not reason and (not isinstance(nonce, str) or _NONCE.fullmatch(nonce) is None):
        reason = "nonce"
    if reason:
        raise RequestRefused(reason=reason)
    return Signed(str(parameters["keyid"]), str(nonce), int(parameters["created"]) * 1000)


def sign_answer(
    request: Request, status: int, body: bytes, keys: SigningKeys, *, keyid: str, tag: Tag, now_ms: int
) -> tuple[tuple[str, str], ...]:
    """Give the header lines to add to an answer, bound to the request it answers.

    A request with no or more than one ``Signature`` line has no signature to bind to: ``ValueError``; such a request is
    answered unsigned, and who sent it believes nothing of the answer.
    """
    lines = _Lines(request.fields)
    if not lines.once("signature"):
        raise ValueError("there is no one signature to bind the answer to")
    added: dict[str, str] = {}
    _signer(keys).sign(
        _Answer(status, added, _Message(request, lines)),
        key_id=keyid,
        created=_moment(now_ms),
        label=_LABEL,
        tag=tag,
        covered_component_ids=_ANSWER,
        body=body,
    )
    return _lines(added)


def verify_answer(
    request: Request,
    status: int,
    fields: Fields,
    body: bytes,
    public: bytes,
    *,
    keyid: str,
    tag: Tag,
    now_ms: int,
    skew_ms: int = SKEW_MS,
) -> None:
    """Check that ``keyid``, whose Ed25519 key is ``public``, gave this answer to this request: else ``AnswerRefused``.

    ``request`` is what :func:`sign_request` gave, with the signature that was sent.
    """
    lines = _Lines(fields)
    message = _Answer(status, lines, _Message(request, _Lines(request.fields)))
    result, reason = _verified(message, lines, body, {keyid: public}.get)
    if result is not None:
        reason = _amiss(result, _ANSWER_COVERED, _ANSWER_PARAMETERS, tag, now_ms, skew_ms)
    if reason:
        raise AnswerRefused(reason=reason)


def _verified(
    message: _Message | _Answer, lines: _Lines, body: bytes, keys_of: KeysOf
) -> tuple[VerifyResult | None, str]:
    """Let the library verify the one signature over the message; give its result, or why there is none."""
    if not all(lines.once(name) for name in _SIGNED_FIELDS):
        return None, "lines"
    verifier = _Verifier(signature_algorithm=_Ed25519, key_resolver=_Keys(of=keys_of))
    try:
        results = verifier.verify(message, max_age=None, body=body)
    except hms.HTTPMessageSignaturesException:
        return None, "signature"
    return (results[0], "") if len(results) == 1 else (None, "signature")


def _amiss(
    result: VerifyResult, covered: tuple[str, ...], parameters: set[str], tag: str, now_ms: int, skew_ms: int
) -> str:
    """Say what is wrong with a signature that verifies, or give an empty string."""
    if {*result.covered_components} != {*covered, '"@signature-params"'}:
        return "components"
    if result.parameters.keys() != parameters:
        return "parameters"
    if result.parameters["tag"] != tag:
        return "tag"
    created = result.parameters["created"]
    if not isinstance(created, int) or abs(now_ms - created * 1000) > skew_ms:
        return "created"
    return ""


def _signer(keys: SigningKeys) -> hms.HTTPMessageSigner:
    """Give the library's signer for one pair of keys."""
    return hms.HTTPMessageSigner(signature_algorithm=_Ed25519, key_resolver=_Keys(private=keys))


def _moment(now_ms: int) -> dt.datetime:
    """Give the second in which ``now_ms`` lies, as the library takes it."""
    return dt.datetime.fromtimestamp(now_ms // 1000, tz=dt.UTC)


def _lines(added: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give added fields as header lines, named in lower case as HTTP/2 and ASGI want them."""
    return tuple((name.lower(), value) for name, value in added.items())
