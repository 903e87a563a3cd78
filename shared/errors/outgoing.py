"""The catalogue of errors, continued: addresses that others name and that something is sent to.

::

    CallerError
    └── AddressRefused          422  an address that nothing is sent to
"""

from shared.errors import CallerError


class AddressRefused(CallerError):
    """Nothing is sent to that address."""

    code = "address_refused"
    status = 422
    remedy = (
        "Give an https address on the internet, or let an operator set its host:port: control.toml, [hooks] allow, or "
        "node.toml, [platforms]."
    )
