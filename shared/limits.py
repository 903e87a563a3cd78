"""Every bound that both programs and the platforms agree on, each with its reason."""

BODY_BYTES_MAX = 3 * 1024 * 1024
"""A webhook body: Meta states 3 MB; LINE's are far smaller (WhatsApp webhooks overview, 2026-04-29)."""

BODY_UPDATES_MAX = 1_000
"""Updates in one body: Meta aggregates at most 1,000 (WhatsApp create-webhook-endpoint, 2026-04-21)."""

BODY_SECONDS_MAX = 10.0
"""A body must arrive within this time, else 408; both platforms send at once, and slow senders hold memory."""

BUCKET_ROWS_MAX = 256
"""Row keys under one bucket key, so that destroying one re-wraps at most 255."""

BATCH_EVENTS_MAX = 1_000
"""Events in one commit, no fewer than one body may hold: bounds how long the loop seals without serving others."""

QUEUE_EVENTS_MAX = 20_000
"""Events that may wait for commit; over it 503 with Retry-After, before anything is written."""

QUEUE_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of events that may wait for commit: bounds the memory a burst can take."""
