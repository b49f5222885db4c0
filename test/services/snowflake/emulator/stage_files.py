"""LIST and REMOVE of a path of a stage, which fakesnow does not know."""

import datetime
import hashlib
import re
from email.utils import format_datetime
from pathlib import Path

from fakesnow.fakes import FakeSnowflakeConnection
from fakesnow.transforms import stage

from rowset import Row
from statements import head

_COMMAND = re.compile(r"(LIST|LS|REMOVE|RM)\s+('?)@([^\s';]+)\2\s*(?:PATTERN\s*=\s*'([^']*)')?\s*;?\s*\Z", re.I)
_FIRST = re.compile(r"(LIST|LS|REMOVE|RM) '?@")

Answer = tuple[list[str], list[Row]]


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
