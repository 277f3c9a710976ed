"""Fair queues: a message group that keeps its consumers busy does not keep the messages of others waiting.

The emulator hands messages out in the order of their arrival, whatever group they belong to. SQS prefers the messages of groups
that have few in flight: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>.
It can go once the emulator does so too.
"""

import collections
import time

from ministack.services import sqs

collect = sqs._collect_msgs


def collect_fairly(queue, most, hidden_for):
    if queue["is_fifo"]:
        return collect(queue, most, hidden_for)
    now = time.time()
    waiting = []
    in_flight = collections.Counter()
    for message in queue["messages"]:
        if message.get("visible_at", 0) <= now:
            waiting.append(message)
        elif message["receive_count"] and message.get("group_id"):
            in_flight[message["group_id"]] += 1
    if in_flight:
        waiting.sort(key=lambda message: in_flight[message.get("group_id")])
    return collect({"is_fifo": False, "messages": waiting[:most]}, most, hidden_for)


def share():
    sqs._collect_msgs = collect_fairly
