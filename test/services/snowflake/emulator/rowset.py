"""Results as the Node driver reads them: rows of texts. fakesnow itself answers in Arrow, which that driver cannot read."""

import datetime
import math
from typing import Any

import pyarrow as pa
from fakesnow import rowtype as fakesnow_rowtype
from fakesnow.arrow import to_sf
from fakesnow.rowtype import ColumnInfo
from snowflake.connector.errors import ProgrammingError

# Types of DuckDB that fakesnow does not know; Snowflake has one kind of whole numbers.
fakesnow_rowtype.duckdb_to_sf_type.update(
    dict.fromkeys(["TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "UINTEGER", "UHUGEINT"], "fixed"), FLOAT="real"
)

Row = list[str | None]


def rows_of(table: pa.Table, columns: list[ColumnInfo]) -> list[Row]:
    cells = to_sf(table, columns).columns
    texts = [[_text(value, info["type"]) for value in column.to_pylist()] for column, info in zip(cells, columns)]
    return [list(row) for row in zip(*texts)]


def columns_of(described: list[tuple[Any, ...]]) -> list[ColumnInfo]:
    """From what DuckDB's DESCRIBE says."""
    return fakesnow_rowtype.describe_as_rowtype(described)


def text_column(name: str) -> ColumnInfo:
    return columns_of([(name, "VARCHAR", None, None, None, None)])[0]


def _text(value: Any, kind: str) -> str | None:
    match kind:
        case _ if value is None:
            return None
        case "boolean":
            return "true" if value else "false"
        case "date":
            return str((value - datetime.date(1970, 1, 1)).days)
        case "time":
            seconds, nanoseconds = divmod(int(value), 10**9)
            return f"{seconds}.{nanoseconds:09d}"
        case "timestamp_ntz" | "timestamp_tz":
            if value["epoch"] is None:
                return None
            moment = f"{value['epoch']}.{value['fraction']:09d}"
            return f"{moment} {value['timezone']}" if kind == "timestamp_tz" else moment
        case "binary":
            return value.hex().upper()
        case "real":
            if not math.isfinite(value):
                # In DuckDB a division by zero is infinity; what was never read stays unnoticed.
                raise ProgrammingError(msg="Division by zero", errno=100051, sqlstate="22012")
            return repr(float(value))
        case _:
            return str(value)
