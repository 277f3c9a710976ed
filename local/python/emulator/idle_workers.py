"""A process that waits for work costs nothing.

The emulator looks ten times a second whether a function's process is to stop: where the process waits for its next invocation,
and where its Runtime API is served. With a hundred of them that is up to a third of its processor; here it looks once a second.
It can go once the emulator waits for what happens instead.
"""

import queue
import socketserver
import types

from ministack.core import lambda_runtime

SECONDS = 1.0


class PatientQueue(queue.Queue):
    def get(self, block=True, timeout=None):
        return super().get(block, timeout and max(timeout, SECONDS))


def rest():
    patient = types.ModuleType("queue")
    vars(patient).update(vars(queue), Queue=PatientQueue)
    lambda_runtime.queue = patient
    serve_forever = socketserver.BaseServer.serve_forever
    socketserver.BaseServer.serve_forever = lambda server, poll_interval=0.5: serve_forever(
        server, max(poll_interval, SECONDS)
    )
