"""What is restricted, by the policy or by an officer, is kept and used for nothing: not shown, its files not read."""

import pytest

from edge_node.core.classes import RESTING, mask_of
from edge_node.core.viewing import Unseen
from edge_node.storage.content.disclosures import find_timeline
from edge_node.usecases.views.gate import ViewGates
from shared.database.contract import Step
from shared.errors.media import MediaGone
from tests.support.governed import govern, laws_of, of_law
from tests.support.keeping import LATER
from tests.support.media import Files, media_desk, picture
from tests.support.stores import message, person

ANN, BEN = person(1), person(2)
BYTES = b"\xff\xd8\xff a picture"
ALL = ("recall", "erase", "expire")


async def seen(node, name) -> str:
    """Say how a desk here sees a person's words: in a form, or why not."""
    timeline = await find_timeline(node.content, name)
    gate = await ViewGates(node.content, node.policy, node.stores.clock).here(timeline, "customer_service", "agent")
    answer = gate.of("message_text")
    return answer.code if isinstance(answer, Unseen) else answer.form


async def test_under_a_restriction_nothing_is_shown_or_read_until_it_is_lifted(open_bench):
    async with open_bench() as node:
        desk = await media_desk(node, Files(a=BYTES))
        await node.take(picture(1, ANN, "a"), message(2, BEN, "two"))
        name, other = await of_law(node, 1, "EU"), await of_law(node, 2, "EU")
        await govern(node, laws_of("EU"))
        hold = await node.holder.place(name, reason="restriction", review_at=LATER, beats=ALL)
        # What is sent to the person's conversation is still kept, a file among it.
        await desk.fetcher.once()
        await node.take(message(3, ANN, "three"))
        assert await node.rows("SELECT count(*) FROM message WHERE keep = 'active'") == [(3,)]
        ((mark,),) = await node.rows("SELECT mark FROM message WHERE kind = 'image'")
        assert (await seen(node, name), await seen(node, other)) == ("restricted", "full")
        with pytest.raises(MediaGone):
            await desk.bytes_of(mark)
        await node.holder.release(hold)
        assert await seen(node, name) == "full"
        assert await desk.bytes_of(mark) == BYTES


async def test_a_file_that_may_not_rest_here_any_more_is_not_read(open_bench):
    async with open_bench() as node:
        desk = await media_desk(node, Files(a=BYTES))
        await node.take(picture(1, ANN, "a"))
        await desk.fetcher.once()
        ((mark,),) = await node.rows("SELECT mark FROM message")
        for classes, reads in ((["message_text"], True), (["media"], False), (RESTING, False), ([], True)):
            await node.content.run([Step("UPDATE subject SET restricted = :bits", [(mask_of(classes),)])])
            if reads:
                assert await desk.bytes_of(mark) == BYTES
            else:
                with pytest.raises(MediaGone):
                    await desk.bytes_of(mark)
