"""The tree of errors at the top of `definitions/errors.py` is the tree of the classes."""

import importlib
import pkgutil
import re

from definitions import errors
from definitions.errors import ZigguratError

PACKAGES = ("definitions", "kernels", "reports", "lakehouse", "online_store", "pit_join", "quality", "jobs", "ziggurat")
LINE = re.compile(r"(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?P<code>\d+)( +(?P<package>\w+):)?")


def drawn() -> dict[str, tuple[str, int, str]]:
    """name -> (the error above it, exit code, the package named before the colon), from the docstring."""
    path: list[tuple[int, str]] = []
    tree = {}
    for line in (errors.__doc__ or "").splitlines():
        if (match := LINE.match(line)) is None:
            continue
        depth = len(match["indent"]) // 4
        path = [(above, name) for above, name in path if above < depth]
        tree[match["name"]] = (path[-1][1] if path else "", int(match["code"]), match["package"] or "")
        path.append((depth, match["name"]))
    return tree


def declared() -> dict[str, type[ZigguratError]]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            if not re.search(r"__main__|\.starter\b", module.name):
                importlib.import_module(module.name)
    found: dict[str, type[ZigguratError]] = {}
    waiting = [ZigguratError]
    while waiting:
        error = waiting.pop()
        found[error.__name__] = error
        waiting += error.__subclasses__()
    return {name: error for name, error in found.items() if error.__module__.split(".")[0] in PACKAGES}


def test_every_error_is_drawn_below_its_base_with_its_exit_code() -> None:
    tree = drawn()
    assert tree.keys() == declared().keys()
    for name, error in declared().items():
        above, code, _ = tree[name]
        assert above == ("" if error is ZigguratError else error.__base__.__name__), name
        assert code == error.exit_code, name


def test_the_package_of_an_error_is_named_where_it_is_not_this_one() -> None:
    tree = drawn()
    for name, error in declared().items():
        package = error.__module__.split(".")[0]
        branch = [tree[name][2], tree[tree[name][0]][2] if tree[name][0] else ""]
        if package not in ("definitions", "ziggurat"):
            assert package in branch, f"{name} stands in {package}"
        elif tree[name][2]:
            assert tree[name][2] == package, name
