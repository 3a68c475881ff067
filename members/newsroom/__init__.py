"""The newsroom's own settings: what staff set at the desk, else the environment, else what the software comes with.

`text`, `number` and `lines` of values.py return a setting by the name that it has in the environment. Other modules
import values.py under the name `newsroom`.
"""
