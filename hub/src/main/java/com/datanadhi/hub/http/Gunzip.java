package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Admission;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// Unpacks gzip (RFC 1952), also of several members. Stops as soon as the result is larger than
/// allowed, so that a small body cannot fill the memory; and it refuses what is cut or followed by
/// other bytes, which the JDK's stream passes over.
final class Gunzip {
  private static final int FLAG_HEADER_CRC = 2;
  private static final int FLAG_EXTRA = 4;
  private static final int FLAG_NAME = 8;
  private static final int FLAG_COMMENT = 16;
  private static final int HEADER = 10;
  private static final int TRAILER = 8;
  private static final String CUT = "its gzip ends in the middle";

  private final byte[] packed;
  private final int limit;
  private final Admission.Lease lease;
  private int at;
  private byte[] unpacked;
  private int length;

  private Gunzip(byte[] packed, int limit, Admission.Lease lease) {
    this.packed = packed;
    this.limit = limit;
    this.lease = lease;
    this.unpacked = new byte[0];
  }

  /// Whether `bytes` begin like gzip.
  static boolean isGzip(byte[] bytes) {
    return bytes.length >= 2 && bytes[0] == 0x1f && bytes[1] == (byte) 0x8b;
  }

  /// The content of `packed`.
  ///
  /// @param limit of the result, in bytes
  /// @param lease grows with the result
  static byte[] unpack(byte[] packed, int limit, Admission.Lease lease) throws ProblemException {
    return new Gunzip(packed, limit, lease).all();
  }

  private byte[] all() throws ProblemException {
    Inflater inflater = new Inflater(true);
    try {
      do {
        header();
        int begin = length;
        inflater.reset();
        inflater.setInput(packed, at, packed.length - at);
        inflate(inflater);
        at = packed.length - inflater.getRemaining();
        trailer(begin);
      } while (at < packed.length);
    } catch (DataFormatException e) {
      throw broken("its gzip is damaged");
    } finally {
      inflater.end();
    }
    return length == unpacked.length ? unpacked : Arrays.copyOf(unpacked, length);
  }

  private void inflate(Inflater inflater) throws DataFormatException, ProblemException {
    while (!inflater.finished()) {
      if (length == unpacked.length) {
        grow();
      }
      int more = inflater.inflate(unpacked, length, unpacked.length - length);
      length += more;
      if (length > limit) {
        throw new ProblemException(
            Problem.tooLarge(
                "The body is larger than %d bytes when unpacked. Send less at once."
                    .formatted(limit)));
      }
      if (more == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
        throw broken(CUT);
      }
    }
  }

  private void grow() throws ProblemException {
    // One byte more than allowed is enough to see that it is too large.
    int size = Math.min(limit + 1, Math.max(4 * packed.length, 2 * unpacked.length) + 64);
    int more = size - unpacked.length;
    if (!lease.tryGrow(more)) {
      throw NoMemoryException.of(lease, more);
    }
    unpacked = Arrays.copyOf(unpacked, size);
  }

  private void header() throws ProblemException {
    if (packed.length - at < HEADER) {
      throw broken(at == 0 ? "it is not gzip" : CUT);
    }
    if (packed[at] != 0x1f || packed[at + 1] != (byte) 0x8b || packed[at + 2] != 8) {
      throw broken(at == 0 ? "it is not gzip" : "there is more after the end of its gzip");
    }
    int flags = packed[at + 3];
    at += HEADER;
    if ((flags & FLAG_EXTRA) != 0) {
      skip(2);
      skip((packed[at - 2] & 255) | (packed[at - 1] & 255) << 8);
    }
    if ((flags & FLAG_NAME) != 0) {
      skipText();
    }
    if ((flags & FLAG_COMMENT) != 0) {
      skipText();
    }
    if ((flags & FLAG_HEADER_CRC) != 0) {
      skip(2);
    }
  }

  private void skipText() throws ProblemException {
    do {
      skip(1);
    } while (packed[at - 1] != 0);
  }

  private void skip(int bytes) throws ProblemException {
    if (packed.length - at < bytes) {
      throw broken(CUT);
    }
    at += bytes;
  }

  private void trailer(int begin) throws ProblemException {
    skip(TRAILER);
    CRC32 crc = new CRC32();
    crc.update(unpacked, begin, length - begin);
    if (little(at - 8) != (int) crc.getValue() || little(at - 4) != length - begin) {
      throw broken("its gzip is damaged");
    }
  }

  private int little(int from) {
    return (packed[from] & 255)
        | (packed[from + 1] & 255) << 8
        | (packed[from + 2] & 255) << 16
        | (packed[from + 3] & 255) << 24;
  }

  private static ProblemException broken(String why) {
    return new ProblemException(
        Problem.badRequest(
            "The body cannot be unpacked: " + why + ". Send one complete gzip stream."));
  }
}
