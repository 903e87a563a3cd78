"""The control plane: which pseudonyms there are, what every node still owes, who may ask.  Never a message or a name."""
