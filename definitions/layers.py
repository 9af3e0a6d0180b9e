"""The layers of the pyramid, from the widest at the bottom to the top.

Tables are published in folders of these names, and a view reads its own layer and those below alone.
"""

from collections.abc import Mapping

LAYER_CONTENTS: Mapping[str, str] = {
    "raw": "sources as they arrived, typed",
    "derived": "one row per source row",
    "aggregate": "one row per entity and as-of instant",
    "cross_entity": "an entity beside its group",
}
LAYERS = tuple(LAYER_CONTENTS)


def layer_name(layer: str) -> str:
    """As text for people: `cross-entity`."""
    return layer.replace("_", "-")
