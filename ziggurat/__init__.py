"""Ziggurat, a batch feature platform: `import ziggurat as zg`, then `zg.open()`."""

from typing import TYPE_CHECKING, Any

from ziggurat.own_packages import find_ours_first

if TYPE_CHECKING:
    from ziggurat.workspace import Workspace, open, training_set

find_ours_first()

__version__ = "0.1.0"
__all__ = ["Workspace", "__version__", "open", "training_set"]


def __getattr__(name: str) -> Any:
    """The public names load when they are asked for: a look-up in the online store must not pay for all of them."""
    if name in __all__:
        from ziggurat import workspace

        return getattr(workspace, name)
    raise AttributeError(f"module 'ziggurat' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
