"""This node among the nodes of its company, and webhooks that go home."""
