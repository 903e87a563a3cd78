"""A policy under which a test's company may do everything, in the words of the shipped vocabulary, signed.

Tests of what a policy forbids give rules of their own; what is not about policy runs under this one.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import msgspec

from shared import canonical
from shared.clock import SystemClock
from shared.crypto.signing import SigningKeys
from shared.policy.bundling import Bundle, SignedBundle, digest, sign, write
from shared.policy.deciding import Form
from shared.policy.loading import load
from shared.policy.model import JurisdictionFile, Obligations, Policy, Region, Rule
from tests.support.policies import article, jurisdiction, rule
from tests.support.rosters import FIRST, PEOPLE, signed

REGIONS = {
    "eu-test": "EU",
    "eu": "EU",
    "eu-frankfurt": "EU",
    "id-test": "ID",
    "id": "ID",
    "id-jakarta": "ID",
    "ap": "JP",
    "ap-test": "JP",
    "jp-tokyo": "JP",
    "ap-singapore": "SG",
    "th-bangkok": "TH",
    "my-region": "EU",
    "eu-region": "EU",
    "ap-region": "JP",
    "bench": "EU",
}
COUNTRIES = {"EU": ("DE", "FR", "NL", "AT", "IT", "ES"), "GB": ("GB",), "US-CA": ("US-CA",)}
CODES = ("AU", "BR", "EU", "GB", "ID", "IN", "JP", "KR", "MX", "SG", "TH", "TW", "US-CA", "VN", "ZZ")
"""Sorted.  ZZ is nobody's: the stand-ins' people have their ids from there."""
SIGNERS = ("ada", "ben")


def law(code: str) -> JurisdictionFile:
    """Make a jurisdiction that forbids nothing."""
    made = jurisdiction(code[:2])
    return JurisdictionFile(
        code=code, name=code, countries=COUNTRIES.get(code, (code,)), law=made.law, article=made.article
    )


class Commanded(Protocol):
    """A node that is told by command."""

    folder: Path

    def command(self, *words: str, typed: bytes = b"") -> str:
        """Run ``homeport edge ...``."""
        ...


@cache
def vocabulary() -> Policy:
    """Give the shipped policy, for its words."""
    return load(Path(__file__).parents[2] / "policies").sound().policy


def views(asker: str, **forms: Form) -> tuple[Rule, ...]:
    """Give rules by which desks in a region are shown what rests elsewhere: the form by purpose.

    ``views("eu-region", complaint="full", audit="metadata")``, for :func:`open_policy`.
    """
    return tuple(
        rule(
            f"{asker}-{purpose.replace('_', '-')}",
            operations=("view",),
            purposes=(purpose,),
            askers=(asker,),
            askers_except=("here",),
            obligations=Obligations(form=form),
        )
        for purpose, form in forms.items()
    )


def open_policy(
    rules: Sequence[Rule] = (), regions: Mapping[str, str] | None = None, *, abroad: Sequence[Rule] | None = None
) -> Policy:
    """Make a policy that allows everything but what ``rules`` deny.

    With ``abroad`` desks elsewhere see what these rules of :func:`views` say and nothing else; without, everything.
    """
    words, places = vocabulary(), regions or REGIONS
    plain = rule("all-at-home", operations=("link", "log", "process", "retain", "store"))
    asked = rule("all-asked", operations=("transfer", "view"))
    if abroad is not None:
        asked = rule("all-asked", operations=("transfer",))
        rules = (*rules, rule("all-seen-at-home", operations=("view",), askers=("here",)), *abroad)
    return Policy(
        regions=tuple(Region(name=name, jurisdiction=code, says=name) for name, code in sorted(places.items())),
        classes=words.classes,
        purposes=words.purposes,
        roles=words.roles,
        groups=tuple(group for group in words.groups if group.of in {"classes", "purposes", "roles"}),
        jurisdictions=tuple(law(code) for code in CODES),
        rules=tuple(sorted((plain, asked, *rules), key=lambda each: each.id)),
    )


def bundle_of(
    policy: Policy, previous: Bundle | None = None, *, issued_at: int = 1_000, grace: str = "7 days"
) -> Bundle:
    """Make a bundle."""
    return Bundle(
        name="test",
        version=1 if previous is None else previous.version + 1,
        label="demonstration",
        says="For tests.",
        grace=grace,
        previous=None if previous is None else digest(previous),
        issued_at=issued_at,
        policy=policy,
    )


def signed_bundle(bundle: Bundle, *people: str, keys: Mapping[str, SigningKeys] = PEOPLE) -> SignedBundle:
    """Sign a bundle as officers of the tests' roster, or of another one whose ``keys`` these are."""
    wanted = people or (SIGNERS if keys is PEOPLE else tuple(keys))
    signatures = tuple(sign(bundle, each, keys[each]) for each in wanted)
    return SignedBundle(hash=digest(bundle), bundle=bundle, signatures=signatures)


def bundle_bytes(bundle: Bundle, *people: str, keys: Mapping[str, SigningKeys] = PEOPLE) -> bytes:
    """Give the bytes of a signed bundle's file."""
    made = signed_bundle(bundle, *people, keys=keys)
    return write(made.bundle, made.signatures)


ROSTER = signed(FIRST, "ada", "ben")
"""Whose officers signed."""


def install(node: Commanded, made: Bundle | None = None) -> None:
    """Let a node that was never enrolled take a bundle over by command: the open one, or ``made``, issued now.

    Once enrolled it goes by it for its grace from then, also where nobody states that it is the newest.
    """
    folder = Path(f"{node.folder}-policy")
    folder.mkdir(exist_ok=True)
    bundle, roster = folder / "bundle.json", folder / "roster.json"
    bundle.write_bytes(
        bundle_bytes(msgspec.structs.replace(made or bundle_of(open_policy()), issued_at=SystemClock().now()))
    )
    roster.write_bytes(canonical.encode(ROSTER))
    node.command("policy", "install", str(bundle), "--roster", str(roster), "--yes")


__all__ = ["ROSTER", "article", "bundle_bytes", "bundle_of", "install", "open_policy", "rule", "signed_bundle", "views"]
