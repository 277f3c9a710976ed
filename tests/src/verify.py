"""Verifies signed requests with the official Python library: JSON on standard input, a list of verdicts on output."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def verifies(request):
    try:
        Webhook(request["secret"]).verify(bytes(request["body"]), request["headers"], json_parse=False)
    except WebhookVerificationError:
        return False
    return True


print(json.dumps([verifies(request) for request in json.load(sys.stdin)]))
