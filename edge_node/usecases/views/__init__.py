"""Who looks at a person's messages, here or at another node, and what is taken back from them."""
