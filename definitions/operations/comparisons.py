"""What the comparisons of an entity with its group declare; `compute/cross.py` has their Spark expressions by name."""

from definitions.comparisons import comparison
from definitions.operations.declared import GroupOperation, Result

MEMBERS = GroupOperation(
    name="members",
    word="members",
    result=Result.COUNT,
    needs_input=False,
    needs_min_members=False,
    version=1,
)
RATIO_TO_MEAN = GroupOperation(
    name="ratio_to_mean",
    word="ratio_to_mean",
    result=Result.DOUBLE,
    in_quanta=True,
    version=1,
)
DIFFERENCE_TO_MEAN = GroupOperation(
    name="difference_to_mean",
    word="difference_to_mean",
    result=Result.DOUBLE,
    in_quanta=True,
    version=1,
)
SHARE_OF_TOTAL = GroupOperation(
    name="share_of_total",
    word="share_of_total",
    result=Result.DOUBLE,
    in_quanta=True,
    version=1,
)
RANK = GroupOperation(name="rank", word="rank", result=Result.COUNT, version=1)
PERCENTILE_RANK = GroupOperation(name="percentile_rank", word="percentile_rank", result=Result.DOUBLE, version=1)

COMPARISONS = (MEMBERS, RATIO_TO_MEAN, DIFFERENCE_TO_MEAN, SHARE_OF_TOTAL, RANK, PERCENTILE_RANK)

members = comparison(MEMBERS)
ratio_to_mean = comparison(RATIO_TO_MEAN)
difference_to_mean = comparison(DIFFERENCE_TO_MEAN)
share_of_total = comparison(SHARE_OF_TOTAL)
rank = comparison(RANK)
percentile_rank = comparison(PERCENTILE_RANK)
