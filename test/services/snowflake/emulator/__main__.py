"""An emulator of Snowflake for tests: fakesnow (DuckDB under Snowflake's SQL) behind the addresses of the Node driver.

usage: python emulator FOLDER
The first line of standard input is the one user: {"account": …, "name": …, "password": …, "public_key": PEM}.

Writes {"port": N} when it answers, on a free loopback port. Ends when its standard input does, as nobody is left then
to stop it, and removes FOLDER.

What passes here may fail in Snowflake, and the other way round:
  * NUMBER(38,0) has 64 bits; NUMBER / NUMBER is a double; DATE_TRUNC of a date is a timestamp
  * a division by zero is noticed when its result is read, not when it is written
  * lengths of VARCHAR are not enforced; quoted names are not case-sensitive; columns without alias have DuckDB's names
  * two sessions that change the same rows: one fails at once (000625), where Snowflake waits for the lock
  * a failed statement ends its transaction: COMMIT is refused then, where Snowflake goes on
  * results come in one piece, however large; none has arrays (ARRAY_AGG, ARRAY_CONSTRUCT)
  * roles, grants, tags, masking and row access policies are recorded and told (governance.py), and keep nobody from anything
  * no GET, COPY into a stage, SQL UDFs, procedures, asynchronous execution
statements.py says what is taken out of statements, recorded or refused.
"""

import json
import os
import shutil
import sys
import threading

from http_server import make_server
from service import Service
from user import User


def main() -> None:
    (folder,) = sys.argv[1:]
    server = make_server(Service(User(**json.loads(sys.stdin.readline()))))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)
    # Not sys.exit: threads of open connections may be waiting.
    os._exit(0)


main()
