"""Prices in us-east-1, in USD, as assumed: check them against the provider's own lists.

DynamoDB on demand, Lambda on arm64, HTTP API, SQS standard, EventBridge and its Scheduler, Secrets
Manager. Without free tiers, storage, logs, alarms, transfer and support, which differ little.
"""

WRITE_UNIT = 0.625e-6
READ_UNIT = 0.125e-6
HTTP_REQUEST = 1.00e-6
LAMBDA_REQUEST = 0.20e-6
LAMBDA_GB_SECOND = 0.0000133334
SQS_REQUEST = 0.40e-6
SCHEDULER_INVOCATION = 1.00e-6
SECRET_READ = 5e-6
SECRET_MONTH = 0.40

CALL_SECONDS = 0.005
"""Assumed for one call to an AWS service from a function in the same region."""

OWN_SECONDS = 0.005
"""Assumed for a function's own work in one invocation."""


def invocation(memory_gb: float, calls: float) -> float:
    """One warm invocation that makes so many calls one after the other."""
    seconds = OWN_SECONDS + calls * CALL_SECONDS
    return LAMBDA_REQUEST + seconds * memory_gb * LAMBDA_GB_SECOND
