"""Every error a user can meet, as one tree; the number is the exit code of the process.

ZigguratError                     1
├── UsageError                    2   a wrong option or argument
├── DefinitionError              10   a definition that contradicts itself or what it reads
│   ├── UnknownName              11   a name that is declared nowhere: did you mean …
│   └── DefinitionChanged        12   a published meaning changed without a new version
├── SourceError                  20   a source is missing, or is not what it was declared to be
│   ├── SumOverflow              20   kernels: a sum left the range of its type
│   ├── SourceMissing            21
│   ├── SourceSchemaError        22   a missing or differently typed column
│   ├── SourceUnreadable         23   a corrupt file
│   ├── AsOfBeyondData           24
│   ├── StaticSourceChanged      25
│   ├── TooManyQuarantined       26
│   └── ExpressionFailed         27   an expression of a definition can't be computed for a row
├── GateFailed                   30   quality: an expectation did not hold; nothing was published
├── CouldNotCheck                31   quality: the expectations could not be evaluated
├── NotReleased                  32   a view of the service has no snapshot of that as-of
├── NotCertified                 33   pit_join: the finished training set broke a rule of its certificate
│   └── FutureLeak               39   pit_join: a cell changed when its future did
├── SpineError                   34   a spine that can't be joined
│   ├── SpineMissing             35   no such file or table, or one that can't be read
│   ├── SpineKeyError            36   a join key that is missing, or of another type
│   ├── LabelTimeError           37   label times that name no instant
│   └── SpineColumnsError        38   two columns of one name, or one that the result will write
├── LeaseHeld                    40   lakehouse: another run writes this table
├── Fenced                       41   lakehouse: a newer run took this table over
├── StorageError                 42   lakehouse: disk full, folder not writable
│   ├── TableMissing             42   nothing was published there yet
│   ├── TrainingSetMissing       43   jobs: no training set of that name, or one that was never finished
│   └── TrainingSetErased        45   jobs: a table version that its manifest names is gone
├── NotReproduced                44   jobs: built again from its manifest, a training set has other rows
├── ReportNotWritten             42   reports: the page of a run could not be stored
├── EnvironmentProblem           50   lakehouse: this machine can't run Spark and Delta together
│   ├── JavaProblem              51
│   ├── JarsMissing              52
│   └── VersionsDoNotFit         53
├── ConfigurationError           60   a setting that is unknown or has a wrong value
└── OnlineStoreError             70   online_store: the store can't answer
    ├── NothingExported          71   no snapshot was exported there yet
    ├── StoreLocked              72   another export is writing
    ├── StoreDamaged             73   half-written, or not what was verified
    └── StoreOfAnotherVersion    74   written by another version of the format

A message has what, where, what was found and what to do, in one sentence or two.
An error stands in the package that is named before the colon, ConfigurationError in ziggurat, all others here.
"""

import difflib
from collections.abc import Iterable


class ZigguratError(Exception):
    """The root: something that a user can put right; the command prints the message and ends with the exit code."""

    exit_code = 1


class UsageError(ZigguratError):
    exit_code = 2


class DefinitionError(ZigguratError):
    exit_code = 10


class UnknownName(DefinitionError):
    exit_code = 11


class DefinitionChanged(DefinitionError):
    exit_code = 12


class SourceError(ZigguratError):
    exit_code = 20


class SourceMissing(SourceError):
    exit_code = 21


class SourceSchemaError(SourceError):
    exit_code = 22


class SourceUnreadable(SourceError):
    exit_code = 23


class AsOfBeyondData(SourceError):
    exit_code = 24


class StaticSourceChanged(SourceError):
    exit_code = 25


class TooManyQuarantined(SourceError):
    exit_code = 26


class ExpressionFailed(SourceError):
    """An expression overflows, or a cast in it fails, on a value that is there."""

    exit_code = 27


class NotReleased(ZigguratError):
    exit_code = 32


class SpineError(ZigguratError):
    exit_code = 34


class SpineMissing(SpineError):
    exit_code = 35


class SpineKeyError(SpineError):
    exit_code = 36


class LabelTimeError(SpineError):
    exit_code = 37


class SpineColumnsError(SpineError):
    exit_code = 38


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the nearest known name, else the list of what is known."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f" Did you mean '{near[0]}'?"
    return f" Known: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}." if names else ""
