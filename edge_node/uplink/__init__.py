"""The uplink: everything a node says to its control plane and hears from it.  ``README.md`` says what and how."""
