"""Lines of CSV of which a spreadsheet takes no cell for a formula: what is exported may come from anybody."""

import csv
import io
from collections.abc import Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet take a cell for one


def csv_line(cells: Sequence[str]) -> str:
    """A cell that would be taken for a formula gets an apostrophe."""
    line = io.StringIO()
    told = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
    csv.writer(line, lineterminator="\n").writerow(told)
    return line.getvalue()
