"""Computes the chain over the records of a canonical.db and compares it with the one that is stored.

Usage: verify_chain.py canonical.db
"""
import hashlib
import json
import sqlite3
import struct
import sys


def text(value):
    return struct.pack(">I", len(value)) + value


database = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
database.text_factory = bytes
tenant, seq, chain, first_seq, before = database.execute(
    "SELECT tenant, seq, chain, first_seq, chain_before_first FROM state").fetchone()
value = bytes.fromhex(before.decode())
if first_seq == 1 and value != hashlib.sha256(tenant).digest():
    sys.exit("the chain does not begin with the tenant's name")
expected = first_seq
for n, part, received_at, key, pipelines, log_data, sha256 in database.execute(
        "SELECT seq, part, received_at, key, pipelines, log_data, sha256 FROM events ORDER BY seq"):
    if n != expected:
        sys.exit("seq %d is missing" % expected)
    # Of the older moves of a cursor, a snapshot of _control has only the digest.
    content = hashlib.sha256(log_data).digest() if log_data else bytes.fromhex(sha256.decode())
    names = [name.encode() for name in json.loads(pipelines)]
    value = hashlib.sha256(
        value + struct.pack(">qqq", n, part, received_at) + text(key) + struct.pack(">I", len(names))
        + b"".join(map(text, names)) + content).digest()
    expected += 1
if expected != seq + 1 or value != bytes.fromhex(chain.decode()):
    sys.exit("the chain differs at seq %d" % (expected - 1))
print("seq %d chain %s" % (seq, value.hex()))
