"""Run the notebooks on a warehouse and write them as pages of docs/: `python -m docs.render_notebooks`.

A notebook is a script in percent format. A cell that begins `# %% figure="name" alt="what it shows"` gives a picture
of that name, with its code folded; `tags=["fold"]` folds the code of others. The same data give the same bytes again.
"""

import argparse
import base64
import io
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jupytext
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from PIL import Image
from traitlets.config import Config

HERE = Path(__file__).parent
PROJECT_ROOT = HERE.parent
SCRIPTS = sorted((PROJECT_ROOT / "notebooks").glob("[0-9]*.py"))
Notebook = Any  # nbformat's nodes carry no types


class ThisPython(AsyncKernelManager):
    """A kernel of the running interpreter, whichever kernels are installed on this machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python", language="python")


def notebook_of(script: Path) -> Notebook:
    return jupytext.read(script, fmt="py:percent")


def execute(notebook: Notebook, *, warehouse: str, settings: Mapping[str, str] = {}) -> None:
    """Run every cell in a fresh kernel whose `zg.open()` finds `warehouse`; `settings` are further variables.

    Outputs are kept in the notebook. Raises CellExecutionError with the cell and its traceback.
    """
    with tempfile.TemporaryDirectory() as private:
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")])),
            "IPYTHONDIR": private,  # without the profile or start-up files of a user
            "ZIGGURAT__WAREHOUSE": warehouse,
            **settings,
        }
        # Sockets in a folder of our own, instead of open ports; the notebook finds `style` beside itself.
        sockets = Config({"ThisPython": {"transport": "ipc", "connection_file": f"{private}/kernel.json"}})
        where = {"metadata": {"path": str(PROJECT_ROOT / "notebooks")}}
        client = NotebookClient(notebook, kernel_manager_class=ThisPython, config=sockets, resources=where, timeout=600)
        client.execute(env=env)


def page(notebook: Notebook, name: str) -> dict[str, bytes]:
    """The page `<name>.md` and its pictures `<name>-<figure>.png`, by file name."""
    files: dict[str, bytes] = {}
    parts = [f"<!-- Written by `make notebooks` from notebooks/{name}.py. Change that, and run it again. -->"]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(_code(cell))
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                picture = f"{name}-{cell.metadata['figure']}.png"
                files[picture] = _small(base64.b64decode(output["data"]["image/png"]))
                parts.append(f"![{cell.metadata['alt']}]({picture})")
            else:
                parts += _text(output)
    files[f"{name}.md"] = ("\n\n".join(parts) + "\n").encode()
    return files


def _code(cell: Notebook) -> str:
    block = f"```python\n{cell.source}\n```"
    is_folded = "figure" in cell.metadata or "fold" in cell.metadata.get("tags", ())
    return f"<details><summary>code</summary>\n\n{block}\n\n</details>" if is_folded else block


def _text(output: Notebook) -> list[str]:
    """A cell's output: prose and tables as they are, printed lines as a block, object representations not at all."""
    if output.output_type == "stream":
        return [f"```\n{output.text.rstrip()}\n```"]
    markdown = output.get("data", {}).get("text/markdown")
    return [markdown] if markdown else []


def _small(png: bytes) -> bytes:
    """The same picture with a palette: a third of the bytes. This method keeps colours of large areas as they are."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE)
    written = io.BytesIO()
    picture.save(written, "png", optimize=True)
    return written.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warehouse", default=os.environ.get("ZIGGURAT__WAREHOUSE", "warehouse"))
    parser.add_argument("--into", type=Path, default=HERE / "notebooks")
    options = parser.parse_args()
    warehouse = options.warehouse if re.match(r"\w+:/", options.warehouse) else str(Path(options.warehouse).absolute())
    options.into.mkdir(exist_ok=True)
    for script in SCRIPTS:
        notebook = notebook_of(script)
        execute(notebook, warehouse=warehouse)
        for name, content in page(notebook, script.stem).items():
            (options.into / name).write_bytes(content)
        sys.stdout.write(f"wrote {options.into.name}/{script.stem}.md and its pictures\n")


if __name__ == "__main__":
    main()
