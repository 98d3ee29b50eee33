"""What Schemathesis asks before each call: a key that is allowed names this call only, or one call would hide the next."""
import itertools, re
import schemathesis

numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,240}", key):
        case.headers["Idempotency-Key"] = f"{key}-{next(numbers)}"
