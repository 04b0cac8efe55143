"""A client that is not written in Java: it sends records like an SDK, with only Python's grpcio and the .proto file.

usage: client.py DIRECTORY_OF_STUBS SOCKET RECORDS
Sends RECORDS records pipelined on one connection, then ten more on a new connection each, and prints how many were acknowledged.
"""
import json
import sys

sys.path.insert(0, sys.argv[1])
import grpc  # noqa: E402
import logagent_pb2  # noqa: E402
import logagent_pb2_grpc  # noqa: E402

target = "unix:" + sys.argv[2]
records = int(sys.argv[3])


def request(seq):
    payload = json.dumps({"client": 0, "seq": seq, "msg": "grüße " + "x" * (seq * 7919 % 3000)}, ensure_ascii=False,
                         separators=(",", ":"))
    return logagent_pb2.LogRequest(json_data=payload, pipelines=["python"], api_key="python-key")


acknowledged = 0
with grpc.insecure_channel(target) as channel:
    grpc.channel_ready_future(channel).result(timeout=10)
    stub = logagent_pb2_grpc.LogAgentStub(channel)
    calls = [stub.SendLog.future(request(seq)) for seq in range(records)]
    for call in calls:
        response = call.result()
        assert response.success and response.message == "stored", response
        acknowledged += 1
for seq in range(records, records + 10):
    with grpc.insecure_channel(target) as channel:
        response = logagent_pb2_grpc.LogAgentStub(channel).SendLog(request(seq))
        assert response.success, response
        acknowledged += 1
print("acknowledged", acknowledged)
