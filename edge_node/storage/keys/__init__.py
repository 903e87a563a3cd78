"""The key store: every key of a node below the region key, each wrapped by the one above it.

``provider`` keeps the keys above the store, ``hierarchy`` is how one key wraps the next, ``store`` draws and commits,
``destruction`` is the only module that removes a key.
"""
