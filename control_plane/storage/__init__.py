"""The control plane's store: one database, one module for each kind of thing in it.

Functions take an open transaction, so that a use case can do all of its writing in one.
"""
