"""Numbers a node tells its operator: counts, sizes and durations by channel, kind and outcome; never by subject."""

from collections import Counter as Counts
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shared.message import Event

if TYPE_CHECKING:
    from edge_node.usecases.taking_in import Outcome

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)


class PeerMetrics:
    """What goes to other nodes and comes from them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Set every metric up."""
        self.relayed = Counter(
            "homeport_edge_relayed_events", "Events sent to their home node.", ("outcome",), registry=registry
        )
        self.homecoming = Counter(
            "homeport_edge_homecoming_events", "Events that other nodes sent home.", ("outcome",), registry=registry
        )
        self.relay_refused = Counter(
            "homeport_edge_refused_relay_requests",
            "Requests nobody of the roster signed.",
            ("reason",),
            registry=registry,
        )
        self.showings = Counter(
            "homeport_edge_showings", "Other nodes' requests to be shown something.", ("outcome",), registry=registry
        )
        self.disclosures = Counter(
            "homeport_edge_disclosures", "Messages shown to other nodes.", ("form",), registry=registry
        )


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        """Set every metric up, so that all are there from the first scrape."""
        registry = self.registry = CollectorRegistry()
        # Finding a labelled counter costs more than raising it, so those of the hot path are kept.
        self._answers_of: dict[tuple[str, int], Counter] = {}
        self._events_of: dict[tuple[str, type[Event]], Counter] = {}
        self.events = Counter(
            "homeport_edge_events", "Events read from verified webhooks.", ("channel", "kind"), registry=registry
        )
        self.answers = Counter(
            "homeport_edge_webhook_answers", "Webhooks answered, by status.", ("channel", "status"), registry=registry
        )
        self.outcomes = Counter("homeport_edge_outcomes", "What became of events.", ("outcome",), registry=registry)
        self.refused = Counter(
            "homeport_edge_refused_events", "Events that may not rest here.", ("reason",), registry=registry
        )
        self.peers = PeerMetrics(registry)
        self.failed_batches = Counter(
            "homeport_edge_failed_batches", "Batches that a store did not take.", ("code",), registry=registry
        )
        self.removed = Counter("homeport_edge_removals", "Log entries carried out.", ("act",), registry=registry)
        self.orphans = Counter("homeport_edge_orphan_keys", "Unused keys swept.", registry=registry)
        self._add_uplink(registry)
        self.waiting = Gauge("homeport_edge_waiting_events", "Events waiting for commit.", registry=registry)
        self.open_removals = Gauge("homeport_edge_open_removals", "Log entries not done yet.", registry=registry)
        self.oldest_removal = Gauge(
            "homeport_edge_oldest_open_removal_seconds", "Age of the oldest log entry not done.", registry=registry
        )
        self.batch_events = Histogram(
            "homeport_edge_batch_events", "Events in one commit.", buckets=_SIZES, registry=registry
        )
        self.batch_seconds = Histogram(
            "homeport_edge_batch_seconds", "Duration of one commit.", buckets=_SECONDS, registry=registry
        )

    def _add_uplink(self, registry: CollectorRegistry) -> None:
        """Set up what is counted of the control plane."""
        self.exchanges = Counter(
            "homeport_edge_uplink_exchanges",
            "Exchanges with the control plane.",
            ("what", "outcome"),
            registry=registry,
        )
        self.uplink_waiting = Gauge(
            "homeport_edge_uplink_waiting", "What waits for the control plane.", ("what",), registry=registry
        )
        self.last_answer = Gauge(
            "homeport_edge_uplink_last_answer_timestamp_seconds", "When an answer was last believed.", registry=registry
        )
        self.roster_version = Gauge("homeport_edge_roster_version", "Roster in force; 0: none.", registry=registry)
        self.held_commands = Gauge(
            "homeport_edge_held_commands", "Commands to erase that wait for the hourly cap.", registry=registry
        )

    def answered(self, channel: str, status: int) -> None:
        """Count one answer to a webhook."""
        counter = self._answers_of.get((channel, status))
        if counter is None:
            counter = self._answers_of[channel, status] = self.answers.labels(channel, str(status))
        counter.inc()

    def read(self, channel: str, events: Sequence[Event]) -> None:
        """Count the events read from one webhook, by kind."""
        for kind, count in _kinds(events):
            counter = self._events_of.get((channel, kind))
            if counter is None:
                counter = self._events_of[channel, kind] = self.events.labels(channel, str(kind.__struct_config__.tag))
            counter.inc(count)

    def committed(self, outcome: "Outcome", events: int, seconds: float) -> None:
        """Count one committed batch."""
        self.batch_events.observe(events)
        self.batch_seconds.observe(seconds)
        for name in ("stored", "duplicates", "tombstoned", "suppressed", "recalls"):
            count = getattr(outcome, name)
            if count:
                self.outcomes.labels(name).inc(count)

    def exposition(self) -> bytes:
        """Give everything in Prometheus' text format."""
        return generate_latest(self.registry)


def _kinds(events: Sequence[Event]) -> Iterable[tuple[type[Event], int]]:
    """Count events by type; a webhook of one is by far the most frequent."""
    if len(events) == 1:
        return ((type(events[0]), 1),)
    return Counts(map(type, events)).items()
