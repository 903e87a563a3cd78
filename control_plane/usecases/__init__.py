"""What the control plane does: load, ask ``core/``, apply in one transaction."""
