"""Samples of every email, built from real rows that are rolled back: for the desk's preview and for tests.

people.py holds the invented supporters, rows.py creates what they gave, catalogue.py lists the samples (each topic has
a module), showing.py builds and renders one, testing.py sends one as a test.
"""
