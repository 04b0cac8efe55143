package com.datanadhi.hub.record;

/// What tells two transactions under one key apart.
///
/// @param digest the digest of the contract, in lower-case hex (64 digits)
/// @param pipelinesDigest SHA-256 over the pipelines of all records in order, in lower-case hex
public record Content(String digest, String pipelinesDigest) {}
