"""Ziggurat, a batch feature platform: `import ziggurat as zg`, then `zg.open()`."""

from ziggurat.workspace import Workspace, open

__version__ = "0.1.0"
__all__ = ["Workspace", "__version__", "open"]
