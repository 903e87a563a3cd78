"""Measurements that are run by hand: ``python3 deploy/dev.py bench NAME``; README.md says what each one measures."""
