"""What to aggregate: outputs, their windows, and the grid of as-of instants that are computed in one pass."""

from dataclasses import dataclass

import pyarrow as pa

from definitions.errors import DefinitionError
from definitions.operations.declared import Reads, Result, WindowOperation
from definitions.operations.table import window_operation
from kernels.operations.kernel import ResultColumn

LARGEST_DIVISOR = 10**9  # count * divisor stays inside 64 bits for every count that fits in memory


@dataclass(frozen=True)
class Output:
    """One column of the result: an operation over one input, one filter, one window.

    `mask` names a boolean column; a row where it is null or false doesn't count. `window_us` None is
    lifetime. Inputs are integers in units of 1/`divisor` (quantum 0.01: 100). `type` None means what the operation
    declares: int64 for counts and for sums with divisor 1, float64 for other sums and quotients, the input's own type
    for choices among inputs (float64 with a divisor). Raises DefinitionError for what has no meaning.
    """

    name: str
    operation: str
    input: str | None
    mask: str | None
    window_us: int | None
    divisor: int = 1
    type: pa.DataType | None = None

    def __post_init__(self) -> None:
        label = f"output '{self.name}'"
        if self.input is None and self.declared.reads is not Reads.ROWS:
            raise DefinitionError(f"{label}: {self.operation} needs an input; only a count of rows has none")
        if self.window_us is not None and self.window_us <= 0:
            raise DefinitionError(
                f"{label}: a window of {self.window_us} µs holds nothing; make it positive, or None for lifetime"
            )
        if not 1 <= self.divisor <= LARGEST_DIVISOR:
            raise DefinitionError(f"{label}: divisor {self.divisor} is outside 1 to {LARGEST_DIVISOR}")
        if self.declared.result is Result.SUM and self.type not in (None, pa.int64(), pa.float64()):
            raise DefinitionError(f"{label}: a {self.operation} is int64 or float64, not {self.type}")
        if self.declared.result is Result.SUM and self.type == pa.int64() and self.divisor != 1:
            raise DefinitionError(f"{label}: a {self.operation} in units of 1/{self.divisor} is not an int64")

    @property
    def declared(self) -> WindowOperation:
        return window_operation(self.operation, where=f"output '{self.name}'")

    def result(self, input_type: pa.DataType | None) -> ResultColumn:
        """The column of the result, given the type of its input (None for count(*))."""
        return ResultColumn(self.name, self._type(input_type), self.input or "*", self.divisor)

    def _type(self, input_type: pa.DataType | None) -> pa.DataType:
        if self.type is not None:
            return self.type
        is_whole = self.divisor == 1
        match self.declared.result:
            case Result.COUNT:
                return pa.int64()
            case Result.SUM if is_whole:
                return pa.int64()
            case Result.INPUT if is_whole:
                return input_type
        return pa.float64()


@dataclass(frozen=True)
class WindowPlan:
    """Outputs per entity for every instant of an ascending grid, each at its own cut T + `cut_delay_us`.

    Times are microseconds since the epoch, UTC. `tie_break` is between event time and available time in
    the order of facts (S9); `view_columns` is its last resort, in the view's declared order. It defaults to
    the plan's inputs in order of appearance: name them where plans for parts of one view must agree.
    """

    keys: tuple[str, ...]
    grid_us: tuple[int, ...]
    cut_delay_us: int
    history_start_us: int | None
    tie_break: tuple[str, ...]
    outputs: tuple[Output, ...]
    view_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.keys:
            raise DefinitionError("a window plan needs the join keys of its entity; it has none")
        if not self.grid_us or any(a >= b for a, b in zip(self.grid_us, self.grid_us[1:], strict=False)):
            raise DefinitionError(
                f"a window plan needs at least one instant, strictly ascending; it has {len(self.grid_us)}, "
                "empty or out of order: sort them and drop duplicates"
            )
        if self.cut_delay_us < 0:
            raise DefinitionError(f"a cut comes at or after its instant; the delay is {self.cut_delay_us} µs")
        names = [*self.keys, "event_time", *(output.name for output in self.outputs)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DefinitionError(f"two columns of the result would be named {', '.join(twice)}: rename one")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs of all outputs, once each, in order of appearance."""
        return tuple(dict.fromkeys(output.input for output in self.outputs if output.input is not None))

    @property
    def masks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(output.mask for output in self.outputs if output.mask is not None))
