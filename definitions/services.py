"""A feature service: the ordered features that one model uses, from views of one or several entities."""

from dataclasses import dataclass, field
from functools import cached_property

from definitions.durations import SECOND_US, duration_us
from definitions.entities import Entity
from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.names import check_name, first_duplicate
from definitions.views import Definition

_LABEL_TIME = "label_time"


@dataclass(frozen=True)
class ServedColumn:
    """One column of a training set: `{view}__{feature}`, or `{role}_{view}__{feature}`."""

    name: str
    feature: str
    type: str
    unit: str = ""
    doc: str = ""


@dataclass(frozen=True)
class Selection:
    """What a service takes from one view, for one role of the entity that the view describes.

    A spine names the entity by the view's join keys, in a role by `{role}_{key}`. `max_age` is S18's; empty: no limit.
    """

    view: Definition
    entity: Entity
    names: tuple[str, ...]
    role: str = ""
    max_age: str = ""

    def __post_init__(self) -> None:
        for key, type_ in self.entity.keys:
            view_type = self.view.join_columns.get(key)
            if view_type != type_:
                raise DefinitionError(
                    f"'{self.view.name}' can't be joined by {self.entity.name}: key '{key}' is {type_} in the entity "
                    f"but {view_type or 'missing'} in the view."
                )
        if self.role:
            check_name(self.role, f"role of '{self.view.name}'")
        if duplicate := first_duplicate(self.names):
            raise DefinitionError(f"'{self.view.name}': feature '{duplicate}' is taken twice.")
        selectable = self.view.selectable
        for name in self.names:
            if name not in selectable:
                near = did_you_mean(name, selectable)
                raise UnknownName(f"'{name}' is not a feature of '{self.view.name}' v{self.view.version}.{near}")
        self._check_age()

    def _check_age(self) -> None:
        if not self.max_age:
            return
        us = duration_us(self.max_age, where=f"max_age of '{self.view.name}'")
        if self.is_static:
            raise DefinitionError(f"'{self.view.name}' is static: without a time it has no age; leave max_age out.")
        least = self.view.successor_after_us
        if us < least:
            raise DefinitionError(
                f"max_age {self.max_age} of '{self.view.name}' is shorter than its cadence and publish_delay "
                f"together ({least // SECOND_US:,} s): values would expire before their successor is out (S18)."
            )

    @property
    def name(self) -> str:
        """The prefix of its columns."""
        return f"{self.role}_{self.view.name}" if self.role else self.view.name

    @property
    def spine_keys(self) -> tuple[str, ...]:
        """The spine's columns that name the entity, in the order of its keys."""
        return tuple(f"{self.role}_{key}" if self.role else key for key in self.entity.key_names)

    @property
    def max_age_us(self) -> int | None:
        return duration_us(self.max_age) if self.max_age else None

    @property
    def is_static(self) -> bool:
        return self.view.is_static

    @property
    def is_snapshot(self) -> bool:
        return self.view.is_snapshot

    @cached_property
    def columns(self) -> tuple[ServedColumn, ...]:
        known = self.view.selectable
        return tuple(
            ServedColumn(f"{self.name}__{name}", name, known[name].type, known[name].unit, known[name].doc)
            for name in self.names
        )


def features_of(
    view: Definition, *names: str, entity: Entity | None = None, role: str = "", max_age: str = ""
) -> Selection:
    """Some features of a view, or all when none is named. Raw and derived views need the entity to join by."""
    joined_by = view.entity or entity
    if joined_by is None:
        raise DefinitionError(
            f"'{view.name}' holds facts: name the entity to join by, e.g. features_of({view.name}, entity=household)."
        )
    if entity is not None and entity != joined_by:
        raise DefinitionError(f"'{view.name}' describes {joined_by.name}, not {entity.name}; leave entity out.")
    taken = names or tuple(name for name in view.selectable if name not in joined_by.key_names)
    return Selection(view, joined_by, taken, role, max_age)


@dataclass(frozen=True)
class FeatureService:
    """Ordered features, as one model is trained on them and served. Its version is the end of its name: `churn_v1`."""

    name: str
    features: tuple[Selection, ...] = field(kw_only=True)
    owner: str = field(kw_only=True)
    doc: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        check_name(self.name, "feature service")
        if not self.features:
            raise DefinitionError(f"service '{self.name}' takes no features; add features_of(view, …).")
        names = [selection.name for selection in self.features]
        if duplicate := first_duplicate(names):
            raise DefinitionError(
                f"service '{self.name}': two selections would be called '{duplicate}'; take all features of a view at "
                "once, or give one of them a role."
            )
        types: dict[str, str] = {}
        for key, type_ in self.keys:
            if types.setdefault(key, type_) != type_:
                raise DefinitionError(f"service '{self.name}': spine key '{key}' is {types[key]} and {type_} at once.")
        self._check_keys()
        self._check_columns()

    def _check_keys(self) -> None:
        """A spine's column can't name two things: an entity's key, and another one's in a role."""
        origins: dict[str, tuple[str, str]] = {}
        for selection in self.features:
            for column, key in zip(selection.spine_keys, selection.entity.key_names, strict=True):
                other = origins.setdefault(column, (selection.role, key))
                if other != (selection.role, key):
                    named = " and ".join(_key_in_words(*origin) for origin in (other, (selection.role, key)))
                    raise DefinitionError(
                        f"service '{self.name}': the spine's column '{column}' would be {named}; choose another role."
                    )

    def _check_columns(self) -> None:
        """Every column that a training set or a batch frame has must come from one place."""
        origins = {key: f"the join key '{key}'" for key, _ in self.keys} | {_LABEL_TIME: "the label time"}
        named = [
            (column.name, f"'{column.feature}' of '{selection.name}'")
            for selection in self.features
            for column in selection.columns
        ]
        ages = [
            (f"{selection.name}__age", f"the age of '{selection.name}' in batch frames")
            for selection in self.features
            if not selection.is_static
        ]
        for name, origin in [*named, *ages]:
            if name in origins:
                raise DefinitionError(
                    f"service '{self.name}': {origins[name]} and {origin} would both be the column '{name}'; give one "
                    "of them another name, or a role."
                )
            origins[name] = origin

    @property
    def where(self) -> str:
        return f"service '{self.name}'"

    @cached_property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Every join key that a spine must have, with its type, once each."""
        keys = [
            (key, type_)
            for selection in self.features
            for key, (_, type_) in zip(selection.spine_keys, selection.entity.keys, strict=True)
        ]
        return tuple(dict.fromkeys(keys))

    @cached_property
    def columns(self) -> tuple[ServedColumn, ...]:
        return tuple(column for selection in self.features for column in selection.columns)

    @property
    def publish_delay_us(self) -> int:
        """How long after T the last of its snapshots is out."""
        return max(selection.view.publish_delay_us for selection in self.features)


def _key_in_words(role: str, key: str) -> str:
    return f"the key '{key}' in the role '{role}'" if role else f"the key '{key}'"
