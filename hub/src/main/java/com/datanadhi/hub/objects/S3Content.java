package com.datanadhi.hub.objects;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/// The content of an object as it arrives: an end before its length is an [EOFException], and each
/// failure of the SDK an [IOException]. Closed before its end, it does not read the rest. Confined
/// to one thread.
final class S3Content extends InputStream {
  private final ResponseInputStream<GetObjectResponse> in;
  private long missing;
  private boolean ended;

  S3Content(ResponseInputStream<GetObjectResponse> in) {
    this.in = in;
    this.missing = in.response().contentLength();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) == -1 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0 || ended) {
      return length == 0 ? 0 : -1;
    }
    int count;
    try {
      // The SDK compares the checksum when it meets the end.
      count = in.read(buffer, offset, length);
    } catch (SdkException failed) {
      throw new IOException(failed.getMessage(), failed);
    }
    if (count == -1) {
      if (missing > 0) {
        throw new EOFException(missing + " bytes of the object are missing");
      }
      ended = true;
    } else {
      missing -= count;
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    if (ended) {
      in.close();
    } else {
      in.abort();
    }
  }
}
