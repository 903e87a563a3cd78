"""The policy in force: taken over, asked, and asked again when it or the law of a person changes."""
