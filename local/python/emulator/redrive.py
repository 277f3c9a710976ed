"""Redrive: what was moved to a dead-letter queue goes back where it came from, and only that.

The emulator has no StartMessageMoveTask. On AWS a task without a destination fails with CouldNotDetermineMessageSource when it
reaches a message that was sent to the dead-letter queue instead of being moved there, and what it moves counts as a new message:
<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>.
It can go once the emulator does so too.
"""

import time
import uuid

from ministack.services import sqs

tasks = []


def start(data, _url):
    arn = data.get("SourceArn", "")
    source = sqs._queue_by_arn(arn)
    if source is None:
        raise sqs._Err("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.", 404)
    destination = data.get("DestinationArn")
    task = {"TaskHandle": uuid.uuid4().hex, "SourceArn": arn, "Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 0}
    for message in list(source["messages"]):
        origin = destination or message.get("sys", {}).get("DeadLetterQueueSourceArn")
        queue = sqs._queue_by_arn(origin) if origin else None
        if queue is None:
            task.update(Status="FAILED", FailureReason="CouldNotDetermineMessageSource")
            break
        source["messages"].remove(message)
        queue["messages"].append(as_new(message))
        task["ApproximateNumberOfMessagesMoved"] += 1
    tasks.insert(0, task)
    sqs.esm_wake.set()
    return {"TaskHandle": task["TaskHandle"]}


def as_new(message):
    now = time.time()
    kept = {name: value for name, value in message.get("sys", {}).items() if name != "DeadLetterQueueSourceArn"}
    new = {"id": str(uuid.uuid4()), "sys": kept, "sent_at": now, "visible_at": now}
    return {**message, **new, "receipt_handle": None, "receive_count": 0, "first_receive_at": None}


def list_tasks(data, _url):
    shown = ("SourceArn", "Status", "FailureReason", "ApproximateNumberOfMessagesMoved")
    found = [task for task in tasks if task["SourceArn"] == data.get("SourceArn")]
    return {"Results": [{name: task[name] for name in shown if name in task} for task in found]}


def offer():
    sqs._HANDLERS.update(StartMessageMoveTask=start, ListMessageMoveTasks=list_tasks)
