package com.datanadhi.echopost.record;

/// The reason why a record is in the table `rejected`: the columns that it has beyond those of
/// `records`.
///
/// @param status the HTTP status of the last response, 0 for a damaged record (its checksum does
///   not match)
/// @param response the first 1 KiB of that response
/// @param rejectedAt UTC, milliseconds since 1970
/// @param attempts how many deliveries were attempted
public record RejectionDetails(int status, String response, long rejectedAt, int attempts) {}
