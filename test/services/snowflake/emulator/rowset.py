"""Results as the Node driver reads them: rows of texts. fakesnow itself answers in Arrow, which that driver cannot read."""

import datetime
import math
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from fakesnow import rowtype as fakesnow_rowtype
from fakesnow.rowtype import ColumnInfo
from snowflake.connector.errors import ProgrammingError

# Types of DuckDB that fakesnow does not know; Snowflake has one kind of whole numbers.
fakesnow_rowtype.duckdb_to_sf_type.update(
    dict.fromkeys(["TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "UINTEGER", "UHUGEINT"], "fixed"), FLOAT="real"
)

Row = list[str | None]

_EPOCH = datetime.date(1970, 1, 1)


def rows_of(table: pa.Table, columns: list[ColumnInfo]) -> list[Row]:
    texts = []
    for column, info in zip(table.columns, columns):
        text = _TEXTS.get(info["type"], str)
        texts.append([None if value is None else text(value) for value in _plain(column).to_pylist()])
    return [list(row) for row in zip(*texts)]


def columns_of(described: list[tuple[Any, ...]]) -> list[ColumnInfo]:
    """From what DuckDB's DESCRIBE says."""
    return fakesnow_rowtype.describe_as_rowtype(described)


def column(name: str, duckdb_type: str = "VARCHAR") -> ColumnInfo:
    return columns_of([(name, duckdb_type, None, None, None, None)])[0]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments and times as microseconds: Python's own know no years after 9999."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    if pa.types.is_time(column.type):
        return column.cast(pa.time64("us")).cast(pa.int64())
    return column


def _seconds(microseconds: int) -> str:
    sign, (seconds, rest) = "-" if microseconds < 0 else "", divmod(abs(microseconds), 10**6)
    return f"{sign}{seconds}.{rest:06d}000"


def _real(value: float) -> str:
    if not math.isfinite(value):
        # In DuckDB a division by zero is infinity; what was never read stays unnoticed.
        raise ProgrammingError(msg="Division by zero", errno=100051, sqlstate="22012")
    return repr(float(value))


_TEXTS: dict[str, Callable[[Any], str]] = {
    "boolean": lambda value: "true" if value else "false",
    "date": lambda value: str((value - _EPOCH).days),
    "time": _seconds,
    "timestamp_ntz": _seconds,
    # 1440 minutes are no offset.
    "timestamp_tz": lambda value: f"{_seconds(value)} 1440",
    "binary": lambda value: value.hex().upper(),
    "real": _real,
}
