"""The former name of `ziggurat.model`; it goes with the next version."""

from definitions.model import *  # noqa: F403
from definitions.model import __all__ as __all__
