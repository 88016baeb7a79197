"""Vendors' SDKs, changed in nothing but their base URL, in both directions."""

from collections.abc import Iterator

import boto3
import github
import pytest
import slack_sdk
import slack_sdk.errors
import stripe
from botocore.config import Config
from moto.server import ThreadedMotoServer

from app.domain.words import Direction, Outcome
from tests.journeys.real_software.stage import TOKEN, Stage, Through

pytestmark = pytest.mark.slow


def words(through: Through, before: int, count: int) -> list[tuple[str, str, int, str]]:
    """Method, path, status and integration of the `count` records behind the first `before`."""
    found = through.after(before, count)
    assert {record.direction for record in found} == {through.direction}
    return [(r.method, r.path, r.status, r.integration) for r in found]


def test_stripe(through: Through) -> None:
    before = through.count()
    client = stripe.StripeClient(
        TOKEN, base_addresses={"api": f"{through.base_url}/stripe"}, max_network_retries=0
    )
    made = client.v1.customers.create(
        {"email": "ann@example.com"}, {"idempotency_key": "only-once"}
    )
    assert (made.id, made.email, made.description) == ("cus_1", "ann@example.com", "only-once")
    with pytest.raises(stripe.CardError) as caught:
        client.v1.customers.create({"email": "declined@example.com"})
    assert caught.value.code == "card_declined"
    listed = client.v1.customers.list({"limit": 2}).auto_paging_iter()
    assert [each.id for each in listed] == ["cus_1", "cus_2", "cus_3"]
    path = "/stripe/v1/customers"
    assert words(through, before, 4) == [
        ("POST", path, 200, "globex"), ("POST", path, 402, "globex"),
        ("GET", path, 200, "globex"), ("GET", path, 200, "globex"),
    ]  # fmt: skip
    queries = [record.capture.query for record in through.after(before, 4) if record.capture]
    assert queries == [b"", b"", b"limit=2", b"limit=2&starting_after=cus_2"]


def test_slack(through: Through) -> None:
    before = through.count()
    client = slack_sdk.WebClient(TOKEN, base_url=f"{through.base_url}/slack/api/")
    sent = client.chat_postMessage(channel="C1", text="über & out")
    assert (sent["ok"], sent["message"]["text"]) == (True, "über & out")
    with pytest.raises(slack_sdk.errors.SlackApiError) as caught:
        client.conversations_list()
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "3"
    assert words(through, before, 2) == [
        ("POST", "/slack/api/chat.postMessage", 200, "globex"),
        ("POST", "/slack/api/conversations.list", 429, "globex"),
    ]


def test_github(through: Through) -> None:
    before = through.count()
    client = github.Github(
        base_url=f"{through.base_url}/github", auth=github.Auth.Token(TOKEN), retry=None
    )
    try:
        repository = client.get_repo("acme/shop")
        assert [issue.title for issue in repository.get_issues()] == ["issue 6", "issue 7"]
        assert repository.create_issue("Checkout fails").number == 8
        with pytest.raises(github.GithubException, match="404"):
            client.get_repo("acme/nothing")
    finally:
        client.close()
    caller = "globex" if through.direction == Direction.OUTBOUND else "unattributed"
    issues = "/github/repos/acme/shop/issues"
    assert words(through, before, 4) == [
        ("GET", "/github/repos/acme/shop", 200, caller), ("GET", issues, 200, caller),
        ("POST", issues, 201, caller), ("GET", "/github/repos/acme/nothing", 404, caller),
    ]  # fmt: skip


@pytest.fixture(scope="module", params=Direction, ids=lambda direction: direction.word)
def to_aws(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Through]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    stage = Stage(tmp_path_factory.mktemp("aws") / "home", {"aws": f"http://{host}:{port}"})
    with stage.process:
        stage.wait()
        yield stage.through(request.param, "aws")
    server.stop()


def test_boto3(to_aws: Through) -> None:
    """Signed requests, uploads whose checksum follows in a trailer, `Expect: 100-continue`."""
    client = boto3.client(
        "s3", endpoint_url=to_aws.base_url, region_name="eu-central-1",
        aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="secret",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )  # fmt: skip
    try:
        bucket = f"papers-{to_aws.direction.word}"
        where = {"LocationConstraint": "eu-central-1"}
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        content = b"0123456789" * 100_000
        client.put_object(Bucket=bucket, Key="a/b ü.txt", Body=content)
        assert client.get_object(Bucket=bucket, Key="a/b ü.txt")["Body"].read() == content
        part = client.get_object(Bucket=bucket, Key="a/b ü.txt", Range="bytes=5-14")
        assert part["Body"].read() == b"5678901234"
        assert client.head_object(Bucket=bucket, Key="a/b ü.txt")["ContentLength"] == 1_000_000
        with pytest.raises(client.exceptions.NoSuchKey):
            client.get_object(Bucket=bucket, Key="nothing")
        client.delete_object(Bucket=bucket, Key="a/b ü.txt")
    finally:
        client.close()
    found = to_aws.after(0, 7)
    assert [(record.method, record.status) for record in found] == [
        ("PUT", 200), ("PUT", 200), ("GET", 200), ("GET", 206), ("HEAD", 200), ("GET", 404),
        ("DELETE", 204),
    ]  # fmt: skip
    assert found[1].path == f"/{bucket}/a/b%20%C3%BC.txt"
    assert found[1].request_bytes >= 1_000_000
    assert found[2].response_bytes == 1_000_000
    assert found[5].outcome == Outcome.CLIENT_ERROR
