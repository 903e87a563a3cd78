"""The demo: a real node in a folder of its own, real webhooks, and what became of them, read back from its stores."""
