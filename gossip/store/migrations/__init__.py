"""The migrations of the database schema, one module a revision. L{gossip.store.schema} runs them."""
