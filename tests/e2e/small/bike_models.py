"""What a newcomer adds to the starter project to train a model: a service, and a label to predict."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.small.bikes import FIRST, SECOND, Bikes
from tests.support.run_once import built_once

SERVICE, LABEL = "rides_v1", "rides_again"
VIEWS = ("rider_activity", "rider_vs_plan", "riders")

_SERVICES = '''"""What the model reads."""

from {package}.aggregate.rider_activity import rider_activity
from {package}.cross_entity.rider_vs_plan import rider_vs_plan
from {package}.entities import rider
from {package}.raw.riders import riders
from ziggurat.model import FeatureService, features_of

rides_v1 = FeatureService(
    "rides_v1",
    features=(
        features_of(rider_activity, "ride_count_30d", "fare_sum_30d", max_age="8d"),
        features_of(rider_vs_plan, "plan_members"),
        features_of(riders, "plan", entity=rider),
    ),
    owner="growth",
)
'''
_LABELS = '''"""What the model predicts."""

from {package}.entities import rider
from {package}.raw.rides import rides
from ziggurat.model import Every, Label

rides_again = Label(
    "rides_again",
    entities=(rider,),
    source=rides,
    column="has_ridden",
    horizon="7d",
    at=Every(first="2024-05-06T12:00:00Z", step="7d"),
    owner="growth",
)
'''


def released_models(factory: pytest.TempPathFactory, folder: Path) -> Bikes:
    """A project of one's own in `folder`, with a service, a label and two as-ofs released; built once in a run."""
    home, name = built_once(factory, "released models", _build)
    return Bikes(Path(shutil.copytree(home / name, folder / name)))


def _build(home: Path) -> str:
    bikes = Bikes.written(home / "model bikes")
    for file, text in (("services.py", _SERVICES), ("labels.py", _LABELS)):
        bikes.definition(file).write_text(text.replace("{package}", bikes.package), "utf-8")
    bikes.built(FIRST)
    bikes.deliver_june()
    bikes.built(SECOND)
    return bikes.folder.name
