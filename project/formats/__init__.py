"""How days and times are written where Django writes them: 22 November 2026, the order letters and pages have too.

One package a language, read through FORMAT_MODULE_PATH; what is not said here is as Django has it.
"""
