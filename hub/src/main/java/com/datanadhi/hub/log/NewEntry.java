package com.datanadhi.hub.log;

/// A log record to append.
///
/// @param type what the payload is, 1 to 255; the log does not interpret it
/// @param time milliseconds since 1970
/// @param payload at most [Log#MAX_PAYLOAD] bytes; the caller does not change it after the append
@SuppressWarnings("ArrayRecordComponent") // never compared
public record NewEntry(int type, long time, byte[] payload) {}
