"""How nodes stand, from what is kept of their last beats: asked by the program API, by commands and by upkeep."""

from control_plane.core.health import Newest, NodeState, Standing, standing_problems, state_of
from control_plane.storage.nodes import Seen
from control_plane.storage.policies import Published
from shared.roster.model import Node
from shared.wire.types import ProblemCode


def newest_of(published: Published | None) -> Newest | None:
    """Give what nodes are measured by."""
    return Newest(published.version, published.hash) if published is not None else None


def problems_seen(seen: Seen | None, roster_version: int, newest: Newest | None) -> tuple[ProblemCode, ...]:
    """Give a node's problems; none of one that was never heard, retired or not."""
    if seen is None or seen.beat_at is None:
        return ()
    node = Standing(
        protocol=seen.protocol or 0,
        receipts_unsent=seen.receipts_unsent or 0,
        roster_version=seen.roster_version or 0,
        policy_version=seen.policy_version,
        policy_hash=seen.policy_hash,
    )
    return standing_problems(node, roster_version, newest)


def state_seen(node: Node, seen: Seen | None) -> NodeState:
    """Say how a node of the roster stands."""
    return state_of(
        node.state,
        barred=seen is not None and seen.barred_at is not None,
        heard=seen is not None and seen.beat_at is not None,
        silent=seen is not None and bool(seen.silent),
    )
