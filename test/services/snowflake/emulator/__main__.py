"""An emulator of Snowflake for tests: fakesnow (DuckDB under Snowflake's SQL) behind the addresses of the Node driver.

usage: python emulator FOLDER
The first line of standard input is the one user: {"account": …, "name": …, "password": …, "public_key": PEM}.
Writes {"port": N} when it answers, on a free loopback port. Ends when its standard input does, as nobody is left then
to stop it, and removes FOLDER.
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
