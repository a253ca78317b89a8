"""
How fast the daemon is and what it costs, measured.

C{python -m benchmarks} runs the suite, C{python -m benchmarks.soak} the soak; C{docs/performance.rst} explains both.
"""
