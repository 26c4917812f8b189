"""To be removed once no test imports it: see `support/laws.py`."""

from support.laws import assert_valid as assert_lawful
from support.laws import assert_valid_router as assert_lawful_router

__all__ = ["assert_lawful", "assert_lawful_router"]
