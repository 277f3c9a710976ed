"""Fills an outbox, relays it, and relays it again as if the relay had died before it deleted what it had sent.

Prints how many rows are left after each.
"""

import json
import sqlite3
import sys

from relay import relay

INSERT = "INSERT INTO outbox (workspace_id, event) VALUES (:workspace_id, :event)"


def count(database):
    return database.execute("SELECT count(*) FROM outbox").fetchone()[0]


def main(queue_url, schema, committed, rolled_back):
    database = sqlite3.connect(":memory:")
    database.executescript(schema)
    with database:
        database.executemany(INSERT, committed)
    database.executemany(INSERT, rolled_back)
    database.rollback()
    relay(database, queue_url)
    left = [count(database)]
    with database:
        database.executemany(INSERT, committed)
    relay(database, queue_url)
    print(json.dumps([*left, count(database)]))


if __name__ == "__main__":
    main(sys.argv[1], **json.load(sys.stdin))
