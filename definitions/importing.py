"""Import the modules of a package; of one that fails, on request, every statement that stands without what failed."""

import ast
import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType

from definitions.errors import DefinitionError, ZigguratError

_PARTLY = "__partly_imported__"  # of a module that is not whole: its source, its problems, and what was left out


class Importing:
    """keep_going: what can't be imported is one of the `problems`, and all else is imported; otherwise it is raised."""

    def __init__(self, *, keep_going: bool) -> None:
        self._keep_going = keep_going
        self._problems: dict[str, ZigguratError] = {}
        self._left_out: dict[str, list[str]] = {}

    @property
    def problems(self) -> tuple[ZigguratError, ...]:
        """One for each thing that is wrong, with the names that could not be declared without it."""
        return tuple(_with_left_out(p, self._left_out.get(o, [])) for o, p in self._problems.items())

    def modules(self, package: str) -> Iterator[ModuleType]:
        """The package and every module below it."""
        root = self._module(package)
        if root is None:
            return
        yield root
        # pkgutil, not glob: definitions are also found inside a zip that spark-submit ships.
        for info in pkgutil.walk_packages(getattr(root, "__path__", ()), prefix=f"{package}.", onerror=lambda _: None):
            module = self._module(info.name)
            if module is not None:
                yield module

    def _module(self, name: str) -> ModuleType | None:
        try:
            return imported(name)
        except ZigguratError as problem:
            if not self._keep_going:
                raise
            return self._partly(name, problem)

    def _partly(self, name: str, problem: ZigguratError) -> ModuleType | None:
        """The module with what its other statements declare; None where Python can't read it at all."""
        module = sys.modules.get(name)
        if module is None or not hasattr(module, _PARTLY):
            module = self._by_statements(name)
        if module is None:
            self._note(problem)
            return None
        _, problems, left_out = getattr(module, _PARTLY)
        for found in problems:
            self._note(found)
        for origin, names in left_out.items():
            known = self._left_out.setdefault(origin, [])
            known += [left for left in names if left not in known]
        return module

    def _note(self, problem: ZigguratError) -> None:
        # A module that imports a broken one fails as that does.
        self._problems.setdefault(_origin(problem), problem)

    def _by_statements(self, name: str) -> ModuleType | None:
        """The module, executed statement by statement, without those that fail or need what failed; None: no source."""
        source, spec = _source(name), _spec(name)
        if source is None or spec is None:
            return None
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            return None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        failed = self._executed(tree, module, spec.origin or name)
        problems = {_origin(problem): problem for problem, _ in failed.values()}
        left_out: dict[str, list[str]] = {}
        for variable, (problem, is_first) in failed.items():
            if not is_first:
                left_out.setdefault(_origin(problem), []).append(variable)
        vars(module)[_PARTLY] = (source, list(problems.values()), left_out)
        vars(module)["__getattr__"] = lambda variable: _missing(module, failed, variable)
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)
        return module

    def _executed(self, tree: ast.Module, module: ModuleType, file: str) -> dict[str, tuple[ZigguratError, bool]]:
        """What could not be declared: by name the problem, and whether it is that of the statement which failed."""
        failed: dict[str, tuple[ZigguratError, bool]] = {}
        future = _future_flags(tree)
        for number, statement in enumerate(_single_statements(tree)):
            if number and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # else a text below would become the docstring
            for imported_name in _imported_modules(statement, module):
                self._module(imported_name)  # what stands of it; the statement says what is missing
            try:
                code = compile(ast.Module([statement], []), file, "exec", flags=future, dont_inherit=True)
                exec(code, vars(module))
            except Exception as error:
                before = failed.get(error.name or "") if isinstance(error, NameError) else None
                problem = before[0] if before else _failure(module.__name__, error)
                for variable in _bound(statement) or [f"line {statement.lineno}"]:
                    failed[variable] = (problem, before is None)
        return failed


def imported(name: str) -> ModuleType:
    """Raises the error of a definition as it is, and any other as a DefinitionError that names file and line."""
    before = sys.modules.get(name)
    if before is not None and hasattr(before, _PARTLY):
        source, problems, _ = getattr(before, _PARTLY)
        if _source(name) == source:
            raise problems[0]
        del sys.modules[name]
    try:
        return importlib.import_module(name)
    except ZigguratError:
        raise
    except Exception as error:
        raise _failure(name, error) from error


def _missing(module: ModuleType, failed: dict[str, tuple[ZigguratError, bool]], variable: str) -> object:
    if variable in failed:
        raise failed[variable][0]
    raise AttributeError(f"module '{module.__name__}' has no attribute '{variable}'")


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a statement would have bound."""
    names: list[str] = []
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement]
    for node in (node for target in targets for node in ast.walk(target)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif isinstance(node, ast.alias):
            names.append((node.asname or node.name).partition(".")[0])
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        names.append(statement.name)
    return names


def _single_statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements; an import of several names as one of each: the first that is missing hides none of the others."""
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
            for alias in statement.names:
                one = ast.ImportFrom(statement.module, [alias], statement.level)
                yield ast.copy_location(one, statement)
        else:
            yield statement


def _imported_modules(statement: ast.stmt, module: ModuleType) -> list[str]:
    """The modules of the same project that an import statement names."""
    names: list[str] = []
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom):
        relative = "." * statement.level + (statement.module or "")
        package = module.__package__ or module.__name__.rpartition(".")[0]
        names = [importlib.util.resolve_name(relative, package)] if package or not statement.level else []
    project = module.__name__.partition(".")[0]
    return [name for name in names if name.startswith(f"{project}.")]


def _future_flags(tree: ast.Module) -> int:
    import __future__

    names = [
        alias.name
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        for alias in statement.names
    ]
    return sum(getattr(__future__, name).compiler_flag for name in set(names))


def _spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None


def _source(name: str) -> str | None:
    """The text of a module's file; None where it has none, or it can't be read."""
    spec = _spec(name)
    get_source = getattr(spec.loader, "get_source", None) if spec else None
    try:
        return get_source(name) if get_source else None
    except (ImportError, OSError, SyntaxError, ValueError):
        return None


def _with_left_out(problem: ZigguratError, names: list[str]) -> ZigguratError:
    if not names:
        return problem
    text = str(problem)
    end = "" if text.endswith((".", "?")) else "."
    more = type(problem)(f"{text}{end} Left out with it: {', '.join(names)}.")
    more.__cause__ = problem.__cause__
    return more


def _origin(problem: ZigguratError) -> str:
    return repr(problem.__cause__ or problem)


def _failure(name: str, error: Exception) -> ZigguratError:
    """The error in one sentence, with what it was as its cause."""
    if isinstance(error, ZigguratError):
        return error
    failure = DefinitionError(_sentence(name, error))
    failure.__cause__ = error
    return failure


def _sentence(name: str, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"definitions '{name}' can't be imported: no module '{error.name}'. Run from the folder that holds the "
            "package, or install it."
        )
    if isinstance(error, ImportError):
        is_circle = "circular import" in str(error) or "partially initialized" in str(error)
        circle = "the modules import each other in a circle; " if is_circle else ""
        return f"definitions '{name}' can't be imported: {circle}{error}"
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: this definition does not parse: {error.msg}."
    last = traceback.extract_tb(error.__traceback__)[-1]
    if isinstance(error, OSError) and last.filename.startswith("<frozen importlib"):
        return f"{error.filename}: this definition can't be read: {error.strerror}."
    where = f"{last.filename}, line {last.lineno}"
    return f"{where}: definitions '{name}' can't be imported: {type(error).__name__}: {error}"
