"""How the tables came to be what they are, revision by revision. Run by L{gossip.store.schema}."""
