"""Keys and copies of the stores: epochs, backups, restores, quarantine, and looking after all of it."""
