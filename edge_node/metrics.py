"""Numbers a node tells its operator: counts, sizes and durations by channel, kind and outcome; never by subject."""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from shared.message import Event

if TYPE_CHECKING:
    from edge_node.usecases.receiving.taking_in import Outcome

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


class KeepingMetrics:
    """What the retention sweeper does, and the holds that stand."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Set every metric up."""
        self.expired = Counter(
            "homeport_edge_expired",
            "Rows whose removal was ordered, or that were deleted.",
            ("class",),
            registry=registry,
        )
        self.overdue = Gauge(
            "homeport_edge_overdue_rows",
            "Rows past their time, not under a hold; capped.",
            ("class",),
            registry=registry,
        )
        self.swept = Gauge(
            "homeport_edge_retention_swept_timestamp_seconds", "When the sweeper last went on.", registry=registry
        )
        self.holds = Gauge("homeport_edge_holds", "Holds that stand.", registry=registry)
        self.holds_due = Gauge("homeport_edge_holds_due", "Holds whose date of review is past.", registry=registry)


class CustodyMetrics:
    """How the region's keys stand, and a restored store's quarantine."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Set every metric up."""
        self.epoch_created = Gauge(
            "homeport_edge_epoch_created_timestamp_seconds", "When the current epoch key was drawn.", registry=registry
        )
        self.epoch_left = Gauge(
            "homeport_edge_epoch_keys_left",
            "Keys still wrapped under an epoch that is to be destroyed.",
            registry=registry,
        )
        self.rewrapped = Counter("homeport_edge_rewrapped_keys", "Keys wrapped under a new epoch.", registry=registry)
        self.quarantine = Gauge(
            "homeport_edge_quarantine",
            "A restored store's quarantine; 2: nothing is opened yet, 1: what waited is judged, 0: none.",
            registry=registry,
        )
        self.quarantined = Gauge(
            "homeport_edge_quarantined_events", "Events that came in meanwhile and wait.", registry=registry
        )


class PolicyMetrics:
    """What was decided, and by which bundle."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Set every metric up."""
        self.version = Gauge("homeport_edge_policy_version", "Policy bundle in force; 0: none.", registry=registry)
        self.fresh_until = Gauge(
            "homeport_edge_policy_fresh_until_timestamp_seconds",
            "From when on the node denies to view, transfer and link, as nobody told it that its policy stands.",
            registry=registry,
        )
        self.decisions = Counter(
            "homeport_edge_policy_decisions",
            "Decisions on record.",
            ("operation", "outcome", "reason"),
            registry=registry,
        )
        self.withheld = Gauge(
            "homeport_edge_policy_withheld",
            "What the policy does not let go to the control plane.",
            ("what", "reason"),
            registry=registry,
        )
        self._withheld: dict[str, set[str]] = {}
        self.uncounted = Counter(
            "homeport_edge_policy_uncounted", "Decisions that could not be put on record.", registry=registry
        )
        self.restricted = Gauge(
            "homeport_edge_policy_restricted_subjects",
            "People of whom something stored may not rest here any more.",
            registry=registry,
        )

    def withhold(self, what: str, counts: Mapping[str, int]) -> None:
        """Say how much of something is kept back now, by reason; reasons that are over go."""
        for reason in self._withheld.get(what, set()) - counts.keys():
            self.withheld.remove(what, reason)
        for reason, count in counts.items():
            self.withheld.labels(what, reason).set(count)
        self._withheld[what] = set(counts)


class MediaMetrics:
    """What is counted of files that come with messages."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Set every metric up."""
        self.fetched = Counter(
            "homeport_edge_media_fetched", "Files fetched and kept whole.", ("channel",), registry=registry
        )
        self.failed = Counter(
            "homeport_edge_media_failed_attempts", "Attempts that brought no file.", ("code",), registry=registry
        )
        self.ended = Counter(
            "homeport_edge_media_not_kept", "Files that are not asked for any more.", ("state",), registry=registry
        )
        self.bytes = Counter("homeport_edge_media_bytes", "Bytes of files received.", registry=registry)
        self.unlike = Counter(
            "homeport_edge_media_unlike_declared", "Files of another type than declared.", registry=registry
        )
        self.waiting = Gauge("homeport_edge_media_waiting", "Files that are to be fetched.", registry=registry)
        self.orphans = Counter(
            "homeport_edge_media_orphan_files", "Files removed that no row names.", registry=registry
        )
        self.missing = Counter("homeport_edge_media_missing_files", "Rows found without their file.", registry=registry)


class _Tally(Collector):
    """A counter of the hot path, raised by one thread: a plain number by labels, at a tenth of a ``Counter``'s cost."""

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...], registry: CollectorRegistry) -> None:
        """Begin with nothing counted."""
        self._name, self._help, self._labels = name, help_text, labels
        self.counts: Counts[tuple[str, object]] = Counts()
        registry.register(self)

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Give what was counted; an event's type is shown by its tag."""
        family = CounterMetricFamily(self._name, self._help, labels=self._labels)
        for (channel, what), count in list(self.counts.items()):
            shown = what.__struct_config__.tag if isinstance(what, type) else what  # type: ignore[attr-defined]
            family.add_metric((channel, str(shown)), count)
        return (family,)


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        """Set every metric up, so that all are there from the first scrape."""
        registry = self.registry = CollectorRegistry()
        self._events = _Tally(
            "homeport_edge_events", "Events read from verified webhooks.", ("channel", "kind"), registry
        )
        self._answers = _Tally(
            "homeport_edge_webhook_answers", "Webhooks answered, by status.", ("channel", "status"), registry
        )
        self.outcomes = Counter("homeport_edge_outcomes", "What became of events.", ("outcome",), registry=registry)
        self.refused = Counter(
            "homeport_edge_refused_events", "Events that may not rest here.", ("reason",), registry=registry
        )
        self.peers = PeerMetrics(registry)
        self.media = MediaMetrics(registry)
        self.failed_batches = Counter(
            "homeport_edge_failed_batches", "Batches that a store did not take.", ("code",), registry=registry
        )
        self.removed = Counter("homeport_edge_removals", "Log entries carried out.", ("act",), registry=registry)
        self.orphans = Counter("homeport_edge_orphan_keys", "Unused keys swept.", registry=registry)
        self._add_uplink(registry)
        self.custody = CustodyMetrics(registry)
        self.policy = PolicyMetrics(registry)
        self.waiting = Gauge("homeport_edge_waiting_events", "Events waiting for commit.", registry=registry)
        self.open_removals = Gauge("homeport_edge_open_removals", "Log entries not done yet.", registry=registry)
        self.oldest_removal = Gauge(
            "homeport_edge_oldest_open_removal_seconds", "Age of the oldest log entry not done.", registry=registry
        )
        self.held_removals = Gauge(
            "homeport_edge_held_removals", "Log entries that wait under a hold.", registry=registry
        )
        self.keeping = KeepingMetrics(registry)
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
        self._answers.counts[channel, status] += 1

    def read(self, channel: str, events: Sequence[Event]) -> None:
        """Count the events read from one webhook, by kind."""
        counts = self._events.counts
        for event in events:
            counts[channel, type(event)] += 1

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
