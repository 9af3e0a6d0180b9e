"""What a plan asks of the rows of raw, where the ledger is not enough; no value of a feature is read.

`questions` is the protocol. `delta.DeltaStatistics` answers without Spark, `spark.SparkStatistics` with it, alike;
`of_build.BuildStatistics` takes the first for small tables.
"""
