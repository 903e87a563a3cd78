"""The one place where the control plane opens connections: to the company's own systems, at checked addresses."""
