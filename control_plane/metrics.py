"""Numbers the control plane tells its operator: counts and states by node, kind and outcome; never by pseudonym."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        """Set every metric up, so that all are there from the first scrape."""
        registry = self.registry = CollectorRegistry()
        self.node_answers = Counter(
            "homeport_control_node_answers", "Requests of nodes, by status.", ("path", "status"), registry=registry
        )
        self.refused = Counter(
            "homeport_control_refused_requests", "Requests not taken for a node's.", ("reason",), registry=registry
        )
        self.faults = Counter(
            "homeport_control_node_errors", "Requests of nodes refused by name.", ("code",), registry=registry
        )
        self.receipts = Counter("homeport_control_receipts", "Receipts accepted.", ("outcome",), registry=registry)
        self.claims = Counter(
            "homeport_control_claimed_pseudonyms", "Pseudonyms that another node holds.", registry=registry
        )
        self.answers = Counter(
            "homeport_control_answers", "Requests of programs, by status.", ("status",), registry=registry
        )
        self.deliveries = Counter("homeport_control_deliveries", "Hook deliveries.", ("outcome",), registry=registry)
        self.streams = Gauge("homeport_control_event_streams", "Open event streams.", registry=registry)
        self.polls = Gauge("homeport_control_command_polls", "Nodes that wait for commands.", registry=registry)
        self.open_cases = Gauge("homeport_control_open_cases", "Cases with something owed.", registry=registry)
        self.partial_cases = Gauge(
            "homeport_control_partial_cases", "Cases ended with something never carried out.", registry=registry
        )
        self.owed = Gauge("homeport_control_owed_commands", "Commands owed, by node.", ("node",), registry=registry)
        self.silent = Gauge("homeport_control_silent_nodes", "Nodes that missed three beats.", registry=registry)
        self.policy_version = Gauge(
            "homeport_control_policy_version", "Policy bundle in force; 0: none.", registry=registry
        )
        self.policy_problems = Gauge(
            "homeport_control_policy_problem_nodes",
            "Nodes that decide by another policy bundle than the newest, or by none.",
            ("problem",),
            registry=registry,
        )
        self.deliveries_waiting = Gauge(
            "homeport_control_waiting_deliveries", "Hook deliveries to be made.", registry=registry
        )

    def exposition(self) -> bytes:
        """Give everything in Prometheus' text format."""
        return generate_latest(self.registry)
