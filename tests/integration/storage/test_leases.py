"""A lease is one holder's until it is over, and is written again only when half of it is."""

from edge_node.storage.content.leases import Lease

MS = 1_000


async def until(node):
    """Give when the lease ends, as the store has it."""
    return (await node.rows("SELECT until FROM lease WHERE name = 'a-lease'"))[0][0]


async def test_a_lease_is_renewed_when_half_of_it_is_over(open_bench):
    async with open_bench() as node:
        one, two = (Lease(node.content, "a-lease", holder, MS) for holder in ("one", "two"))
        assert await one.hold(10_000)
        assert await one.hold(10_400)
        assert await until(node) == 11_000
        assert await one.hold(10_600)
        assert await until(node) == 11_600
        assert not await two.hold(11_500)
        assert await one.hold(11_550)
        assert not await two.hold(12_550)


async def test_a_lease_that_is_over_is_anybodys(open_bench):
    async with open_bench() as node:
        one, two = (Lease(node.content, "a-lease", holder, MS) for holder in ("one", "two"))
        assert await one.hold(10_000)
        assert await two.hold(11_001)
        assert not await one.hold(11_002)
        await two.give_back()
        assert await one.hold(11_003)
        await one.give_back()
        assert await two.hold(11_004)


async def test_a_clock_that_was_set_back_does_not_make_a_lease_last(open_bench):
    async with open_bench() as node:
        one = Lease(node.content, "a-lease", "one", MS)
        assert await one.hold(50_000)
        assert await one.hold(10_000)
        assert await until(node) == 11_000
