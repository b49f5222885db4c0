"""Reads every file of an export with DuckDB, Polars and pandas, and says where one has not the rows that are expected.

usage: read_export.py FOLDER EXPECTED.json, which has for each table its columns, their types and its rows as lpa prints them.
"""

import json
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas
import polars

FOLDER = Path(sys.argv[1])


def by_duckdb(file):
    return duckdb.read_parquet(str(file)).fetchall()


def by_polars(file):
    return polars.read_parquet(file).rows()


def by_pandas(file):
    frame = pandas.read_parquet(file, dtype_backend="pyarrow")
    return list(zip(*(frame[name].array.__arrow_array__().to_pylist() for name in frame.columns)))


# What a reader must take a column for; a float in place of an integer or a decimal is an error.
PYTHON_TYPES = {
    "text": str, "json": str, "integer": int, "decimal": Decimal, "double": float,
    "boolean": bool, "date": date, "timestamp": datetime,
}


def expected_value(text, type_name):
    if text is None or type_name in ("text", "json", "integer", "boolean"):
        return text
    if type_name == "timestamp":
        return datetime.fromisoformat(text).astimezone(timezone.utc).replace(tzinfo=None)
    if type_name == "date":
        return date.fromisoformat(text)
    return PYTHON_TYPES[type_name](text)


def ordered(rows):
    return sorted(rows, key=repr)


def wrong(rows, expected, types):
    for row in rows:
        for value, type_name in zip(row, types):
            if value is not None and type(value) is not PYTHON_TYPES[type_name]:
                return f"{value!r} is no {type_name}"
    if len(rows) != len(expected):
        return f"{len(rows)} rows, not {len(expected)}"
    for found, wanted in zip(ordered(rows), ordered(expected)):
        if found != wanted:
            return f"{found!r}, not {wanted!r}"
    return None


def main():
    tables = json.loads(Path(sys.argv[2]).read_text())
    found = {}
    for table, told in tables.items():
        types = [column["type"] for column in told["columns"]]
        expected = [tuple(map(expected_value, row, types)) for row in told["rows"]]
        for read in (by_duckdb, by_polars, by_pandas):
            found[f"{read.__name__} {table}"] = wrong(read(FOLDER / f"{table}.parquet"), expected, types)
    print(json.dumps(found))


main()
