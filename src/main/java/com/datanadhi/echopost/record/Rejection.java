package com.datanadhi.echopost.record;

/// The reason why a record goes to the table `rejected`.
///
/// @param record the record
/// @param status the HTTP status of the last response, 0 for a damaged record (its checksum does
///   not match)
/// @param response the start of that response
/// @param attempts how many deliveries were attempted in this run
/// @param rejectedAt UTC, milliseconds since 1970
public record Rejection(
    PendingRecord record, int status, String response, int attempts, long rejectedAt) {}
