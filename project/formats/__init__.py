"""Formats of dates and times, such as 22 November 2026, one package per language.

Django reads them through FORMAT_MODULE_PATH, for pages, emails and the staff desk; other formats are Django's own.
"""
