"""Snowflake's locks: who updates or deletes rows of a table holds it until the transaction ends, and others wait for it.

DuckDB has no such locks. It finds conflicts of rows at once, and none where an UPDATE changes nothing.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

from statements import head

_CHANGE = re.compile(r"(?:UPDATE|DELETE FROM|MERGE INTO)\s+([\w$.\"]+)")
_POLL_SECONDS = 0.05


def locked_table(sql: str, schema: str | None) -> str | None:
    """What a statement locks: SCHEMA.TABLE. Rows that are inserted are in nobody's way."""
    if not (found := _CHANGE.match(head(sql))):
        return None
    parts = found[1].replace('"', "").split(".")
    return ".".join(parts[-2:]) if len(parts) > 1 else f"{schema}.{parts[0]}"


@dataclass
class Locks:
    """Of one database: tables, and who holds them."""

    _holders: dict[str, object] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, table: str, holder: object, seconds: float, is_canceled: Callable[[], bool]) -> bool:
        """Whether it is the holder's, after so many seconds at most."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._holders.setdefault(table, holder) is not holder:
                if is_canceled() or time.monotonic() >= deadline:
                    return False
                self._changed.wait(_POLL_SECONDS)
            return True

    def release(self, holder: object) -> None:
        with self._changed:
            for table in [table for table, held_by in self._holders.items() if held_by is holder]:
                del self._holders[table]
            self._changed.notify_all()
