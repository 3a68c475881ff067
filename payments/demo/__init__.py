"""Demo data, made through the real rules and the simulator. `manage.py seed_demo` is the only caller.

stories.py says who gives what, people.py acts for them, scenery.py adds levels and a login, history.py moves time.
"""
