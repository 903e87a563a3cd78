"""RFC 9421's own example for Ed25519, through the signer that signs our requests."""

from shared import http_signatures
from shared.crypto.signing import SigningKeys
from shared.http_signatures import Request

PLAIN = Request("POST", "https://example.com/foo?param=Value&Pet=dog", (), b"")


def test_the_rfc_vector_of_ed25519_is_reproduced():
    """RFC 9421 appendix B.2.6: the same base and, Ed25519 being deterministic, the same signature."""
    seed = bytes.fromhex("9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5")
    keys = SigningKeys(seed, bytes(32))
    assert keys.public.ed25519.hex() == "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb"
    headers = {
        "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "Content-Type": "application/json",
        "Content-Digest": (
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
        ),
        "Content-Length": "18",
    }
    message = http_signatures._Message(PLAIN, headers)
    http_signatures._signer(keys).sign(
        message,
        key_id="test-key-ed25519",
        created=http_signatures._moment(1_618_884_473_000),
        label="sig-b26",
        include_alg=False,
        use_existing_digest=True,
        covered_component_ids=("date", "@method", "@path", "@authority", "content-type", "content-length"),
    )
    assert headers["Signature"] == (
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
    )
