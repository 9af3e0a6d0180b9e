"""Where features lie for milliseconds: immutable snapshots, read without Spark.

`open_store(StoreSettings(…))` opens a store by name, its `open()` a snapshot; `answer.answer` looks one row of a
service up in it, and `answer_json.answer_json` gives the answer as JSON.
"""

from online_store.stores import StoreSettings, open_store

__all__ = ["StoreSettings", "open_store"]
