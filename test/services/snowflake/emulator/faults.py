"""Faults that tests order, each for a number of requests of the sessions of one database."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from rowset import Row

Kind = Literal["status", "drop", "slow", "lose-reply", "answer", "abort", "rows"]


@dataclass
class Fault:
    """
    status      HTTP `status` instead of an answer; nothing is executed
    drop        the connection ends without an answer; nothing is executed
    slow        executed after `seconds`; can be cancelled meanwhile
    lose-reply  executed (once, however often the driver asks again), then the connection ends without an answer, or
                with `status` as a proxy's
    answer      Snowflake's error `code` with `message`; nothing is executed
    abort       somebody ended the session's transaction (SYSTEM$ABORT_TRANSACTION), then executed
    rows        no fault: the result `rows`, for what fakesnow does not have (query history, clustering)
    """

    kind: Kind
    database: str
    on: Literal["statement", "login", "renewal"] = "statement"
    # A regular expression that is found in the statement.
    match: str = ""
    times: int = 1
    status: int = 500
    seconds: float = 0
    code: str = "000000"
    message: str = ""
    sqlState: str = "00000"
    # Of a result: name and type (DuckDB's), and the values as texts.
    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def fits(self, database: str, on: str, sql: str) -> bool:
        is_here = self.times > 0 and self.database == database and self.on == on
        return is_here and re.search(self.match, sql, re.I) is not None


@dataclass
class Faults:
    ordered: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, fault: dict[str, Any]) -> None:
        with self._lock:
            self.ordered.append(Fault(**fault))

    def clear(self, database: str) -> None:
        with self._lock:
            self.ordered = [fault for fault in self.ordered if fault.database != database]

    def take(self, database: str, on: str, sql: str = "") -> Fault | None:
        """The first one that fits, for one request."""
        with self._lock:
            fault = next((fault for fault in self.ordered if fault.fits(database, on, sql)), None)
            if fault:
                fault.times -= 1
            return fault
