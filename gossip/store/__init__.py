"""What the network remembers: one code for SQLite and PostgreSQL. Start at L{gossip.store.store.Store}."""
