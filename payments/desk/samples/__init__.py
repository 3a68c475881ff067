"""Every letter as invented people would get it, made of real rows that never stay: for the desk's preview and tests.

people.py says who, rows.py what they gave, catalogue.py which letters there are, showing.py makes and shows one.
"""
