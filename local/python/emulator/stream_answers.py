"""A stream is read again from the first record that a function names as failed.

With `ReportBatchItemFailures` the record with the lowest sequence number that an answer names is where Lambda goes on, and an item
without an identifier is a failure of the whole batch:
<https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>.
The emulator heeds such answers for queues only, and takes every answer about a stream for a success. It can go once the emulator
reads a batch of a stream again from there.
"""

from ministack.services import dynamodb, lambda_svc

execute = lambda_svc._execute_function


def execute_and_heed(function, event):
    result = execute(function, event)
    mapping = mapping_of(function, event)
    failed = failures(result) if mapping else []
    if not failed:
        return result
    if all(failed):
        go_on_from(mapping, min(failed, key=int))
    # What the emulator takes for an error does not move the position on, and is tried again a second later.
    return {**result, "error": True}


def mapping_of(function, event):
    """The event source that brings these records of a stream, if it wants to be told which of them failed."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not records or records[0].get("eventSource") != "aws:dynamodb":
        return None
    name = (function.get("config") or function)["FunctionName"]
    for _, _, mapping in lambda_svc._iter_all_esms():
        is_it = mapping["FunctionName"] == name and mapping["EventSourceArn"] == records[0].get("eventSourceARN")
        if is_it and "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []):
            return mapping
    return None


def failures(result):
    answer = result.get("body")
    named = answer.get("batchItemFailures") if isinstance(answer, dict) and not result.get("error") else None
    return [item.get("itemIdentifier") for item in named or []]


def go_on_from(mapping, sequence_number):
    table, _ = mapping["EventSourceArn"].split("table/")[1].split("/stream/")
    position = lambda_svc._dynamodb_stream_positions[mapping["UUID"]]
    batch = dynamodb.stream_records_since(table, position, mapping.get("BatchSize", 100))
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    if sequence_number in numbers:
        with lambda_svc._dynamodb_stream_positions_lock:
            lambda_svc._dynamodb_stream_positions[mapping["UUID"]] = position + numbers.index(sequence_number)


def heed():
    lambda_svc._execute_function = execute_and_heed
