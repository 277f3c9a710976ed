"""Filters of a stream match as Lambda documents it: on the key `dynamodb` only, and with `exists` on leaf nodes only.

The emulator matches any key of a record, takes an attribute for a leaf, and finds no leaf absent whose item is:
<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html>. Names of leaves are paths, as in
<https://github.com/aws/event-ruler#exists-matching>. It can go once the emulator does none of that.
"""

from ministack.services import lambda_svc

match_esm_filter = lambda_svc._match_esm_filter


def match(record, pattern):
    if record.get("eventSource") == "aws:dynamodb":
        record = {"dynamodb": record["dynamodb"]}
    return all(match_part(record, key, wanted) for key, wanted in pattern.items())


def match_part(record, key, wanted):
    part = record.get(key)
    if isinstance(wanted, dict):
        return match(part if isinstance(part, dict) else {}, wanted)
    if key not in record or isinstance(part, dict):
        return {"exists": False} in wanted
    return match_esm_filter(record, {key: wanted})


def follow():
    lambda_svc._match_esm_filter = match
