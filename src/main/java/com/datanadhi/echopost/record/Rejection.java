package com.datanadhi.echopost.record;

/// Why a record goes to the table `rejected`.
///
/// @param record which
/// @param status the HTTP status of the last answer, 0 for a record whose checksum does not match
/// @param response the start of that answer
/// @param attempts deliveries tried in this run
/// @param rejectedAt UTC, milliseconds since 1970
public record Rejection(
    PendingRecord record, int status, String response, int attempts, long rejectedAt) {}
