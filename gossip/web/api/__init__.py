"""
JSON and metrics for programs: the public API, the admin API on its socket, feeds, health.

Imports L{gossip.web.accounts}, for tokens, and what is below it, but no page.
Begin with L{gossip.web.api.public_api}.
"""
