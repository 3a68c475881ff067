import pytest

# What a life ended in is told with its values.
pytest.register_assert_rewrite("tests.machine.rest")
