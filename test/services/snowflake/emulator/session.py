"""One signed-in session: runs statements one after the other, in a connection of its own to the common data."""

import re
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

import duckdb
import snowflake.connector.errors
from fakesnow.converter import from_binding
from fakesnow.dialect import parse_one
from fakesnow.fakes import FakeSnowflakeConnection
from fakesnow.statement_type import statement_type_id
from sqlglot import exp

import answers
import merge
import rowset
import stage_files
import statements
from answers import Answer, Place
from governance import Governance, Refused, Tables
from locks import Locks, locked_table
from memory import Memory

_TRANSACTION = re.compile(r"\bCURRENT_TRANSACTION\s*\(\s*\)", re.I)

Binds = dict[str, dict[str, Any]]


@dataclass
class Entry:
    """A statement in the log, in the order they came."""

    sql: str
    session: int
    # Of the connection or of the statement.
    tag: str | None
    binds: list[Any]
    # executed, changed or recorded (see statements.py), refused, failed, canceled, fault, running
    outcome: str = "running"
    message: str | None = None


@dataclass
class Session:
    id: int
    # At sign-in: the log and the faults of one database are the business of one test.
    database: str
    tag: str | None
    connection: FakeSnowflakeConnection
    memory: Memory
    locks: Locks
    governance: Governance
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    is_in_transaction: bool = False
    # Off, a statement that changes rows begins a transaction where there is none.
    autocommit: bool = True
    # How many there were.
    _transactions: int = 0
    # By DuckDB, after a statement failed in it; Snowflake would go on with it.
    is_given_up: bool = False
    # Of Snowflake itself: half a day.
    lock_timeout: float = 43200
    # By which the driver writes dates and times: it is told with every result.
    formats: dict[str, str] = field(default_factory=lambda: dict(answers.FORMATS))
    _canceled: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def place(self) -> Place:
        return self.connection.database, self.connection.schema

    def cancel(self) -> None:
        self._canceled.set()
        self.connection._duck_conn.interrupt()

    def end(self) -> None:
        """What is not committed is gone."""
        self.cancel()
        with self._turn:
            self.connection.close()
            self.locks.release(self)

    def abort(self) -> None:
        """What was changed in the transaction is gone, and the session goes on without one."""
        with self._turn:
            if self.is_in_transaction:
                self.connection._duck_conn.rollback()
            self.is_in_transaction = self.is_given_up = False
            self.locks.release(self)

    def run(self, entry: Entry, binds: Binds, describe_only: bool) -> Answer:
        with self._turn:
            self._canceled.clear()
            try:
                answer = self._run(entry, binds, describe_only)
            except snowflake.connector.errors.Error as error:
                answer = answers.of_fakesnow(error)
            except duckdb.InterruptException:
                answer = answers.failure("000604", "SQL execution canceled", "57014")
                entry.outcome = "canceled"
            except duckdb.ConstraintException as error:
                answer = answers.failure("100072", f"NULL result in a non-nullable column: {error}", "22000")
            except duckdb.TransactionException as error:
                answer = _transaction_failure(error)
            except Refused as error:
                answer = answers.failure(error.code, str(error), error.state)
            except Exception as error:
                answer = answers.unsupported(f"{type(error).__name__}: {error}")
            if self.is_in_transaction and not answer["success"]:
                self._see_whether_given_up()
            if not self.is_in_transaction:
                self.locks.release(self)
        if "parameters" in (answer["data"] or {}):
            answer["data"]["parameters"] = answers.parameters(self.formats)
        if not answer["success"]:
            entry.message = answer["message"]
            entry.outcome = "failed" if entry.outcome == "running" else entry.outcome
        elif entry.outcome == "running":
            entry.outcome = "executed"
        return answer

    def _run(self, entry: Entry, binds: Binds, describe_only: bool) -> Answer:
        sql = entry.sql
        if refusal := self._refusal(sql):
            entry.outcome = "refused"
            return answers.unsupported(refusal)
        if table := locked_table(sql, self.connection.schema):
            if not self.locks.take(table, self, self.lock_timeout, self._canceled.is_set):
                return self._not_locked(entry, table)
        if told := self.governance.told(sql, self._tables):
            return answers.texts(*told, answers.SELECT, self.place)
        if statements.is_recorded(sql):
            self.governance.record(sql, self._tables)
            self._note_settings(sql)
            entry.outcome = "recorded"
            return answers.done(self.place)
        if stage_files.is_stage_command(sql):
            return answers.texts(*stage_files.run(sql, self.connection), answers.UNKNOWN, self.place)
        if not self.autocommit and not self.is_in_transaction and statements.is_dml(sql):
            self.connection._duck_conn.begin()
            self._follow_transaction("BEGIN")
        if stage_files.is_unload(sql):
            return answers.texts(*stage_files.unload(sql, self.connection), answers.UNKNOWN, self.place)
        if stage_files.is_get(sql):
            return answers.success(stage_files.get(sql, self.connection))
        plain = statements.runnable(_TRANSACTION.sub(self._transaction(), sql))
        answer = self._ask(self.memory.told(plain.sql), _parameters(binds, plain.lost_binds), describe_only)
        if plain.is_changed:
            entry.outcome = "changed"
        self._follow_transaction(sql)
        self.memory.note(sql, self.connection.schema)
        return answer

    def _tables(self) -> Tables:
        found: Tables = {}
        views = "SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE database_name = ?"
        connection = self.connection._duck_conn.cursor()
        is_view = {name for (name,) in connection.execute(views, [self.database]).fetchall()}
        columns = (
            "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = ?"
        )
        for name, column, kind in connection.execute(columns, [self.database]).fetchall():
            relation = "VIEW" if name in is_view else "TABLE"
            found.setdefault(name.upper(), (relation, {}))[1][column.upper()] = kind
        return found

    def _refusal(self, sql: str) -> str | None:
        if self.is_given_up and statements.head(sql).startswith("COMMIT"):
            return "a statement of this transaction failed, for which DuckDB gave up all of it: ROLLBACK"
        if self.is_in_transaction and statements.is_ddl(sql):
            return "this is DDL inside a transaction, which Snowflake would commit first: COMMIT before it"
        if self.is_in_transaction and statements.autocommit(sql):
            return "what AUTOCOMMIT does to an open transaction is not said: COMMIT before it"
        if name := statements.duckdb_function(sql):
            return f"Snowflake has no function {name}"
        return None

    def _not_locked(self, entry: Entry, table: str) -> Answer:
        if self._canceled.is_set():
            entry.outcome = "canceled"
            return answers.failure("000604", "SQL execution canceled", "57014")
        held = f"has locked table '{table}' in a transaction and this lock has not yet been released"
        return answers.failure("000625", f"Statement '...' {held}.", "57014")

    def _note_settings(self, sql: str) -> None:
        if found := re.search(r"ALTER SESSION SET .*\bLOCK_TIMEOUT = (\d+)", statements.head(sql)):
            self.lock_timeout = float(found[1])
        self.formats.update(statements.output_formats(sql))
        if found := statements.autocommit(sql):
            self.autocommit = found == "TRUE"

    def _transaction(self) -> str:
        return f"'{self.id}-{self._transactions}'" if self.is_in_transaction else "CAST(NULL AS VARCHAR)"

    def _follow_transaction(self, sql: str) -> None:
        text = statements.head(sql)
        if text.startswith(("BEGIN", "START TRANSACTION")):
            if not self.is_in_transaction:
                self._transactions += 1
            self.is_in_transaction = True
        elif text.startswith(("COMMIT", "ROLLBACK")):
            self.is_in_transaction = self.is_given_up = False

    def _see_whether_given_up(self) -> None:
        try:
            self.connection._duck_conn.execute("SELECT 1")
        except duckdb.TransactionException:
            self.is_given_up = True

    def _ask(self, sql: str, parameters: list[list[Any]], describe_only: bool) -> Answer:
        parsed = parse_one(sql)
        kind = statement_type_id(parsed)
        cursor = self.connection.cursor()
        if describe_only and (described := cursor._describe_only(sql)) is not None:
            return answers.result(rowset.columns_of(described), [], kind, self.place)
        if isinstance(parsed, exp.Merge):
            names, counts = merge.run(parsed, parameters[0], self.connection)
            return answers.result([rowset.column(name, "BIGINT") for name in names], [counts], kind, self.place)
        affected = 0
        for row in parameters:
            cursor.execute(sql, binding_params=row, server=True)
            affected += cursor.rowcount or 0
        if put := cursor._last_transformed and cursor._last_transformed.args.get("put_stage_data"):
            # The driver copies the file itself: it knows a stage that is a local folder, for Snowflake's own tests.
            return answers.success(put)
        columns = rowset.columns_of(cursor._describe_last_sql())
        if len(parameters) > 1:
            return answers.result(columns, [[str(affected)]], kind, self.place)
        return answers.result(columns, rowset.rows_of(cursor._arrow_table, columns), kind, self.place)


def _transaction_failure(error: duckdb.TransactionException) -> Answer:
    """Where DuckDB finds a conflict at once, Snowflake waits for the lock, and says this when it waited too long."""
    if "conflict" in str(error).lower():
        return answers.failure("000625", f"Statement was aborted because a lock was held: {error}", "57014")
    return answers.unsupported(f"TransactionException: {error}")


def _parameters(binds: Binds, lost: frozenset[int]) -> list[list[Any]]:
    """One list of values for each time that the statement is executed: more than one for arrays."""
    columns = [
        (bind, bind["value"])
        for position, bind in sorted(((int(name) - 1, bind) for name, bind in binds.items()), key=lambda pair: pair[0])
        if position not in lost
    ]
    if not any(isinstance(value, list) for _, value in columns):
        return [[_value(bind, value) for bind, value in columns]]
    return [list(row) for row in zip(*([_value(bind, value) for value in values] for bind, values in columns))]


def _value(bind: dict[str, Any], value: str | None) -> Any:
    if value is None:
        return None
    return float(value) if bind["type"] == "REAL" else from_binding({**bind, "value": value})
