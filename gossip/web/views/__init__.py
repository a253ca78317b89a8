"""
What pages and the API show: the layout, public data, cached queries, and the text of times and numbers.

Imports L{gossip.web.http} and the wings below the web.
Begin with L{gossip.web.views.layout}, which makes every page.
"""
