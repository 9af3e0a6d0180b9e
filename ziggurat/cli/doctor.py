"""`ziggurat doctor`: what this machine has, and the value and origin of every setting."""

import os
from pathlib import Path
from typing import Any

from definitions.errors import DefinitionError
from lakehouse.session.environment import Check, checks
from lakehouse.session.errors import EnvironmentProblem
from ziggurat.cli.options import note_hidden_packages, setting_overrides
from ziggurat.loading import load_definitions, refuse_unknown_sources
from ziggurat.masking import shown
from ziggurat.settings import ConfigurationError, Resolved, resolve

_MARKS = {True: "✓", None: "!", False: "✗"}


def examine(*, conf: Path | None, env: str, definitions: str, overrides: tuple[str, ...]) -> str:
    """The findings as text. Raises EnvironmentProblem with the fixes when something would stop a run."""
    note_hidden_packages()
    resolved = resolve(env=env, conf=conf, overrides=setting_overrides(overrides, definitions))
    settings = resolved.settings
    local = Path(settings.warehouse) if "://" not in settings.warehouse else Path()
    results = [
        *checks(local, zone=settings.spark.conf.get("spark.sql.session.timeZone")),
        _definitions(resolved),
        *_sources(resolved),
        *_training_sets(settings.warehouse),
    ]
    text = "\n".join(
        ["  this machine", *map(_line, results), "", "  settings, and what set each of them", *_origins(resolved)]
    )
    broken = [check for check in results if check.ok is False]
    if broken:
        raise EnvironmentProblem(f"{len(broken)} of {len(results)} checks failed.\n{text}")
    return f"{text}\n\n  all is well" if all(check.ok for check in results) else text


def _line(check: Check) -> str:
    return f"    {_MARKS[check.ok]} {check.name:<18} {check.found}" + (
        f"\n      {'':<18} → {check.fix}" if check.fix else ""
    )


def _definitions(resolved: Resolved) -> Check:
    package = resolved.settings.definitions
    try:
        registry = load_definitions(package)
        refuse_unknown_sources(resolved, registry)
    except (ConfigurationError, DefinitionError) as error:
        return Check("definitions", False, str(error), "Correct it, then try again with `ziggurat list`.")
    return Check("definitions", True, f"'{package}' declares {len(registry.definitions)} sources and views")


def _sources(resolved: Resolved) -> list[Check]:
    there = {name: "://" in s.path or Path(s.path).exists() for name, s in resolved.settings.sources.items()}
    gone = sorted(name for name, is_there in there.items() if not is_there)
    if not gone:
        return [Check("sources", True, f"all {len(there)} have files")]
    path = resolved.settings.sources[gone[0]].path
    return [
        Check(
            "sources",
            None,
            f"nothing lies where {', '.join(gone)} should be (first: {path})",
            "Put the files there, correct sources.*.path, or run `make demo` to fetch the demo's.",
        )
    ]


def _training_sets(warehouse: str) -> list[Check]:
    """Whether the table versions that manifests name can be read; in a bucket that is left to --content."""
    from jobs.training_set.lost import lost_versions
    from lakehouse.storage_errors import StorageError
    from lakehouse.tables import Warehouse, local_folder

    folder = local_folder(warehouse)
    if folder is None or not (folder / "training_sets").is_dir():
        return []
    try:
        manifests, lost = lost_versions(Warehouse(warehouse))
    except StorageError as error:
        return [Check("training sets", None, str(error))]
    if not lost:
        return [Check("training sets", True, f"all that their {manifests} manifests name can be read")]
    rows = [each for each in lost if each.is_rows]
    first = (rows or lost)[0]
    of = f"{len(lost)} table versions that manifests name are lost, first of {first.called}: {first.text}"
    if rows:
        return [Check("training sets", None, of, "Restore the files from a copy, or build the training set again.")]
    return [Check("training sets", None, of, "The rows are whole; they can't be verified any more.")]


def _origins(resolved: Resolved) -> list[str]:
    values = dict(_flat(resolved.settings.model_dump()))
    width = max(map(len, values))
    return [f"    {key:<{width}}  {shown(key, value):<44} {_origin(resolved, key)}" for key, value in values.items()]


def _origin(resolved: Resolved, key: str) -> str:
    """The layer that set the key; a default of the model where no layer names it."""
    origin = resolved.origins.get(key, "default")
    return f"{origin} (environment)" if origin in os.environ else origin


def _flat(tree: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in tree.items():
        pairs += _flat(value, f"{above}{key}.") if isinstance(value, dict) and value else [(f"{above}{key}", value)]
    return pairs
