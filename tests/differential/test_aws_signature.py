"""Ingest signs its own calls to AWS; botocore's signer must come to the same signature."""

from datetime import UTC, datetime
from unittest import mock

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from shipclock.adapters.aws_json import signed
from tests.builders import patient

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=30)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1)).map(  # noqa: DTZ001  made aware
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@patient
@given(
    body=st.binary(max_size=300),
    service=st.sampled_from(("dynamodb", "secretsmanager")),
    region=st.sampled_from(("us-east-1", "ap-southeast-1")),
    host=NAMES,
    key=SECRETS,
    secret=SECRETS,
    token=st.one_of(st.just(""), SECRETS),
    now=MOMENTS,
)
def test_the_signature_is_the_one_that_the_sdk_makes(
    body: bytes,
    service: str,
    region: str,
    host: str,
    key: str,
    secret: str,
    token: str,
    now: datetime,
) -> None:
    headers = {"content-type": "application/x-amz-json-1.0", "host": host, "x-amz-target": "A.B"}
    env = {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }
    ours = signed(headers, body, service, region, env, now)
    request = AWSRequest("POST", f"https://{host}/", headers=headers, data=body)
    with mock.patch.object(auth, "get_current_datetime", return_value=now.replace(tzinfo=None)):
        auth.SigV4Auth(Credentials(key, secret, token or None), service, region).add_auth(request)
    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert ours == theirs
