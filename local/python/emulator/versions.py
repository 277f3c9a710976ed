"""A secret has no more than about 100 versions that are younger than a day.

Secrets Manager removes versions that no label points to once there are more than 100, but none that was made less than 24 hours
ago, and refuses another one instead: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>.
The emulator removes such versions at once. It can go once the 101st version within a day is a `LimitExceededException`.
"""

import collections
import time

from ministack.core.responses import error_response_json
from ministack.services import secretsmanager

MOST = 100
KEPT_FOR_SECONDS = 24 * 60 * 60

put = secretsmanager._put_secret_value

# The times at which the versions of each secret were made, by its ARN; the first one is made with the secret.
made = collections.defaultdict(list)


def put_within_quota(request):
    _, secret = secretsmanager._resolve(request.get("SecretId"))
    if not secret or request.get("ClientRequestToken") in secret["Versions"]:
        return put(request)
    now = time.time()
    kept = made[secret["ARN"]] or [secret["CreatedDate"]]
    kept = [then for then in kept if now - then < KEPT_FOR_SECONDS]
    if len(kept) >= MOST:
        message = "The secret has the maximum number of versions."
        return error_response_json("LimitExceededException", message, 400)
    made[secret["ARN"]] = [*kept, now]
    return put(request)


def limit():
    secretsmanager._put_secret_value = put_within_quota
