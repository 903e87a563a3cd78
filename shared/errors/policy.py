"""A page of the catalogue of errors: policies that cannot be read, do not hold together, or may not come into force.

Where the control plane is asked to publish one, each is answered with its status.

::

    OperatorError       whoever writes or publishes policies can mend it
    ├── PolicyUnreadable        a file is missing, no TOML, or not of its form
    ├── PolicyCircular          files include each other in a circle
    ├── PolicyUnsound           names that do not exist or exist twice, empty choices, validity that overlaps
    ├── PolicyUnsure            strict mode: it rests on values that nobody vouches for
    ├── CasesFailed             a case does not come out as it says
    ├── BundleMalformed         the file is no bundle, or a byte of it changed
    ├── BundleOlder             a lower version than the one in force
    ├── BundleConflict          the version in force, but other content
    ├── BundleNotNext           it follows another bundle than the one in force
    ├── BundleOther             a bundle of another name
    ├── BundleUndersigned       too few officers of the roster signed
    ├── BundleSecondOfficer     something becomes more permissive, and only one officer signed
    ├── BundleFuture            it says it was issued later than now
    ├── BundleHeadRefused       the statement that a bundle is the newest does not hold
    ├── RosterNotPinned         a node that stands alone believes another roster, or none
    └── PolicyDenies            the policy in force says no
"""

from shared.errors import OperatorError


class PolicyUnreadable(OperatorError):
    """A policy file cannot be read."""

    code = "policy_unreadable"
    remedy = "Mend the file at the line named; shared/policy/LANGUAGE.md shows every kind of file."


class PolicyCircular(OperatorError):
    """Policy files include each other in a circle, or one of them twice."""

    code = "policy_circular"
    remedy = "Name each file once, in bundle.toml."


class PolicyUnsound(OperatorError):
    """The policy does not hold together."""

    code = "policy_unsound"
    status = 422
    remedy = "homeport policy check lists every fault with its file and line."


class PolicyUnsure(OperatorError):
    """Strict mode: the policy rests on values that are not sure, and no officer vouches for them."""

    code = "policy_unsure"
    status = 422
    remedy = "homeport policy check --strict lists them; check them at the source, or sign an override."


class CasesFailed(OperatorError):
    """Cases of the policy do not come out as they say."""

    code = "cases_failed"
    status = 422
    remedy = "homeport policy test shows each with what was expected and what came out."


class BundleMalformed(OperatorError):
    """The file is no policy bundle, or a byte of it was changed."""

    code = "bundle_malformed"
    status = 422
    remedy = "Check the path, or fetch it again from whoever published it; the bundle in force stays in force."


class BundleOlder(OperatorError):
    """The bundle is older than the one in force."""

    code = "bundle_older"
    status = 409
    remedy = "Publish what it says as a new version; a version never comes back."


class BundleConflict(OperatorError):
    """The bundle bears the version in force, but says something else."""

    code = "bundle_conflict"
    status = 409
    remedy = "Find out who made two bundles of one version; publish the right one under the next."


class BundleNotNext(OperatorError):
    """The bundle follows another bundle than the one in force."""

    code = "bundle_not_next"
    status = 409
    remedy = "Make it again with homeport policy bundle --previous, naming the bundle in force."


class BundleOther(OperatorError):
    """The bundle bears another name than the one in force."""

    code = "bundle_other"
    status = 409
    remedy = "Publish under the name in force."


class BundleUndersigned(OperatorError):
    """Too few officers of the roster signed the bundle."""

    code = "bundle_undersigned"
    status = 422
    remedy = "Let more officers sign: homeport policy sign BUNDLE --key KEY --roster ROSTER."


class BundleSecondOfficer(OperatorError):
    """The bundle makes something more permissive, which needs a second officer."""

    code = "bundle_second_officer"
    status = 422
    remedy = (
        "Look at homeport policy diff OLD NEW --only more_permissive, and at what is named besides (grace, label, "
        "countries); then let a second officer sign."
    )


class BundleFuture(OperatorError):
    """The bundle says that it was issued later than now."""

    code = "bundle_future"
    status = 422
    remedy = "Check the clocks of this machine and of the one that made it."


class BundleHeadRefused(OperatorError):
    """The statement that a bundle is the newest one does not hold."""

    code = "bundle_head_refused"
    remedy = "The bundle in force stays until its grace is over; check the control plane's clock and keys."


class RosterNotPinned(OperatorError):
    """The node stands alone and believes another roster, or none yet."""

    code = "roster_not_pinned"
    remedy = "homeport edge policy install BUNDLE --roster ROSTER pins the officers whom this node believes."


class PolicyDenies(OperatorError):
    """The policy in force says no."""

    code = "policy_denies"
    status = 403
    remedy = "homeport policy explain says which rule and why; homeport edge policy status shows the bundle in force."
