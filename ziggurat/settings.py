"""Settings and where each one came from: conf files, then environment variables, then the command line."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from definitions.durations import duration_us
from definitions.errors import DefinitionError, ZigguratError, did_you_mean
from lakehouse.files.location import wrong_option
from online_store.stores import StoreSettings
from ziggurat.masking import shown

PREFIX = "ZIGGURAT__"


class ConfigurationError(ZigguratError):
    """A setting that is unknown, or has a value it can't have."""

    exit_code = 60


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceSettings(_Section):
    path: str
    format: Literal["parquet", "delta", "csv", "json"] = "parquet"
    options: dict[str, str] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _options(cls, options: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if problem := wrong_option(info.data.get("format", "parquet"), options):
            raise ValueError(problem.rstrip("."))
        return options


def _duration(text: str) -> str:
    try:
        duration_us(text, where="a duration")
    except DefinitionError as error:
        raise ValueError(str(error).rstrip(".")) from None
    return text


class BuildSettings(_Section):
    workers: int = Field(ge=1, le=64)
    facts_per_task: int = Field(ge=1000)
    data_may_lag: Annotated[str, AfterValidator(_duration)]
    may_shrink: float = Field(ge=0, le=1)
    may_grow: float = Field(ge=0)


class OnlineSettings(_Section):
    store: str
    path: str


class SparkSettings(_Section):
    master: str
    driver_memory: str
    shuffle_partitions: int = Field(ge=1)
    local_dir: str
    conf: dict[str, str]


class Settings(_Section):
    definitions: str
    warehouse: str
    sources: dict[str, SourceSettings]
    build: BuildSettings
    online: OnlineSettings
    spark: SparkSettings


@dataclass(frozen=True)
class Resolved:
    """The settings in force, and for each key (`build.workers`) the file, variable or option that set it last."""

    settings: Settings
    origins: Mapping[str, str]


def resolve(*, env: str = "", conf: Path | None = None, overrides: Sequence[str] = ()) -> Resolved:
    """base.yaml < environment's file < --conf file < ZIGGURAT__… variables < -s key=value.

    A --conf file that names sources replaces those of the shipped pyramid. Raises ConfigurationError.
    """
    tree = _packaged("base")
    origins = dict.fromkeys((key for key, _ in _leaves(tree)), "conf/base.yaml")
    layers: list[tuple[str, dict[str, Any]]] = []
    if env:
        layers.append((f"conf/{env}.yaml", _packaged(env)))
    if conf is not None:
        layers.append((str(conf), _read(conf)))
    layers += [
        (name, _nested(name[len(PREFIX) :].lower().split("__"), value))
        for name, value in os.environ.items()
        if name.startswith(PREFIX)
    ]
    layers += [(_named(override), _override(override)) for override in overrides]
    for origin, layer in layers:
        if conf is not None and origin == str(conf) and "sources" in layer:
            tree["sources"] = {}
            origins = {key: value for key, value in origins.items() if not key.startswith("sources.")}
        _merge(tree, layer)
        origins |= dict.fromkeys((key for key, _ in _leaves(layer)), origin)
    return Resolved(_validated(tree, origins), origins)


def store_settings(settings: Settings) -> StoreSettings:
    """The online store that is configured. The embedded one is read in place, so it needs a local folder."""
    if not settings.online.path and re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:/", settings.warehouse):
        raise ConfigurationError(
            f"the warehouse is {settings.warehouse}, and the embedded online store needs a folder on a disk: set "
            "online.path."
        )
    folder = Path(settings.online.path or f"{settings.warehouse}/online").absolute()
    return StoreSettings(folder, settings.online.store)


def _packaged(name: str) -> dict[str, Any]:
    file = files("conf") / f"{name}.yaml"
    if not file.is_file():
        known = [
            f.name.removesuffix(".yaml")
            for f in files("conf").iterdir()
            if f.name.endswith(".yaml") and f.name != "base.yaml"
        ]
        raise ConfigurationError(f"there is no environment '{name}'.{did_you_mean(name, known)}")
    return _parsed(file.read_text("utf-8"), f"conf/{name}.yaml")


def _read(path: Path) -> dict[str, Any]:
    try:
        return _parsed(path.read_bytes().decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{path}, line {line}: byte {error.object[error.start]:#04x} is not text in UTF-8. Give --conf the path of "
            "a YAML file, saved as UTF-8."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"the configuration {path} can't be read: {error.strerror}. Give --conf the path of a YAML file."
        ) from error


def _parsed(text: str, path: str) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise ConfigurationError(f"{path} holds no settings; write `key: value` lines, as in conf/base.yaml.")
    return tree


def _override(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigurationError(f"-s {text} sets nothing; write -s section.key=value, e.g. -s build.workers=2.")
    return _nested(key.split("."), value)


def _named(override: str) -> str:
    """An override of the command line as messages and `doctor` name it: a secret's value is masked."""
    key, equals, value = override.partition("=")
    return f"-s {key}{equals}{shown(key, value)}"


def _nested(keys: Sequence[str], text: str) -> dict[str, Any]:
    try:
        value: Any = yaml.safe_load(text) if text else ""
    except yaml.YAMLError as error:
        key = ".".join(keys)
        raise ConfigurationError(f"setting '{key}': {shown(key, text)!r} is not a YAML value; quote it.") from error
    for key in reversed(keys):
        value = {key: value}
    return dict(value)


def _merge(tree: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(tree.get(key), dict):
            _merge(tree[key], value)
        else:
            tree[key] = value


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _validated(tree: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        origin = origins.get(key, "the configuration")
        if first["type"] == "extra_forbidden":
            near = did_you_mean(key, set(origins) - {key})
            raise ConfigurationError(f"setting '{key}' (from {origin}) is unknown.{near}") from error
        value = first.get("input")
        found = repr(value) if shown(key, value) == str(value) else shown(key, value)
        raise ConfigurationError(
            f"setting '{key}' (from {origin}) has a wrong value {found}: {first['msg']}."
        ) from error
