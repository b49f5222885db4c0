"""What fakesnow does not know of stages: LIST and REMOVE of a path, COPY of a SELECT into one as Parquet, GET from one; and
COPY by names into a table of the session."""

import datetime
import hashlib
import re
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from fakesnow import copy_into
from fakesnow.fakes import FakeSnowflakeConnection
from fakesnow.transforms import stage

from rowset import Row
from statements import head

_COMMAND = re.compile(r"(LIST|LS|REMOVE|RM)\s+('?)@([^\s';]+)\2\s*(?:PATTERN\s*=\s*'([^']*)')?\s*;?\s*\Z", re.I)
_FIRST = re.compile(r"(LIST|LS|REMOVE|RM) '?@")
_UNLOAD = re.compile(
    r"\s*COPY\s+INTO\s+@([^\s';]+)\s+FROM\s*\((.*)\)\s*FILE_FORMAT\s*=\s*\(\s*TYPE\s*=\s*PARQUET\s*\)"
    r"\s+HEADER\s*=\s*TRUE\s+MAX_FILE_SIZE\s*=\s*\d+\s*;?\s*\Z",
    re.I | re.S,
)
_GET = re.compile(r"\s*GET\s+@([^\s';]+)\s+'file://([^']*)'\s*;?\s*\Z", re.I)

Answer = tuple[list[str], list[Row]]

_describe_table = copy_into._describe_table


def _describe(table: Any, connection: Any, *place: str | None) -> list[tuple[str, str]]:
    """fakesnow looks in the table's schema, where those of the session are not."""
    temporary = "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'temp' AND table_name = ?"
    return connection.execute(temporary, [table.name]).fetchall() or _describe_table(table, connection, *place)


copy_into._describe_table = _describe


def is_stage_command(sql: str) -> bool:
    return _FIRST.match(head(sql)) is not None


def run(sql: str, connection: FakeSnowflakeConnection) -> Answer:
    """Names of columns, and rows. Raises ValueError for what is no such command, ProgrammingError without the stage."""
    at = re.search(r"\b(?:LIST|LS|REMOVE|RM)\b", sql, re.I)
    command = _COMMAND.match(sql, at.start()) if at else None
    if command is None:
        raise ValueError(f"not understood: {sql}")
    verb, _, place, pattern = command.groups()
    files = _files(place, connection)
    if pattern:
        files = [file for file in files if re.fullmatch(pattern, stage.internal_file_name(str(file)))]
    return _list(files) if verb.upper() in ("LIST", "LS") else _remove(files)


def is_unload(sql: str) -> bool:
    return head(sql).startswith("COPY INTO @")


def is_get(sql: str) -> bool:
    return head(sql).startswith("GET @")


def unload(sql: str, connection: FakeSnowflakeConnection) -> Answer:
    """One file, named and typed as Snowflake does where it goes by what columns are: whole numbers are decimals."""
    found = _UNLOAD.match(sql)
    if found is None:
        raise ValueError(f"not understood: {sql}")
    cursor = connection.cursor()
    cursor.execute(found[2], server=True)
    table = cursor._arrow_table
    if table.num_rows == 0:
        return ["rows_unloaded", "input_bytes", "output_bytes"], [["0", "0", "0"]]
    wide = [pa.decimal128(38, 0) if pa.types.is_integer(kind.type) else kind.type for kind in table.schema]
    table = table.cast(pa.schema(list(zip(table.schema.names, wide))))
    file = Path(_folder(found[1], connection), "data_0_0_0.snappy.parquet")
    file.parent.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(table, file)
    size = str(file.stat().st_size)
    return ["rows_unloaded", "input_bytes", "output_bytes"], [[str(table.num_rows), size, size]]


def get(sql: str, connection: FakeSnowflakeConnection) -> dict[str, Any]:
    """What the driver needs to fetch the files by itself: it knows a stage that is a local folder."""
    found = _GET.match(sql)
    if found is None:
        raise ValueError(f"not understood: {sql}")
    folder = _folder(found[1], connection)
    return {
        "command": "DOWNLOAD",
        "stageInfo": {"locationType": "LOCAL_FS", "location": folder, "creds": {}},
        "src_locations": [file.name for file in _files(found[1], connection)],
        "localLocation": found[2],
        "parallel": 4,
    }


def _folder(place: str, connection: FakeSnowflakeConnection) -> str:
    name, _, path = place.partition("/")
    return stage.internal_dir(".".join(stage.parts_from_var(name, connection.database, connection.schema)), path)


def _files(place: str, connection: FakeSnowflakeConnection) -> list[Path]:
    """All whose path begins so: in a stage a path is a prefix, not a folder."""
    name, _, path = place.partition("/")
    parts = stage.parts_from_var(name, connection.database, connection.schema)
    lookup = stage.stage_lookup_sql(*parts, connection.table_stages)
    found = connection._duck_conn.execute(lookup).fetchone()
    if found is None:
        raise stage.not_found_error(".".join(parts))
    files = connection._duck_conn.execute(stage.internal_files_sql(stage.internal_dir(found[0], path)))
    return sorted(Path(file) for (file,) in files.fetchall())


def _list(files: list[Path]) -> Answer:
    return ["name", "size", "md5", "last_modified"], [
        [
            stage.internal_file_name(str(file)),
            str(file.stat().st_size),
            hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest(),
            format_datetime(datetime.datetime.fromtimestamp(file.stat().st_mtime, datetime.UTC), usegmt=True),
        ]
        for file in files
    ]


def _remove(files: list[Path]) -> Answer:
    for file in files:
        file.unlink()
    return ["name", "result"], [[stage.internal_file_name(str(file)), "removed"] for file in files]
