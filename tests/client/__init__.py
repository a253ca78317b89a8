"""Tests of L{gossip.client}."""
