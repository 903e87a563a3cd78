"""The content store: what people wrote, sealed row by row, with only times, kinds, states and blind indexes in clear.

``people`` knows identities, ``messages`` takes events in, ``removals`` lets them go, ``accounts`` keeps credentials,
``leases`` says which process works in the background.  On PostgreSQL every writing transaction begins by locking the
one row of ``content_store``: writers of a region take turns, as they do on SQLite.
"""
