"""
Several daemons (nodes) that are one network, on one PostgreSQL database that puts what they do in one order.

Imports L{gossip.service} and what is below it.
Begin with L{gossip.cluster.wire}: what one node writes for all of them to hear.
"""
