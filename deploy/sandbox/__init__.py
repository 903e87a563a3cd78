"""Stand-ins for both platforms: webhooks as they send them, and the answers their interfaces give."""
