"""Starts the emulator with what it lacks. Each correction has its own module, which says when it can go.

It handles every call on one processor, which all functions wait for, so it also gets a faster event loop and a faster server.
"""

import uvloop
from ministack import app

import fair_queues
import filters
import greedy_routes
import idle_workers
import metric_math
import one_at_a_time
import queries
import redrive
import serving
import statements
import stream_answers
import transport
import versions

if __name__ == "__main__":
    uvloop.install()
    queries.shorten()
    statements.remember()
    fair_queues.share()
    filters.follow()
    greedy_routes.take_nothing()
    idle_workers.rest()
    metric_math.accept()
    redrive.offer()
    serving.hasten()
    transport.secure()
    versions.limit()
    stream_answers.heed()
    one_at_a_time.work()
    app.main()
