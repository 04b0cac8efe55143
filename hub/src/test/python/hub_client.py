"""A client that is not written in Java: it sends and reads over gRPC with only Python's grpcio and hub.proto.

usage: hub_client.py DIRECTORY_OF_STUBS ADDRESS API_KEY RECORDS
Sends RECORDS records in one stream and reads what the test has stored, checks every answer, and prints "ok".
"""
import sys

sys.path.insert(0, sys.argv[1])
import grpc  # noqa: E402
import hub_pb2  # noqa: E402
import hub_pb2_grpc  # noqa: E402
from google.rpc import code_pb2, error_details_pb2, status_pb2  # noqa: E402

address, api_key, count = sys.argv[2], sys.argv[3], int(sys.argv[4])
key = [("datanadhi-api-key", api_key)]
payload = '{"msg":\r\n "grüße"}'.encode()


def request(name, data=payload):
    return hub_pb2.AppendRequest(idempotency_key=name, records=[hub_pb2.NewRecord(log_data=data, pipelines=["python"])])


def fails(call, code):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError("no error")


with grpc.insecure_channel(address) as channel:
    grpc.channel_ready_future(channel).result(timeout=10)
    stub = hub_pb2_grpc.HubStub(channel)

    first = stub.Append(request("py-1"), metadata=key)
    again = stub.Append(request("py-1"), metadata=[("authorization", "Bearer " + api_key)])
    assert (first.tenant, first.key, first.durability, first.replayed) == ("acme", "py-1", "fsync", False), first
    assert again.replayed and again.sha256 == first.sha256, again
    error = fails(lambda: stub.Append(request("py-1", b"2"), metadata=key), grpc.StatusCode.ALREADY_EXISTS)
    assert first.sha256 in error.details(), error
    fails(lambda: stub.Append(request("py-2", b"{"), metadata=key), grpc.StatusCode.INVALID_ARGUMENT)
    fails(lambda: stub.Append(request("py-2")), grpc.StatusCode.UNAUTHENTICATED)
    error = fails(lambda: stub.Append(request("later"), metadata=key), grpc.StatusCode.UNAVAILABLE)
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    retry = error_details_pb2.RetryInfo()
    assert status_pb2.Status.FromString(details).details[0].Unpack(retry) and retry.retry_delay.seconds == 7, retry

    requests = [request("s-%d" % n, b"nul" if n == 5 else b"%d" % n) for n in range(count)]
    responses = list(stub.AppendStream(iter(requests), metadata=key))
    assert [r.number for r in responses] == list(range(1, count + 1))
    assert responses[5].status.code == code_pb2.INVALID_ARGUMENT, responses[5]
    assert all(r.receipt.key == "s-%d" % n for n, r in enumerate(responses) if n != 5)

    records = list(stub.Read(hub_pb2.ReadRequest(), metadata=key))
    assert [r.seq for r in records] == [1, 2, 3] and records[1].log_data == payload, records
    follow = stub.Read(hub_pb2.ReadRequest(**{"from": 3, "follow": True}), metadata=key)
    assert next(follow).seq == 3
    follow.cancel()
    receipt = stub.GetReceipt(hub_pb2.GetReceiptRequest(key="stored-2"), metadata=key)
    assert (receipt.seq, receipt.records) == (2, 1), receipt
    fails(lambda: stub.GetReceipt(hub_pb2.GetReceiptRequest(key="none"), metadata=key), grpc.StatusCode.NOT_FOUND)
print("ok")
