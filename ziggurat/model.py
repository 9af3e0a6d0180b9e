"""The words of a definition, in one import: `from ziggurat.model import AggregateView, sum_of, …`. Loads no Spark."""

from definitions.model import *  # noqa: F403
from definitions.model import __all__ as __all__
