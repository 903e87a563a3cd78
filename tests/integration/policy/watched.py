"""What tests of views need: a person with two messages, what a view says, what was put on record."""

from shared.policy.model import Obligations
from tests.support.house_policy import rule
from tests.support.stores import message, person

ANN = person(1, phone=81)
ASKED = ("view", "transfer")


def owes(name, operations=ASKED, **obligations):
    """Give a rule that allows like the others and obliges."""
    return rule(name, operations=operations, obligations=Obligations(**obligations))


async def filled(node, *events):
    """Take in two messages of a person and what else is given; give the person's pseudonym."""
    await node.take(message(1, ANN, "call +62 811 000 111", at=1), message(2, ANN, "thank you", at=2), *events)
    return (await node.rows("SELECT pseudonym FROM subject ORDER BY id"))[0][0]


async def decided(node, operation):
    """Give what was put on record of an operation: class, purpose, law, asker, role, outcome, rule, reason, times."""
    await node.policy.write()
    return await node.rows(
        "SELECT data_class, purpose, subject, asker, role, outcome, rule, reason, times FROM decision "
        "WHERE operation = :operation ORDER BY data_class, second",
        operation=operation,
    )


def texts(said):
    """Give the words shown."""
    return [each.message.content.text if each.message.content else None for each in said if each.kind == "shown"]


async def said_now(loop, name):
    """Give what each event of a view says at this moment; ``None`` for what is passed over."""
    view = await loop.views.find(name)
    return [await loop.live._say(view, told) for told in await loop.views.events(name, 0)]
