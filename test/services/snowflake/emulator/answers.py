"""Answers in Snowflake's words: what the driver takes for success, and for a failure it does not try again."""

import re
import uuid
from typing import Any

from fakesnow.rowtype import ColumnInfo
from snowflake.connector.errors import Error

from rowset import Row, column

Answer = dict[str, Any]
# The database and the schema of a session.
Place = tuple[str | None, str | None]

# Without these the driver cannot read dates and times.
FORMATS = {
    "TIMEZONE": "Etc/UTC",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
    "BINARY_OUTPUT_FORMAT": "HEX",
}

UNKNOWN, SELECT, DDL, MULTI = 0x0000, 0x1000, 0x6000, 0xA000


def parameters(values: dict[str, str]) -> list[dict[str, str]]:
    """As the server tells them."""
    return [{"name": name, "value": value} for name, value in values.items()]


def success(data: Any = None) -> Answer:
    return {"success": True, "code": None, "message": None, "data": data}


def failure(code: str, message: str, sql_state: str = "42000") -> Answer:
    data = {"errorCode": code, "sqlState": sql_state, "queryId": str(uuid.uuid4()), "internalError": False}
    return {"success": False, "code": code, "message": message, "data": data}


def unsupported(message: str) -> Answer:
    """What this emulator cannot do or will not take; not an answer of Snowflake."""
    return failure("261000", f"emulator: {message}", "0A000")


# What DuckDB says, and the code, state and message of Snowflake for it.
_FAILURES = [
    (
        r"(?:Table|View) with name (\S+) does not exist",
        ("002003", "42S02", "SQL compilation error:\nObject '{}' does not exist or not authorized."),
    ),
    (
        r"Referenced column \"([^\"]+)\" not found|does not have a column named \"([^\"]+)\"",
        ("000904", "42000", "SQL compilation error: error line 1 at position 0\ninvalid identifier '{}'"),
    ),
    (
        r"(?:Table|View) with name \"([^\"]+)\" already exists",
        ("002002", "42710", "SQL compilation error:\nObject '{}' already exists."),
    ),
]


def of_fakesnow(error: Error) -> Answer:
    text = error.raw_msg or error.msg or ""
    for pattern, (code, sql_state, message) in _FAILURES:
        if found := re.search(pattern, text):
            return failure(code, message.format(next(name for name in found.groups() if name)), sql_state)
    return failure(f"{error.errno:06d}", text, error.sqlstate or "42000")


def result(columns: list[ColumnInfo], rows: list[Row], kind: int, place: Place) -> Answer:
    database, schema = place
    return success(
        {
            "parameters": parameters(FORMATS),
            "rowtype": columns,
            "rowset": rows,
            "total": len(rows),
            "returned": len(rows),
            "queryId": str(uuid.uuid4()),
            "statementTypeId": kind,
            "queryResultFormat": "json",
            "version": 1,
            "finalDatabaseName": database,
            "finalSchemaName": schema,
            "finalRoleName": None,
            "finalWarehouseName": None,
        }
    )


def texts(names: list[str], rows: list[Row], kind: int, place: Place) -> Answer:
    return result([column(name) for name in names], rows, kind, place)


def done(place: Place, message: str = "Statement executed successfully.") -> Answer:
    return texts(["status"], [[message]], DDL, place)
