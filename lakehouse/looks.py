"""When a table's source was last looked at: also a look that found nothing new is a load, which brought nothing (S5).

A row that such a load should have brought by its landing delay is late, so stamps of later rows depend on it. It is no
new version of the table (S28), and must not be lost with the ledger, nor with the rows of a load: it lies in the
table's own folder, as the file `_looked_at.json`, which Delta passes over. What the table's newest commit says of its
load counts as a look, too.
"""

import json
import uuid

from lakehouse.storage_errors import translated_storage_errors
from lakehouse.tables import filesystem, read_text

_FILE = "_looked_at.json"


def last_look(table_path: str) -> int | None:
    """In µs; None where no look is recorded. One small read."""
    text = read_text(f"{table_path}/{_FILE}")
    return None if text is None else int(json.loads(text)["looked_at_us"])


def record_look(table_path: str, at_us: int) -> None:
    """Keeps the latest of all looks; readers never see a part of the file. Nothing where pyarrow knows no way there."""
    located = filesystem(table_path)
    if located is None or (last_look(table_path) or at_us - 1) >= at_us:
        return
    system, folder = located
    draft = f"{folder}/_{uuid.uuid4().hex}.draft"
    with translated_storage_errors(table_path):
        with system.open_output_stream(draft) as stream:
            stream.write(json.dumps({"looked_at_us": at_us}).encode())
        system.move(draft, f"{folder}/{_FILE}")
