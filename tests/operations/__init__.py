"""Tests of L{gossip.operations}."""
