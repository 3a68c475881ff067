"""Alerts: rules that look at the database (looks.py, rules.py), and telling staff about them (watch.py, letters.py)."""
