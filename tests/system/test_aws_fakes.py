"""AWS's services are faked (tests/fakes). AWS's own clients check the fakes, then plz has to get along with them."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from conftest import BIN

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fakes"))
AWS = "/usr/bin/aws"  # Debian's
PROBE = BIN.parent / "tests" / "plz_ecr_probe"
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


try:
    import botocore.httpsession
    import botocore.parsers
    import botocore.session
    import botocore.utils
    import botocore.validate

    import ecr_fake
    import metadata_fake
    MISSING = None if shutil.which(AWS) else "awscli is not installed"
except ImportError as error:
    MISSING = f"python3-botocore is not installed ({error})"

if MISSING and os.environ.get("PLZ_TESTS_ALL"):
    raise RuntimeError(f"{MISSING}: scripts/install-packages test")
pytestmark = pytest.mark.skipif(MISSING is not None, reason=f"{MISSING}: scripts/install-packages test")

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEJ//+/=="


def keys():
    refused = lambda refusal: ecr_fake.Key("s3cr3t", refusal=refusal)
    return {
        "AKIDGOOD": ecr_fake.Key(SECRET),
        "ASIAGOOD": ecr_fake.Key("s3cr3t", session_token=SESSION_TOKEN),
        "AKIDTHROTTLED": refused(ecr_fake.THROTTLED),
        "AKIDEXPIRED": refused(ecr_fake.EXPIRED),
        "AKIDDENIED": refused(ecr_fake.DENIED),
        "AKIDBROKEN": refused(ecr_fake.BROKEN),
    }


# Access key, secret: what AWS's client calls the refusal, and what plz makes of it.
REFUSALS = [
    ("AKIDGOOD", "wrong", "InvalidSignatureException", "invalid", "look at AWS_ACCESS_KEY_ID"),
    ("AKIDNOBODY", "s3cr3t", "UnrecognizedClientException", "invalid", "look at AWS_ACCESS_KEY_ID"),
    ("AKIDEXPIRED", "s3cr3t", "ExpiredTokenException", "invalid", "get new credentials"),
    ("AKIDDENIED", "s3cr3t", "AccessDeniedException", "invalid", "ecr:GetAuthorizationToken"),
    ("AKIDTHROTTLED", "s3cr3t", "ThrottlingException", "unavailable", ""),
    ("AKIDBROKEN", "s3cr3t", "ServerException", "unavailable", ""),
]


@pytest.fixture
def fake():
    with ecr_fake.EcrFake(keys()) as running:
        yield running


def environment(tmp_path, access_key=None, secret=None, **more):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true",
           "AWS_MAX_ATTEMPTS": "1", "AWS_METADATA_SERVICE_TIMEOUT": "60", **more}
    if access_key:
        env.update(AWS_ACCESS_KEY_ID=access_key, AWS_SECRET_ACCESS_KEY=secret)
    return env


def run(words, env):
    return subprocess.run(list(map(str, words)), env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120)


def aws(fake, env):
    return run([AWS, "ecr", "get-authorization-token", "--endpoint-url", fake.url, "--region", "eu-west-1",
                "--output", "json"], env)


def probe(fake, env, host=REGISTRY, times=1):
    return run([PROBE, host, times], {**env, "AWS_ENDPOINT_URL": fake.url})


def good(tmp_path, **more):
    return environment(tmp_path, "AKIDGOOD", SECRET, **more)


class TestTheFake:
    def test_aws_gets_a_token(self, fake, tmp_path):
        done = aws(fake, good(tmp_path))
        assert done.returncode == 0, done.stderr
        (data,) = json.loads(done.stdout)["authorizationData"]
        assert set(data) == {"authorizationToken", "expiresAt", "proxyEndpoint"}
        assert data["proxyEndpoint"] == "https://" + REGISTRY

    def test_aws_logs_in_with_temporary_keys(self, fake, tmp_path):
        done = run([AWS, "ecr", "get-login-password", "--endpoint-url", fake.url, "--region", "eu-west-1"],
                   environment(tmp_path, "ASIAGOOD", "s3cr3t", AWS_SESSION_TOKEN=SESSION_TOKEN))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("password-1-")

    @pytest.mark.parametrize("access_key,secret,name", [refusal[:3] for refusal in REFUSALS])
    def test_aws_knows_its_errors(self, fake, tmp_path, access_key, secret, name):
        done = aws(fake, environment(tmp_path, access_key, secret))
        assert done.returncode != 0
        assert f"({name})" in done.stderr

    def test_its_answers_are_those_of_the_model(self, fake):
        shape = fake.model.operation_model("GetAuthorizationToken").output_shape
        answer = fake.authorization_token({})
        assert set(answer) <= set(shape.members)
        assert set(answer["authorizationData"][0]) <= set(shape.members["authorizationData"].member.members)
        parsed = botocore.parsers.create_parser(fake.model.metadata["protocol"]).parse(
            {"status_code": 200, "headers": {}, "body": json.dumps(answer).encode()}, shape)
        parsed.pop("ResponseMetadata")
        report = botocore.validate.ParamValidator().validate(parsed, shape)
        assert not report.has_errors(), report.generate_report()

    def test_its_target_is_that_of_the_model(self, fake):
        assert ecr_fake.TARGET == fake.model.metadata["targetPrefix"] + "."
        assert ecr_fake.JSON.endswith(fake.model.metadata["jsonVersion"])

    def test_what_it_refuses_by_name_is_in_the_model_or_common(self, fake):
        common = {"ThrottlingException", "ExpiredTokenException", "AccessDeniedException",
                  "UnrecognizedClientException", "InvalidSignatureException"}
        assert {refusal[2] for refusal in REFUSALS} - common <= set(fake.model.shape_names)

    def test_botocore_gets_an_instances_credentials(self):
        with metadata_fake.MetadataFake("ASIAGOOD", "s3cr3t", "T") as metadata:
            fetcher = botocore.utils.InstanceMetadataFetcher(timeout=60, num_attempts=5, base_url=metadata.url + "/")
            found = fetcher.retrieve_iam_role_credentials()
        assert (found["role_name"], found["access_key"], found["token"]) == ("worker", "ASIAGOOD", "T")

    def test_botocore_gets_a_containers_credentials(self):
        with metadata_fake.MetadataFake("ASIAGOOD", "s3cr3t", "T") as metadata:
            session = botocore.httpsession.URLLib3Session(timeout=60)
            found = botocore.utils.ContainerMetadataFetcher(session).retrieve_full_uri(
                metadata.url + metadata_fake.CONTAINER, {"Authorization": metadata_fake.AUTHORIZATION})
        assert (found["AccessKeyId"], found["Token"]) == ("ASIAGOOD", "T")


class TestPlz:
    def test_gets_a_token_and_keeps_it(self, fake, tmp_path):
        done = probe(fake, good(tmp_path), times=3)
        assert done.returncode == 0, done.stdout
        name, password, _ = done.stdout.splitlines()[2].split()
        assert name == "AWS" and password.startswith("password-1-")
        assert fake.tokens_given == 1

    def test_asks_again_for_a_token_that_ends_soon(self, fake, tmp_path):
        fake.lifetime = 600
        assert probe(fake, good(tmp_path), times=3).returncode == 0
        assert fake.tokens_given == 3

    @pytest.mark.parametrize("access_key,secret,name,code,hint", REFUSALS)
    def test_says_why_there_is_none(self, fake, tmp_path, access_key, secret, name, code, hint):
        done = probe(fake, environment(tmp_path, access_key, secret))
        assert done.returncode == 1
        assert done.stdout.startswith(f"{code}: ECR in eu-west-1 gives no token: {name}")
        assert hint in done.stdout
        assert "s3cr3t" not in done.stdout

    @pytest.mark.parametrize("offset,words", [(1200, "20 minutes behind"), (-1200, "20 minutes ahead of")])
    def test_tells_a_wrong_clock(self, fake, tmp_path, offset, words):
        fake.clock_offset = offset
        done = probe(fake, good(tmp_path))
        assert "invalid: ECR in eu-west-1 gives no token: InvalidSignatureException" in done.stdout
        assert f"this machine's clock is {words} AWS's" in done.stdout

    def test_signs_for_the_region_of_the_registry(self, fake, tmp_path):
        done = probe(fake, good(tmp_path), "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn")
        assert done.returncode == 0, done.stdout

    def test_leaves_other_registries_alone(self, fake, tmp_path):
        assert probe(fake, good(tmp_path), "registry.example:5000").returncode == 2
        assert fake.tokens_given == 0

    def test_reads_a_profile(self, fake, tmp_path):
        (tmp_path / ".aws").mkdir()
        (tmp_path / ".aws" / "credentials").write_text(
            f"[ada]\naws_access_key_id = ASIAGOOD\naws_secret_access_key = s3cr3t\n"
            f"aws_session_token = {SESSION_TOKEN}\n")
        done = probe(fake, environment(tmp_path, AWS_PROFILE="ada"))
        assert done.returncode == 0, done.stdout

    def test_takes_the_role_of_the_instance(self, fake, tmp_path):
        with metadata_fake.MetadataFake("ASIAGOOD", "s3cr3t", SESSION_TOKEN) as metadata:
            done = probe(fake, environment(tmp_path, AWS_EC2_METADATA_DISABLED="false",
                                           AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata.url))
        assert done.returncode == 0, done.stdout

    def test_takes_the_credentials_of_the_container(self, fake, tmp_path):
        with metadata_fake.MetadataFake("ASIAGOOD", "s3cr3t", SESSION_TOKEN) as metadata:
            env = environment(tmp_path, AWS_CONTAINER_CREDENTIALS_FULL_URI=metadata.url + metadata_fake.CONTAINER)
            assert "403" in probe(fake, env).stdout
            env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = metadata_fake.AUTHORIZATION
            done = probe(fake, env)
        assert done.returncode == 0, done.stdout

    def test_says_that_there_are_no_credentials(self, fake, tmp_path):
        done = probe(fake, environment(tmp_path))
        assert done.stdout.startswith("invalid: there are no AWS credentials")
        assert "AWS_PROFILE" in done.stdout
