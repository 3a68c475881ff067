"""`make bench`: what is fast and what is not, each beside a bare limit taken in the same run.

Machines differ and are noisy: only the ratios mean anything, as the median of interleaved rounds.
"""
