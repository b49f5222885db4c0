"""MERGE in one statement of DuckDB. fakesnow makes several and a table of them, which it cannot in a transaction."""

from typing import Any

from fakesnow.fakes import FakeSnowflakeConnection
from fakesnow.transforms.merge import operations
from sqlglot import exp

from rowset import Row

_ACTIONS = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}


def run(merge: exp.Merge, parameters: list[Any], connection: FakeSnowflakeConnection) -> tuple[list[str], Row]:
    """Names and values of the counts that Snowflake tells."""
    asked = [action for action, clauses in operations(merge).items() if clauses]
    cursor = connection.cursor()
    cursor.check_db_and_schema(merge)
    plain = cursor._transform(_without_target_names(merge.copy()), parameters)
    cursor._duck_conn.execute(f"{plain.sql(dialect='duckdb')} RETURNING merge_action", parameters or None)
    actions = [action for (action,) in cursor._duck_conn.fetchall()]
    return [f"number of rows {action}" for action in asked], [str(actions.count(_ACTIONS[action])) for action in asked]


def _without_target_names(merge: exp.Merge) -> exp.Merge:
    """SET t.a = … is SET a = … in DuckDB."""
    for when in merge.args["whens"].expressions:
        then = when.args["then"]
        for assignment in then.expressions if isinstance(then, exp.Update) else []:
            assignment.this.set("table", None)
    return merge
