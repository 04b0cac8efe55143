package com.datanadhi.hub.log;

import java.util.UUID;

/// A log record that is on stable storage.
///
/// @param epoch of the part of the log that it is in
/// @param offset its number in its stream, from 0, without gaps
/// @param time milliseconds since 1970, as given at the append
@SuppressWarnings("ArrayRecordComponent") // never compared
public record LogEntry(UUID epoch, long offset, int type, long time, byte[] payload) {
  /// `<first 8 hex digits of the epoch>/<stream>:<offset>`: never the same for two log records.
  public static String position(UUID epoch, String stream, long offset) {
    return positionStart(epoch, stream) + offset;
  }

  /// What the positions of an epoch and a stream have before the offset.
  public static String positionStart(UUID epoch, String stream) {
    return epoch.toString().substring(0, 8) + "/" + stream + ":";
  }
}
