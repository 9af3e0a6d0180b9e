"""The rules of the point-in-time join as tables, by chapter: facts, and what each row of a spine sees of them.

The oracle answers them without Spark, every strategy on it, and docs/point-in-time.md shows them.
"""

from tests.spec.pit_join import clocks, keys, kinds, latest, spines, versions
from tests.spec.pit_join.rule import Chapter, Rule

__all__ = ["CHAPTERS", "RULES", "Chapter", "Rule"]

CHAPTERS = (clocks.CHAPTER, versions.CHAPTER, latest.CHAPTER, spines.CHAPTER, keys.CHAPTER, kinds.CHAPTER)
RULES = tuple(rule for chapter in CHAPTERS for rule in chapter.rules)
