"""Small policies for tests: a world of three jurisdictions, and rules drawn over it."""

import msgspec
from hypothesis import strategies as st

from shared.policy.matrix import Space, question_at
from shared.policy.model import (
    Article,
    Condition,
    DataClass,
    Group,
    Instrument,
    JurisdictionFile,
    Law,
    Localisation,
    Mechanism,
    Need,
    Obligations,
    PlatformFile,
    Policy,
    Purpose,
    Region,
    Role,
    Rule,
)
from shared.policy.terms import ASKING

CODES = ("EU", "JP", "TH")
CLASSES = ("media", "message_text", "pseudonym")
PURPOSES = ("audit", "intake")
ROLES = ("agent", "officer")
REGIONS = {"eu-one": "EU", "eu-two": "EU", "th-one": "TH"}
SOURCE = {"source": "a test", "certainty": "primary"}
DAYS = ("2026-01-01", "2026-06-01", "2027-01-01")


def article(code: str) -> str:
    """Give the handle of a jurisdiction's article."""
    return f"law-{code.lower()}-1"


def mechanism(name: str = "adequacy", kind: str = "adequacy", to=("TH",), code: str = "EU", **more) -> Mechanism:
    """Make a mechanism."""
    return Mechanism(id=name, kind=kind, to=to, article=article(code), **SOURCE, **more)


def localisation(name: str = "stays", demands: str = "only_inside", code: str = "TH", **more) -> Localisation:
    """Make a duty to keep data in the country."""
    given = {"classes": ("words",), "article": article(code), "says": "It stays.", **SOURCE, **more}
    return Localisation(id=name, demands=demands, **given)


def platform(channel, *demands, operations=("link", "store")):
    """Make a platform's file; each demand is a condition of everything that may be done."""
    article = f"{channel[:8]}-1"
    return PlatformFile(
        channel=channel,
        name=channel,
        law=(Law(id=f"{channel}-terms", name="Terms", **SOURCE),),
        article=(Article(id=article, law=f"{channel}-terms", cite="1", says="-", **SOURCE),),
        condition=tuple(
            Condition(
                id=f"{channel}-{demand.replace('_', '-')}",
                operations=operations,
                classes="any",
                purposes="any",
                demands=demand,
                article=article,
                says=f"Wants {demand}.",
                **SOURCE,
            )
            for demand in demands
        ),
    )


def jurisdiction(code: str, mechanisms=(), **more) -> JurisdictionFile:
    """Make a jurisdiction with one law and one article."""
    return JurisdictionFile(
        code=code,
        name=code,
        countries=(code,) if code != "EU" else ("DE", "FR"),
        law=(Law(id="law", name="The law", **SOURCE),),
        article=(Article(id=article(code), law="law", cite=f"Art. 1 {code}", says="It says so.", **SOURCE),),
        mechanism=tuple(mechanisms),
        **more,
    )


def world(rules=(), *, jurisdictions=None, instruments=(), regions=REGIONS, classes=CLASSES, **more) -> Policy:
    """Make a policy over the small world."""
    return Policy(
        regions=tuple(Region(name=name, jurisdiction=code, says=name) for name, code in sorted(regions.items())),
        classes=tuple(DataClass(id=name, nature="content", says=name) for name in sorted(classes)),
        purposes=tuple(Purpose(id=name, says=name) for name in PURPOSES),
        roles=tuple(Role(id=name, says=name) for name in ROLES),
        groups=(Group(id="words", of="classes", members=("media", "message_text"), says="words"),),
        jurisdictions=tuple(jurisdictions or (jurisdiction(code) for code in CODES)),
        instruments=tuple(instruments),
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        **more,
    )


def rule(name: str = "a-rule", effect: str = "allow", **more) -> Rule:
    """Make a rule that matches everything there is, where ``more`` says nothing else."""
    given = {
        "says": "So be it.",
        "operations": ("store",),
        "classes": "any",
        "purposes": "any",
        "subjects": "any",
        "nodes": "any",
        "cites": (article("EU"),),
        "reason": "because",
        **more,
    }
    if set(given["operations"]) & ASKING:
        given = {"askers": "any", "roles": "any", **given}
    return Rule(id=name, effect=effect, **given)


def answers(evaluator, space: Space) -> dict:
    """Ask every cell of a space by itself, one after the other."""
    cells = (
        (*row, *place, str(interval))
        for asking in (False, True)
        for row in space.rows(asking=asking)
        for place in space.places(asking=asking)
        for interval in range(space.intervals)
    )
    return {cell: evaluator.decide(question_at(space, cell)) for cell in cells}


def _some(names):
    """Draw a choice."""
    return st.one_of(st.just("any"), st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple))


_places = ("EU", "TH", "eu-one", "th-one", "home")
_validity = st.one_of(
    st.just({}),
    st.sampled_from(DAYS).map(lambda day: {"valid_from": day}),
    st.sampled_from(DAYS).map(lambda day: {"valid_until": day}),
)
_obligations = st.builds(
    Obligations,
    form=st.sampled_from([None, "full", "masked", "metadata"]),
    mask=st.sampled_from([(), ("names",), ("names", "numbers")]),
    log_for=st.sampled_from([None, "30 days", "1 year"]),
    notify=st.sampled_from([(), ("officer",)]),
    second_approver=st.sampled_from([(), ("officer",)]),
    retain_at_most=st.sampled_from([None, "30 days", "1 month"]),
)


@st.composite
def localised(draw):
    """Draw what a law keeps in its country, without its name."""
    return {
        "demands": draw(st.sampled_from(["only_inside", "copy_inside"])),
        "classes": draw(_some((*CLASSES, "words"))),
        **draw(_validity),
    }


_stays = st.lists(localised(), max_size=2)


@st.composite
def rules(draw, effects=("allow", "deny")):
    """Draw a rule without its name."""
    asking = draw(st.booleans())
    effect = draw(st.sampled_from(effects))
    chosen = {
        "effect": effect,
        "operations": draw(
            st.sampled_from([("view",), ("transfer", "view")] if asking else [("store",), ("link", "log")])
        ),
        "classes": draw(_some((*CLASSES, "words"))),
        "purposes": draw(_some(PURPOSES)),
        "subjects": draw(_some(CODES)),
        "nodes": draw(_some(_places)),
        "reason": draw(st.sampled_from(["because", "so_it_is"])),
        "cites": (article(draw(st.sampled_from(CODES))),),
        **draw(_validity),
    }
    if asking:
        chosen |= {"askers": draw(_some((*_places, "here"))), "roles": draw(_some(ROLES))}
    if effect == "deny":
        chosen["localised"] = draw(st.sampled_from([None, "only_inside", "copy_inside"]))
    if effect == "allow":
        chosen["obligations"] = draw(st.one_of(st.none(), _obligations))
        to = "asker" if asking else "node"
        need = st.builds(
            Need,
            kinds=st.sampled_from([("adequacy",), ("adequacy", "standard_clauses")]),
            from_=st.just("subject"),
            to=st.just(to),
        )
        chosen["needs"] = draw(st.one_of(st.just(()), need.map(lambda each: (each,))))
    return chosen


def named(drawn) -> list[Rule]:
    """Give drawn rules names, in the order they were drawn."""
    return [rule(f"rule-{number}", **each) for number, each in enumerate(drawn)]


@st.composite
def jurisdictions(draw):
    """Draw which ways the three laws leave open, and until when."""
    found = []
    for code in CODES:
        ways = []
        for kind in ("adequacy", "standard_clauses"):
            to = draw(st.sampled_from([None, "any", "EU", "TH"]))
            if to is not None and to != code:
                ways.append(
                    mechanism(kind.replace("_", "-"), kind, to if to == "any" else (to,), code, **draw(_validity))
                )
        stays = [localisation(f"stays-{number}", **each) for number, each in enumerate(draw(_stays))]
        stays = [msgspec.structs.replace(each, article=article(code)) for each in stays]
        found.append(jurisdiction(code, ways, localisation=tuple(stays)))
    return tuple(found)


_REGIONS, _CLASSES = st.just(REGIONS), st.just(CLASSES)


@st.composite
def policies(draw, regions=_REGIONS, classes=_CLASSES):
    """Draw a policy."""
    clauses = Instrument(
        id="clauses",
        kind="standard_clauses",
        from_=("EU", "JP", "TH"),
        to=("EU", "TH"),
        reference="a test",
        **draw(_validity),
    )
    return world(
        named(draw(st.lists(rules(), min_size=1, max_size=5))),
        jurisdictions=draw(jurisdictions()),
        instruments=(clauses,) if draw(st.booleans()) else (),
        regions=draw(regions),
        classes=draw(classes),
    )
