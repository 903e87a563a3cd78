"""Wycheproof's vectors (C2SP/wycheproof) through the very functions that the programs call."""

import base64
import json
from collections import Counter

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge_node.channels.line import signature
from shared.crypto import Cipher
from shared.crypto.signing import is_ed25519, is_mldsa65
from shared.errors import SealBroken


@pytest.fixture
def vectors(shared_data):
    """Give a function that reads a file of vectors: (group, test) for each."""

    def read(name):
        content = json.loads((shared_data / "crypto" / name).read_text())
        found = [(group, test) for group in content["testGroups"] for test in group["tests"]]
        assert len(found) == content["numberOfTests"]
        return found

    return read


def test_ed25519(vectors):
    """Malleable, cut, lengthened and foreign signatures are refused; sound ones are not."""
    for group, test in vectors("ed25519_test.json"):
        public, given = bytes.fromhex(group["publicKey"]["pk"]), bytes.fromhex(test["sig"])
        assert is_ed25519(public, given, bytes.fromhex(test["msg"])) is (test["result"] == "valid"), test["tcId"]


def test_mldsa65(vectors):
    """Malformed keys, hints and norms are refused; so is every signature made for a context, since ours have none."""
    seen = Counter()
    for group, test in vectors("mldsa_65_verify_test.json"):
        public, given = bytes.fromhex(group["publicKey"]), bytes.fromhex(test["sig"])
        expected = test["result"] == "valid" and not test.get("ctx")
        assert is_mldsa65(public, given, bytes.fromhex(test["msg"])) is expected, test["tcId"]
        seen[expected, bool(test.get("ctx"))] += 1
    assert min(seen[True, False], seen[False, False], seen[False, True]) > 0


def test_aes_gcm(vectors):
    """The cipher that seals content opens what is sound and nothing else: 256-bit keys, 96-bit nonces, whole tags."""
    seen = Counter()
    for group, test in vectors("aes_gcm_test.json"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue
        key, nonce, place = (bytes.fromhex(test[name]) for name in ("key", "iv", "aad"))
        plain, sealed = bytes.fromhex(test["msg"]), bytes.fromhex(test["iv"] + test["ct"] + test["tag"])
        seen[test["result"]] += 1
        if test["result"] == "valid":
            assert Cipher(key).open(sealed, place) == plain, test["tcId"]
            assert Cipher(key).seal(plain, place, nonce) == sealed, test["tcId"]
        else:
            with pytest.raises(SealBroken):
                Cipher(key).open(sealed, place)
    assert min(seen["valid"], seen["invalid"]) > 20


def test_hmac_sha256(vectors):
    """What checks a webhook's signature: whole tags only, so cut ones are refused."""
    for group, test in vectors("hmac_sha256_test.json"):
        key, body, tag = (bytes.fromhex(test[name]) for name in ("key", "msg", "tag"))
        expected = test["result"] == "valid" and group["tagSize"] == 256
        assert signature.verify((key,), body, base64.b64encode(tag)) is (expected and key != b""), test["tcId"]


def test_hkdf_sha256(vectors):
    """The derivation that HPKE rests on, in the library that computes it for us."""
    for _, test in vectors("hkdf_sha256_test.json"):
        ikm, salt, info = (bytes.fromhex(test[name]) for name in ("ikm", "salt", "info"))
        if test["result"] == "valid":
            derived = HKDF(SHA256(), test["size"], salt, info).derive(ikm)
            assert derived.hex() == test["okm"], test["tcId"]
        else:
            with pytest.raises(ValueError, match="larger than"):
                HKDF(SHA256(), test["size"], salt, info)
