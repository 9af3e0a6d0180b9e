"""The words of definitions are imported from `ziggurat.model`, and importing them loads neither Spark nor Arrow."""

import subprocess
import sys

import features.model
import ziggurat.model
from definitions import model

HEAVY = ("pyspark", "py4j", "delta", "pyarrow", "pandas", "numpy", "great_expectations", "click", "boto3")


def loaded_by(statement: str) -> set[str]:
    """The packages in memory after the statement, in a process of its own."""
    code = f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_words_loads_no_engine() -> None:
    loaded = loaded_by("from ziggurat.model import AggregateView, sum_of")
    assert "definitions" in loaded
    assert not loaded & {*HEAVY, "jobs", "lakehouse", "compute"}


def test_loading_every_shipped_definition_loads_no_engine() -> None:
    loaded = loaded_by("from definitions.registry import load\nload()")
    assert "features" in loaded
    assert not loaded & {*HEAVY, "jobs", "lakehouse", "compute"}


def test_the_former_name_still_gives_every_word() -> None:
    from features.model import AggregateView

    assert AggregateView is ziggurat.model.AggregateView
    assert features.model.__all__ == ziggurat.model.__all__ == model.__all__
    for name in model.__all__:
        assert getattr(features.model, name) is getattr(ziggurat.model, name)
