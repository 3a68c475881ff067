"""Alerts: rules that check the database (looks.py, rules.py), and notifying staff (watch.py, letters.py)."""
