"""Says whether PyPI's standardwebhooks believes a call: JSON {secret, headers, body} in, `good` or `bad` out."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

call = json.load(sys.stdin)
try:
    Webhook(call["secret"]).verify(call["body"], dict(call["headers"]))
    print("good")
except WebhookVerificationError:
    print("bad")
