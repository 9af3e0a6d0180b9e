"""The structure of the code: its page, and its figures: `python -m docs.structure [CHECKOUT ...]`, side by side.

Reads every module as text with Python's own parser and runs none of it, so it works on the checkout of any commit.
Imports inside functions and under TYPE_CHECKING count. Levels are those of the longest chain of imports inside a
package; modules that import each other in a circle count as one.
"""

import argparse
import ast
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ziggurat.cli.terminal import table_text

LEFT_OUT = ("tests", "benchmarks", "docs", "notebooks", "starter")
PROJECT_ROOT = Path(__file__).resolve().parents[1]
NOTE = "<!-- Written by `python -m docs` from the code. Change that, then run `make docs`. -->"
LANGUAGE = {"ziggurat.model": "definitions.model"}
KINDS = {"Source", "DerivedView", "AggregateView", "CrossEntityView"}


@dataclass(frozen=True)
class Structure:
    """The modules of one checkout by their dotted name, parsed, with the text of each."""

    texts: Mapping[str, str]

    @classmethod
    def of(cls, checkout: Path) -> "Structure":
        paths = (path.relative_to(checkout) for path in sorted(checkout.glob("[a-z]*/**/*.py")))
        code = [path for path in paths if (checkout / path.parts[0] / "__init__.py").is_file()]
        code = [path for path in code if not {*path.parts} & {*LEFT_OUT}]
        return cls({_module(path): (checkout / path).read_text("utf-8") for path in code})

    @cached_property
    def trees(self) -> Mapping[str, ast.Module]:
        return {name: ast.parse(text) for name, text in self.texts.items()}

    @cached_property
    def imports(self) -> Mapping[str, set[str]]:
        """`ziggurat.model` is another name of `definitions.model`, and counts as that."""
        imported = {name: {*_imported(tree, {*self.texts})} - {name} for name, tree in self.trees.items()}
        return {name: {LANGUAGE.get(other, other) for other in others} for name, others in imported.items()}

    @cached_property
    def functions(self) -> list[int]:
        """The lines of each function, without its docstring."""
        defined = [n for tree in self.trees.values() for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        return [_lines(node) for node in defined]

    def figures(self) -> dict[str, float]:
        lengths = [len(text.splitlines()) for name, text in self.texts.items() if not self._is_package(name)]
        importers = [sum(name in others for others in self.imports.values()) for name in self.texts]
        public = [n for tree in self.trees.values() for n in tree.body if _is_public(n)]
        return {
            "modules": len(lengths),
            "lines": sum(len(text.splitlines()) for text in self.texts.values()),
            "median lines of a module": statistics.median(lengths),
            "modules of more than 350 lines": sum(length > 350 for length in lengths),
            "modules of less than 30 lines": sum(length < 30 for length in lengths),
            "modules with one importer": importers.count(1),
            "most modules in one folder": max(self._folders().values()),
            "functions": len(self.functions),
            "median lines of a function": statistics.median(self.functions),
            "functions of more than 25 lines": sum(lines > 25 for lines in self.functions),
            "public names with a docstring, %": round(100 * statistics.mean(map(_is_documented, public))),
            "tests of a view's kind": sum(_is_test_of_kind(n) for tree in self.trees.values() for n in ast.walk(tree)),
            "imports inside jobs": self._inside("jobs"),
            "levels inside jobs": self._levels("jobs"),
        }

    def edges(self, *, inside: str = "") -> dict[str, set[str]]:
        """Which package imports which: the top-level ones, or those inside one of them."""
        parts = 2 if inside else 1
        packages: dict[str, set[str]] = {}
        for name, others in self.imports.items():
            if not inside or _is_in(name, inside):
                own = ".".join(name.split(".")[:parts])
                there = {".".join(other.split(".")[:parts]) for other in others if not inside or _is_in(other, inside)}
                packages.setdefault(own, set()).update(there - {own})
        return packages

    def _is_package(self, name: str) -> bool:
        return any(other.startswith(f"{name}.") for other in self.texts)

    def _folders(self) -> dict[str, int]:
        folders: dict[str, int] = {}
        for name in self.texts:
            if "." in name and not self._is_package(name):
                folder = name.rpartition(".")[0]
                folders[folder] = folders.get(folder, 0) + 1
        return folders

    def _inside(self, package: str) -> int:
        return sum(
            len([o for o in others if _is_in(o, package)]) for n, others in self.imports.items() if _is_in(n, package)
        )

    def _levels(self, package: str) -> int:
        """Of packages where a module of `package` lies in one; before that was so, of modules."""
        edges = self.edges(inside=package)
        return max((_depth(name, edges, ()) for name in edges), default=0)


def _depth(name: str, edges: Mapping[str, set[str]], above: tuple[str, ...]) -> int:
    if name in above:
        return 0
    return 1 + max((_depth(other, edges, (*above, name)) for other in edges.get(name, ())), default=0)


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _is_in(name: str, package: str) -> bool:
    return name.startswith(f"{package}.")


def _imported(tree: ast.Module, modules: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from (n for n in ([name] if name in modules else [node.module]) if n in modules)


def _lines(node: ast.FunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _is_public(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")


def _is_documented(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None


def _is_test_of_kind(node: ast.AST) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
    return is_call and bool(KINDS & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)})


def page() -> str:
    """docs/structure.md: the packages, what each one promises, and which imports which."""
    structure = Structure.of(PROJECT_ROOT)
    tops = [name for name in structure.edges() if name != "features"]
    promises = [f"- `{name}`: {_promise(structure, name)}" for name in [*sorted(tops), "features"]]
    return "\n".join(
        [
            "# How the code is arranged\n",
            NOTE + "\n",
            "Imports point down, never up and never across; `make check` refuses others. An arrow that follows from",
            "two others is left out.\n",
            *_picture(structure.edges()),
            "\nInside `jobs`, which runs everything:\n",
            *_picture(structure.edges(inside="jobs")),
            "\n## What each package promises\n",
            *promises,
            "",
            *(
                f"- `{name}`: {_promise(structure, name)}"
                for name in sorted(structure.edges(inside="jobs"))
                if name != "jobs"
            ),
            "\n`python -m docs.structure` prints figures of modules, functions and imports; with the folders of",
            "several checkouts, side by side.\n",
        ]
    )


def _picture(edges: Mapping[str, set[str]]) -> list[str]:
    """A Mermaid flow chart without the arrows that follow from others."""
    arrows = [
        f"  {_node(name)} --> {_node(other)}"
        for name in sorted(edges)
        for other in sorted(edges[name])
        if not any(other in _below(between, edges) for between in edges[name] - {other})
    ]
    return ["```mermaid", "flowchart TD", *arrows, "```"]


def _node(name: str) -> str:
    label = name.rpartition(".")[2]
    return f"{name.replace('.', '_')}[{label}]"


def _below(name: str, edges: Mapping[str, set[str]]) -> set[str]:
    below: set[str] = set()
    waiting = [name]
    while waiting:
        new = edges.get(waiting.pop(), set()) - below
        below |= new
        waiting += new
    return below


def _promise(structure: Structure, name: str) -> str:
    text = ast.get_docstring(structure.trees[name]) or ""
    return " ".join(text.split("\n\n")[0].split())


def report(checkouts: Iterable[Path]) -> str:
    columns = {str(checkout): Structure.of(checkout).figures() for checkout in checkouts}
    names = next(iter(columns.values()))
    rows = [[name, *(figures[name] for figures in columns.values())] for name in names]
    return table_text(["", *columns], rows)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("checkouts", nargs="*", type=Path, default=[Path()])
    sys.stdout.write(report(options.parse_args().checkouts) + "\n")


if __name__ == "__main__":
    main()
