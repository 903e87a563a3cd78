"""What goes wrong on the uplink, counted each time and said once: when it begins, and when it is over."""

from edge_node.metrics import Metrics
from shared.errors import HomeportError
from shared.errors.policy import PolicyDenies
from shared.errors.uplink import ControlUnreachable
from shared.telemetry import logger


class Troubles:
    """Of one process's uplink, by loop."""

    def __init__(self, metrics: Metrics) -> None:
        """Count in these metrics."""
        self._metrics = metrics
        self._failing: dict[str, str] = {}

    def failed(self, what: str, error: Exception) -> None:
        """Count a failure; log the first of a kind in a row: an alert unless the control plane is merely away."""
        code = error.code if isinstance(error, HomeportError) else "unforeseen"
        self._metrics.exchanges.labels(what, code).inc()
        if self._failing.get(what) == code:
            return
        self._failing[what] = code
        if isinstance(error, ControlUnreachable):
            logger().warning("uplink_waits", kind=what, code=code)
        else:
            answered = error.details.get("answer_code", "") if isinstance(error, HomeportError) else ""
            reason = error.details.get("reason", answered) if isinstance(error, HomeportError) else ""
            logger().error("alert_uplink", kind=what, code=code, error=type(error).__name__, reason=str(reason))

    def over(self, what: str) -> None:
        """Count a success; log it where something had failed."""
        self._metrics.exchanges.labels(what, "ok").inc()
        if self._failing.pop(what, None) is not None:
            logger().info("uplink_goes_on", kind=what)

    def withheld(self, what: str, error: PolicyDenies) -> None:
        """Say that the policy keeps something here; an alert when it begins."""
        reason = str(error.details["reason"])
        self._metrics.policy.withhold(what, {reason: 1})
        if self._failing.get(f"policy/{what}") != reason:
            self._failing[f"policy/{what}"] = reason
            logger().error("alert_policy_withholds", kind=what, reason=reason)

    def let_go(self, what: str) -> None:
        """Say that the policy keeps it here no more."""
        self._metrics.policy.withhold(what, {})
        self._failing.pop(f"policy/{what}", None)
