"""
HTTP without any page: bounded requests, the router, forms, addresses, static files.

Imports the errors of L{gossip.store}, and nothing else of ours.
Begin with L{gossip.web.http.router}, which finds the function that answers a request.
"""
