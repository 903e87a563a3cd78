"""Where the control plane decides: pure functions and tables, no await, socket, file, clock, randomness or logger."""
