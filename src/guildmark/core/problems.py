"""What was wrong with one row of a bulk input: the good rows are done, the bad ones are listed with these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Row `row` (1 is the first row of data, as a spreadsheet without its heading), field `field`, what to mend."""

    row: int
    field: str
    says: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.field}: {self.says}" if self.field else f"row {self.row}: {self.says}"
