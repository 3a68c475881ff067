"""Python reads this module at its start; this folder is on its path only under another clock (see __init__.py)."""

import select
import time

time.sleep = lambda seconds: select.select([], [], [], seconds) and None
