"""
Signing in: passwords, cookies, tokens, links by mail, and limits on attempts.

Imports L{gossip.web.views} and L{gossip.web.http}, but no page.
Begin with L{gossip.web.accounts.sign_in}.
"""
