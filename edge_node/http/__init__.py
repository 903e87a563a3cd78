"""What a node answers over HTTP: ``public`` to the platforms, ``private`` to its operator."""
