"""
The pages, one module for each group of paths: its views, and what its forms do.

Imports every other package of the web wing; only L{gossip.web.site} imports this one.
Begin with L{gossip.web.pages.front}, the shortest.
"""
