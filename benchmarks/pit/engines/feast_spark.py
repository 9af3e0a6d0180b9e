"""Feast's Spark offline store. It knows only <=, so label times move back by a microsecond."""

import warnings
from pathlib import Path

from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig
from feast.infra.offline_stores.contrib.spark_offline_store.spark import SparkOfflineStoreConfig
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.types import Float64
from feast.value_type import ValueType
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.pit.cases import FEATURES, Question
from benchmarks.pit.engines.spark import opened


class Feast:
    def __init__(self, spark: SparkSession, scratch: Path) -> None:
        self._spark = spark
        self._scratch = scratch

    def answer(self, question: Question, output: Path) -> None:
        store = self._store_of(question)
        moved = F.expr("label_time - INTERVAL '0.000001' SECOND")
        spine = self._spark.read.parquet(str(question.spine)).withColumn("event_timestamp", moved).drop("label_time")
        features = [f"h{number}:{name}" for number in range(len(question.histories)) for name in FEATURES]
        job = store.get_historical_features(entity_df=spine, features=features, full_feature_names=True)
        back = F.expr("event_timestamp + INTERVAL '0.000001' SECOND")
        answered = job.to_spark_df().withColumn("label_time", back).drop("event_timestamp")
        answered.write.mode("overwrite").parquet(str(output))

    def _store_of(self, question: Question) -> FeatureStore:
        config = RepoConfig(
            project="bench",
            provider="local",
            registry=str(self._scratch / "registry.db"),
            offline_store=SparkOfflineStoreConfig(),
            online_store=None,
            entity_key_serialization_version=3,
        )
        store = FeatureStore(config=config)
        entity = Entity(name="entity", join_keys=["entity_id"], value_type=ValueType.INT64)
        views = [self._view(f"h{number}", path, entity) for number, path in enumerate(question.histories)]
        store.apply([entity, *views])
        return store

    def _view(self, name: str, path: Path, entity: Entity) -> FeatureView:
        source = SparkSource(
            name=f"{name}_source",
            path=str(path),
            file_format="parquet",
            timestamp_field="event_time",
            created_timestamp_column="seq",
        )
        return FeatureView(
            name=name,
            entities=[entity],
            schema=[Field(name=feature, dtype=Float64) for feature in FEATURES],
            source=source,
        )


def start(scratch: Path, shuffle_partitions: int) -> Feast:
    warnings.simplefilter("ignore")
    return Feast(opened(scratch, shuffle_partitions), scratch)
