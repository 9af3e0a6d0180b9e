"""Feast's Spark offline store: get_historical_features, with each row's creation time if the rule has two clocks."""

import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig
from feast.infra.offline_stores.contrib.spark_offline_store.spark import SparkOfflineStoreConfig
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, Map, String, UnixTimestamp
from feast.value_type import ValueType
from pyspark.sql import SparkSession

from benchmarks.conformance.questions import AVAILABILITY, TIE_BREAK, Question
from benchmarks.conformance.sessions import framed, session_in
from tests.support.drawn import kinds

NAME, VERSION = "Feast, Spark store", version("feast")
HAS_STRICT_EDGE = False
KNOWS = {AVAILABILITY, TIE_BREAK}
_KEYS = {"string": ValueType.STRING, "int": ValueType.INT32, "bigint": ValueType.INT64, "boolean": ValueType.BOOL}
_KEYS |= {"binary": ValueType.BYTES, "timestamp": ValueType.UNIX_TIMESTAMP}
_FIELDS: dict[str, Any] = {"string": String, "int": Int32, "bigint": Int64, "boolean": Bool, "binary": Bytes}
_FIELDS |= {"float": Float32, "double": Float64, "timestamp": UnixTimestamp, "array<int>": Array(Int32)}
_FIELDS |= {"map<string,int>": Map}


class Peer:
    def __init__(self, spark: SparkSession, scratch: Path) -> None:
        warnings.simplefilter("ignore")
        self._spark = spark
        self._scratch = scratch
        self._questions = 0

    def lacks(self, question: Question) -> str | None:
        """A type of the rule that it does not have."""
        types = kinds(question.rule.facts)
        names = [(name, _KEYS) for name in question.keys] + [(name, _FIELDS) for name in question.features]
        return next((f"{types[name]} as a type" for name, known in names if types[name] not in known), None)

    def answer(self, question: Question) -> pa.Table:
        self._questions += 1
        with session_in(self._spark, question.zone):
            spine = framed(self._spark, question.spine, question.rule.seen, question)
            job = self._store_of(question).get_historical_features(
                entity_df=spine.withColumnRenamed("label_time", "event_timestamp"),
                features=[f"view:{name}" for name in question.features],
                filter_by_created_timestamp=question.available_time is not None,
            )
            return job.to_spark_df().withColumnRenamed("event_timestamp", "label_time").toArrow()

    def _store_of(self, question: Question) -> FeatureStore:
        path = self._scratch / f"feast_{self._questions}"
        facts = framed(self._spark, question.facts, question.rule.facts, question)
        facts.coalesce(1).write.parquet(str(path / "facts"))
        config = RepoConfig(
            project="conformance",
            provider="local",
            registry=str(path / "registry.db"),
            offline_store=SparkOfflineStoreConfig(),
            online_store=None,
            entity_key_serialization_version=3,
        )
        store = FeatureStore(config=config)
        types = kinds(question.rule.facts)
        entities = [Entity(name=key, join_keys=[key], value_type=_KEYS[types[key]]) for key in question.keys]
        view = FeatureView(
            name="view",
            entities=entities,
            ttl=question.max_age,
            schema=[Field(name=name, dtype=_FIELDS[types[name]]) for name in question.features],
            source=SparkSource(
                name="facts",
                path=str(path / "facts"),
                file_format="parquet",
                timestamp_field="event_time",
                created_timestamp_column=question.available_time or next(iter(question.tie_break), None),
            ),
        )
        store.apply([*entities, view])
        return store
