"""Every domain-separation label of the project, on one page.

A label says what a key or a hash is used for, so that a value made for one use means nothing in another.
Labels are part of the stored format: they are added to, never changed and never reused.
"""

CONTENT = b"homeport/content/1"
"""Associated data of a sealed column: region, pseudonym, table, column, row."""

ROW_KEY = b"homeport/row-key/1"
"""Associated data of a row key wrapped by its bucket key: pseudonym, row, bucket key version."""

BUCKET_KEY = b"homeport/bucket-key/1"
"""Associated data of a bucket key wrapped by its owner's key: pseudonym, bucket, owner key version."""

OWNER_KEY = b"homeport/owner-key/1"
"""Associated data of a subject, conversation or account key wrapped by the epoch key: name, version, epoch."""

INDEX_KEY = b"homeport/index-key/1"
"""Associated data of a blind-index key wrapped by the epoch key: purpose, version, epoch."""

EPOCH_KEY = b"homeport/epoch-key/1"
"""Associated data of an epoch key wrapped by the region key: region, epoch."""

BLIND = {
    "identity": b"hp1-identity",
    "group": b"hp1-group",
    "mark": b"hp1-mark",
    "tombstone": b"hp1-tombstone",
    "profile": b"hp1-profile",
    "suppression": b"hp1-suppression",
}
"""BLAKE2b personalisation (at most 16 bytes) of each blind-index purpose."""

ROSTER = b"homeport/roster/1"
"""What officers sign: this label, a zero byte, the canonical bytes of a roster."""

ROOT = b"homeport/roster-root/1"
"""What a root fingerprint is the digest of: this label, a zero byte, the canonical bytes of officers and threshold."""

SIGNING_FINGERPRINT = b"homeport/signing-fingerprint/1"
"""What the fingerprint of a pair of public keys is the digest of: this label, a zero byte, both keys."""

KEY_FILE = b"homeport/key-file/1"
"""Associated data of private keys that lie sealed under a passphrase: cost, salt, the owner's name."""

HPKE_WEBHOOK = b"homeport/hpke-webhook/1"
"""HPKE info of a webhook sent home: sending node, home node, channel, account."""

HPKE_SHOWN = b"homeport/hpke-shown/1"
"""HPKE info of shown content: showing node, asking node, view, disclosure."""

SEALING_FINGERPRINT = b"homeport/sealing-fingerprint/1"
"""What the fingerprint of a public HPKE key is the digest of: this label, a zero byte, the key."""

HPKE_EPOCH = b"homeport/hpke-epoch/1"
"""HPKE info of an epoch key sealed to the escrow: region, epoch."""

ESCROW_SEED = b"homeport/escrow-seed/1"
"""HKDF info of the key that an escrow's secret makes."""

POLICY_OVERRIDE = b"homeport/policy-override/1"
"""What an officer signs who vouches for a value of a policy: this label, a zero byte, the canonical statement."""
