package com.datanadhi.echopost.record;

/// Why a record is in the table `rejected`: the columns that it has beyond those of `records`.
///
/// @param status the HTTP status of the last answer, 0 for a damaged record
/// @param response the first 1 KiB of that answer
/// @param rejectedAt UTC, milliseconds since 1970
/// @param attempts deliveries tried
public record RejectionDetails(int status, String response, long rejectedAt, int attempts) {}
