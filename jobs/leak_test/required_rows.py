"""The facts that the leak test needs: all of a cohort, else those of the chosen entities; never chosen by time."""

from collections.abc import Callable, Mapping
from functools import reduce

from pyspark.sql import DataFrame

from definitions.registry import key_of
from definitions.services import FeatureService
from definitions.sources import Source
from definitions.views import Definition, DerivedView, Lookup
from jobs.leak_test.scenarios import everything_below


class RequiredRows:
    """The rows of every view that the views above it need.

    needs: by index of a selection, all views below it. entities: by index, the keys whose rows are needed.
    """

    def __init__(
        self,
        service: FeatureService,
        needs: Mapping[int, Mapping[str, Definition]],
        views: Mapping[str, Definition],
        entities: Mapping[int, DataFrame],
    ) -> None:
        self.service, self.views, self.entities = service, views, entities
        self.direct: dict[str, list[int]] = {}
        for index in needs:
            self.direct.setdefault(key_of(service.features[index].view), []).append(index)

    @property
    def key_columns(self) -> set[str]:
        """Every column that some view joins by: a replaced fact keeps its values in them."""
        names = {key for selection in self.service.features for key in selection.entity.key_names}
        for view in self.views.values():
            names |= set(view.key_names)
            names |= {key for lookup in view.lookups for key in lookup.on}
        return names

    def is_looked_up(self, source: Source) -> bool:
        return any(key_of(source) in everything_below(lookup.source) for _, lookup in self._lookups())

    def of(self, view: Definition) -> DataFrame | None:
        """The keys whose rows are needed, in columns of the view; None: all rows are."""
        keys = [self.entities[index] for index in self.direct.get(key_of(view), ())]
        for above in self.views.values():
            others = above.upstream if above.driver is None else above.upstream[1:]
            if any(key_of(other) == key_of(view) for other in others):
                return None
            if above.driver is not None and key_of(above.driver) == key_of(view):
                wanted = self.of(above)
                if wanted is None:
                    return None
                keys.append(wanted)
        if len({tuple(frame.columns) for frame in keys}) != 1:
            return None
        return reduce(DataFrame.union, keys).distinct()

    def columns_of(self, view: DerivedView) -> list[str] | None:
        """The columns that the views above read, where the definitions say so; None: keep all columns."""
        above = [each for each in self.views.values() if key_of(view) in {key_of(up) for up in each.upstream}]
        if key_of(view) in self.direct:
            return None
        read = {"event_time", "available_time", *view.root.tie_break, *filter(None, [view.root.tombstone])}
        for each in above:
            if each.columns_read is None:
                return None
            read |= each.columns_read
        return [name for name in view.schema if name in read]

    def of_raw(
        self, source: Source, published: Callable[[Definition], DataFrame], *, has_versions: bool
    ) -> DataFrame | None:
        """The keys whose raw rows are needed. A version may change its fact's keys: then every row is kept."""
        if has_versions:
            return None
        keys = self.of(source)
        if keys is not None:
            return keys if set(keys.columns) <= set(source.schema) else None
        return self._looked_up_keys(source, published)

    def _looked_up_keys(self, source: Source, published: Callable[[Definition], DataFrame]) -> DataFrame | None:
        """The keys of all rows that look the source up, if it is only read by look-ups."""
        pairs = [(driver, lookup) for driver, lookup in self._lookups() if key_of(lookup.source) == key_of(source)]
        is_read = any(
            above.driver is not None and key_of(above.driver) == key_of(source) for above in self.views.values()
        )
        by_facts = all(driver.is_delivered for driver, _ in pairs)
        if not pairs or is_read or key_of(source) in self.direct or not by_facts or len({e.on for _, e in pairs}) != 1:
            return None
        return reduce(
            DataFrame.union, [published(driver).select(*lookup.on).distinct() for driver, lookup in pairs]
        ).distinct()

    def _lookups(self) -> list[tuple[Source | DerivedView, Lookup]]:
        """Each look-up with the facts that it is made for."""
        views = self.views.values()
        return [(view.driver, each) for view in views if view.driver is not None for each in view.lookups]
