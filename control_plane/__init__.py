"""The control plane: which pseudonyms there are, what nodes still owe, who may ask.  Never a message or a name."""
