"""Verifies one signed request with the official Python library: its JSON on standard input, exit code 1 if forged."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

request = json.load(sys.stdin)
try:
    Webhook(request["secret"]).verify(bytes(request["body"]), request["headers"], json_parse=False)
except WebhookVerificationError:
    sys.exit(1)
