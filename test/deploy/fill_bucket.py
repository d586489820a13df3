"""Makes a user who may read S3, and fills the bucket "models"; prints the user's keys as JSON.

Usage: fill_bucket.py http://127.0.0.1:port folder
"""

import json
import sys
from pathlib import Path

import boto3
from boto3.s3.transfer import TransferConfig

endpoint, folder = sys.argv[1:]


def client(name, key="first", secret="first"):
    options = {"region_name": "eu-west-1", "endpoint_url": endpoint}
    return boto3.client(name, aws_access_key_id=key, aws_secret_access_key=secret, **options)


policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam = client("iam")
iam.create_user(UserName="inferd")
key = iam.create_access_key(UserName="inferd")["AccessKey"]
iam.put_user_policy(UserName="inferd", PolicyName="all", PolicyDocument=json.dumps(policy))

# From here on the server checks signatures.
s3 = client("s3", key["AccessKeyId"], key["SecretAccessKey"])
s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
for path in sorted(Path(folder).rglob("*")):
    if path.is_file():
        s3.upload_file(str(path), "models", f"prod/{path.relative_to(folder)}")
s3.put_object(Bucket="models", Key="prod/a & b+c=d/1/note é.txt", Body=b"a name with everything")

mebibyte = 1024**2
large = Path(folder).parent / "large.bin"
large.write_bytes(bytes(range(256)) * (12 * 4096))
parts = TransferConfig(multipart_threshold=5 * mebibyte, multipart_chunksize=5 * mebibyte)
s3.upload_file(str(large), "models", "large/large.bin", Config=parts)
for number in range(1100):
    s3.put_object(Bucket="models", Key=f"many/{number:04}.txt", Body=str(number))

print(json.dumps({"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}))
