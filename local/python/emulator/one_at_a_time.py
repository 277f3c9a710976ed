"""Queues lose no message: who puts one there and who takes some away do so one at a time.

The emulator's event sources run on a thread of their own and replace a queue's list of messages, while the API appends to the
one that is replaced; what is appended in that moment is gone. SQS stores a message on several servers before it says so:
<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-basic-architecture.html>.
It can go once the emulator's API takes the lock that its event sources take.
"""

import functools
import inspect
import threading

from ministack.services import sqs

# What a call that waits for messages does in its turns, and what other services call.
STEPS = ("_act_send_message", "_collect_msgs", "_dlq_sweep", "_expire_retained")


def locked(action):
    @functools.wraps(action)
    def one_at_a_time(*arguments, **named):
        with sqs._queues_lock:
            return action(*arguments, **named)

    return one_at_a_time


def work():
    # One call may be made of others.
    sqs._queues_lock = threading.RLock()
    for name in STEPS:
        setattr(sqs, name, locked(getattr(sqs, name)))
    for name, action in sqs._HANDLERS.items():
        if not inspect.iscoroutinefunction(action):
            sqs._HANDLERS[name] = locked(action)
