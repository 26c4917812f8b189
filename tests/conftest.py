"""Assertions in `support` explain themselves when they fail, as those in the tests do."""

import pytest

pytest.register_assert_rewrite("support.laws")
