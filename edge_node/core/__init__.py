"""Where a node decides: pure functions and tables, no await, socket, file, clock, randomness or logger."""
