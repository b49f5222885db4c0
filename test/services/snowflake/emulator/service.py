"""What the emulator knows: users, sessions, databases, requests and their answers, the log, the faults."""

import re
import threading
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import Any

from fakesnow.instance import FakeSnow
from fakesnow.transforms import SERVER_VERSION

import answers
import statements
from answers import Answer, Place
from faults import Fault, Faults
from governance import Governance
from locks import Locks
from memory import Memory
from rowset import column
from session import Binds, Entry, Session
from user import User

KEPT_ANSWERS = 500
CANCEL_SECONDS = 30
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")


class Dropped(Exception):
    """The connection is to end without an answer."""


@dataclass
class HttpError(Exception):
    """An answer with another status than 200: the driver tries 5xx again."""

    status: int


@dataclass
class Running:
    """A request that was sent once or, where its reply was lost, several times: it is executed once."""

    session: Session
    answer: Answer | None = None
    answered: threading.Event = field(default_factory=threading.Event)
    canceled: threading.Event = field(default_factory=threading.Event)


class Service:
    def __init__(self, user: User) -> None:
        self._user = user
        # As in Snowflake, a session in a database that does not exist is a session without one.
        self._data = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
        self._sessions: dict[str, Session] = {}
        self._count = 0
        self._requests: OrderedDict[str, Running] = OrderedDict()
        self._results: OrderedDict[str, Answer] = OrderedDict()
        self._memories: dict[str, Memory] = {}
        self._locks: dict[str, Locks] = {}
        self._governance: dict[str, Governance] = {}
        self._log: dict[str, list[Entry]] = {}
        self._lock = threading.RLock()
        self.faults = Faults()

    # What tests ask

    def create_database(self, name: str) -> None:
        if not _NAME.match(name):
            raise ValueError(f"{name} is no name of a database")
        with self._lock:
            connection = self._data.connect()
            connection.cursor().execute(f"CREATE DATABASE {name}")
            connection.cursor().execute(f"CREATE SCHEMA IF NOT EXISTS {name}.PUBLIC")
            connection.close()

    def statements(self, database: str) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(entry) for entry in self._log.get(database, [])]

    def forget_statements(self, database: str) -> None:
        with self._lock:
            self._log.pop(database, None)

    def end_sessions(self, database: str) -> None:
        """As Snowflake does, some time after, with those of clients that are gone."""
        with self._lock:
            ended = [token for token, session in self._sessions.items() if session.database == database]
        for token in ended:
            self.sign_out(token)

    # What the driver asks

    def sign_in(self, database: str | None, schema: str | None, data: dict[str, Any]) -> Answer:
        database = (database or "").strip('"').upper()
        fault = self.faults.take(database, "login")
        if fault and (answer := _before(fault, threading.Event(), (None, None))):
            return answer
        if not self._user.is_known(data):
            return {**answers.failure("390100", "Incorrect username or password was specified.", "08001"), "data": {}}
        parameters = data.get("SESSION_PARAMETERS") or {}
        with self._lock:
            self._count += 1
            connection = self._data.connect(database or None, schema and schema.strip('"'))
            for name, value in self._context().items():
                connection._duck_conn.execute(f"CREATE TEMP MACRO {name}() AS '{value}'")
            # The one user has every role.
            connection._duck_conn.execute("CREATE TEMP MACRO is_role_in_session(role) AS role IS NOT NULL")
            memory = self._memories.setdefault(database, Memory())
            locks = self._locks.setdefault(database, Locks())
            governance = self._governance.setdefault(database, Governance(database))
            tag = parameters.get("QUERY_TAG")
            session = Session(self._count, database, tag, connection, memory, locks, governance)
            self._sessions[session.token] = session
        return answers.success(
            {
                **_tokens(session),
                "serverVersion": SERVER_VERSION,
                "parameters": [*answers.parameters(answers.FORMATS), {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0}],
                "sessionInfo": {"databaseName": session.place[0], "schemaName": session.place[1]},
            }
        )

    def renew(self, token: str) -> Answer:
        """The session goes on under the same token."""
        session = self._session(token)
        if session is None:
            return SESSION_GONE
        fault = self.faults.take(session.database, "renewal")
        if fault and (answer := _before(fault, threading.Event(), session.place)):
            # Of a session that cannot be renewed nothing is left.
            self.sign_out(token)
            return answer
        return answers.success(_tokens(session))

    def heartbeat(self, token: str) -> Answer:
        return answers.success() if self._session(token) else SESSION_GONE

    def sign_out(self, token: str) -> Answer:
        with self._lock:
            session = self._sessions.pop(token, None)
        if session:
            session.end()
        return answers.success()

    def query(self, token: str, request_id: str, body: dict[str, Any]) -> Answer:
        session = self._session(token)
        if session is None:
            return SESSION_GONE
        sql = body.get("sqlText") or ""
        fault = self.faults.take(session.database, "statement", sql)
        with self._lock:
            known = self._requests.get(request_id)
            running = known or self._requests.setdefault(request_id, Running(session))
            _trim(self._requests)
        try:
            if fault and fault.kind != "lose-reply" and (answer := self._fail(fault, running, body)):
                return answer
            if known is None:
                running.answer = self._execute(session, body)
        finally:
            if known is None:
                running.answered.set()
                if running.answer is None:
                    # Nothing was executed: when the driver asks again, it is as if it asked for the first time.
                    with self._lock:
                        self._requests.pop(request_id, None)
        running.answered.wait()
        if fault and fault.kind == "lose-reply":
            # 500 is what a fault has unless it says another one.
            raise Dropped if fault.status == 500 else HttpError(fault.status)
        # None when the first attempt, which this one waited for, was not executed.
        return running.answer or self.query(token, request_id, body)

    def result(self, query_id: str) -> Answer:
        with self._lock:
            answer = self._results.get(query_id)
        return answer or answers.failure("000709", f"Statement {query_id} not found", "02000")

    def cancel(self, request_id: str) -> Answer:
        with self._lock:
            running = self._requests.get(request_id)
        if running:
            running.canceled.set()
            # An interrupt before DuckDB has begun is lost.
            limit = time.monotonic() + CANCEL_SECONDS
            while not running.answered.wait(0.02) and time.monotonic() < limit:
                running.session.cancel()
        return answers.success()

    def _context(self) -> dict[str, str]:
        """Functions that fakesnow does not have, and what they answer in a session of this user."""
        return {
            "current_account": self._user.account.upper(),
            "current_region": "EMULATOR",
            "current_role": "LPA_ROLE",
            "current_session": str(self._count),
            "current_user": self._user.name.upper(),
            "current_warehouse": "LPA_WH",
        }

    def _session(self, token: str) -> Session | None:
        with self._lock:
            return self._sessions.get(token)

    def _fail(self, fault: Fault, running: Running, body: dict[str, Any]) -> Answer | None:
        """What keeps a statement from being executed is in the log for itself."""
        entry = self._enter(running.session, body["sqlText"], None, {})
        entry.outcome, entry.message = "fault", fault.kind
        if fault.kind == "abort":
            running.session.abort()
        answer = _before(fault, running.canceled, running.session.place)
        if running.canceled.is_set():
            entry.outcome = "canceled"
        elif answer is None:
            with self._lock:
                self._log[running.session.database].remove(entry)
        return answer

    def _execute(self, session: Session, body: dict[str, Any]) -> Answer:
        parameters = body.get("parameters") or {}
        tag = parameters.get("QUERY_TAG", session.tag)
        binds: Binds = body.get("bindings") or {}
        count = int(parameters.get("MULTI_STATEMENT_COUNT", 1))
        if count != 1 and binds:
            return answers.unsupported("several statements with values for them")
        if count == 1:
            entry = self._enter(session, body["sqlText"], tag, binds)
            return self._keep(session.run(entry, binds, bool(body.get("describeOnly"))))
        return self._execute_all(session, statements.split(body["sqlText"]), count, tag)

    def _execute_all(self, session: Session, parts: list[str], count: int, tag: str | None) -> Answer:
        """`count` is how many statements the driver expects; 0 is any number."""
        if count not in (0, len(parts)):
            message = f"Actual statement count {len(parts)} did not match the desired statement count {count}."
            return answers.failure("000008", message, "0A000")
        kept = []
        for part in parts:
            answer = self._keep(session.run(self._enter(session, part, tag, {}), {}, False))
            if not answer["success"]:
                return answer
            kept.append(answer["data"])
        whole = answers.done(session.place, "Multiple statements executed successfully.")
        whole["data"].update(
            resultIds=",".join(data["queryId"] for data in kept),
            resultTypes=",".join(str(data["statementTypeId"]) for data in kept),
            statementTypeId=answers.MULTI,
        )
        return whole

    def _enter(self, session: Session, sql: str, tag: str | None, binds: Binds) -> Entry:
        values = [bind["value"] for _, bind in sorted(binds.items(), key=lambda pair: int(pair[0]))]
        entry = Entry(sql, session.id, tag, values)
        with self._lock:
            self._log.setdefault(session.database, []).append(entry)
        return entry

    def _keep(self, answer: Answer) -> Answer:
        """For GET /queries/…/result."""
        if query_id := (answer["data"] or {}).get("queryId"):
            with self._lock:
                self._results[query_id] = answer
                _trim(self._results)
        return answer


SESSION_GONE = answers.failure("390111", "Session no longer exists. New login required to access the service.", "08001")


def _before(fault: Fault, canceled: threading.Event, place: Place) -> Answer | None:
    """What a fault does before the execution; an answer ends the request."""
    match fault.kind:
        case "status":
            raise HttpError(fault.status)
        case "drop":
            raise Dropped
        case "answer":
            return answers.failure(fault.code, fault.message, fault.sqlState)
        case "rows":
            columns = [column(name, duckdb_type) for name, duckdb_type in fault.columns]
            return answers.result(columns, fault.rows, answers.SELECT, place)
        case "slow" if canceled.wait(fault.seconds):
            return answers.failure("000604", "SQL execution canceled", "57014")
    return None


def _tokens(session: Session) -> dict[str, Any]:
    return {
        "token": session.token,
        "sessionToken": session.token,
        "masterToken": session.token,
        "sessionId": session.id,
        "validityInSeconds": 3600,
        "validityInSecondsST": 3600,
        "masterValidityInSeconds": 14400,
        "validityInSecondsMT": 14400,
    }


def _trim(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > KEPT_ANSWERS:
        kept.popitem(last=False)
