"""What DuckDB forgets of DDL and Snowflake's information schema tells: clustering keys, and views as they were written."""

import re
from dataclasses import dataclass, field

from statements import head

Name = tuple[str, str]

_NAME = r'((?:[\w$]+\.)*[\w$]+)'
_CREATE_TABLE = re.compile(rf"CREATE (?:OR REPLACE )?(?:TRANSIENT |TEMPORARY )?TABLE (?:IF NOT EXISTS )?{_NAME}", re.I)
_CREATE_VIEW = re.compile(rf"CREATE (?:OR REPLACE )?VIEW (?:IF NOT EXISTS )?{_NAME}", re.I)
_ALTER = re.compile(rf"ALTER TABLE (?:IF EXISTS )?{_NAME} (CLUSTER BY|DROP CLUSTERING KEY)", re.I)
_DROP = re.compile(rf"DROP (?:TABLE|VIEW) (?:IF EXISTS )?{_NAME}", re.I)
_KEY = re.compile(r"\bCLUSTER BY\s*\(([^)]*)\)", re.I)
# Of each column the text to put in its place, and what a row is found by.
_COLUMN = re.compile(r"(?<!\bas )\b(?:(\w+)\.)?(clustering_key|view_definition)\b", re.I)


@dataclass
class Memory:
    """Of one database: by schema and name, both in capitals."""

    keys: dict[Name, str] = field(default_factory=dict)
    views: dict[Name, str] = field(default_factory=dict)

    def note(self, sql: str, schema: str | None) -> None:
        """After a statement that was executed."""
        text = head(sql)
        if found := _CREATE_TABLE.match(text):
            self.keys.pop(_name(found[1], schema), None)
            self._cluster(_name(found[1], schema), text)
        elif found := _ALTER.match(text):
            self.keys.pop(_name(found[1], schema), None)
            self._cluster(_name(found[1], schema), text)
        elif found := _CREATE_VIEW.match(text):
            self.views[_name(found[1], schema)] = sql.strip()
        elif found := _DROP.match(text):
            self.keys.pop(_name(found[1], schema), None)
            self.views.pop(_name(found[1], schema), None)

    def told(self, sql: str) -> str:
        """The statement with what is remembered in place of the two columns of the information schema."""
        if "INFORMATION_SCHEMA" not in sql.upper():
            return sql
        return _COLUMN.sub(lambda found: self._column(found[2].lower(), found[1]), sql)

    def _column(self, column: str, alias: str | None) -> str:
        kept = self.keys if column == "clustering_key" else self.views
        of = f"{alias}." if alias else ""
        cases = [
            f"WHEN {of}table_schema = {_text(schema)} AND {of}table_name = {_text(name)} THEN {_text(told)}"
            for (schema, name), told in kept.items()
        ]
        return f"(CASE {' '.join(cases)} ELSE NULL END)" if cases else "CAST(NULL AS VARCHAR)"

    def _cluster(self, name: Name, text: str) -> None:
        if key := _KEY.search(text):
            self.keys[name] = f"LINEAR({', '.join(part.strip() for part in key[1].split(','))})"


def _name(written: str, schema: str | None) -> Name:
    parts = written.upper().split(".")
    return (parts[-2] if len(parts) > 1 else (schema or "").upper(), parts[-1])


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
