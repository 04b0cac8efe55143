package com.datanadhi.echopost.control;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// A message's way onto the wire and off it.
abstract class Message<T> implements MethodDescriptor.Marshaller<T> {
  abstract void write(T message, CodedOutputStream out) throws IOException;

  abstract T read(CodedInputStream in) throws IOException;

  static void skip(CodedInputStream in, int tag) throws IOException {
    if (!in.skipField(tag)) {
      throw new IOException("an unmatched end of group");
    }
  }

  @Override
  public InputStream stream(T message) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      write(message, out);
      out.flush();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return new ByteArrayInputStream(bytes.toByteArray());
  }

  @Override
  public T parse(InputStream stream) {
    try {
      return read(CodedInputStream.newInstance(stream));
    } catch (IOException bad) {
      throw Status.INTERNAL
          .withDescription("not a message of " + OperatorProtocol.SERVICE)
          .withCause(bad)
          .asRuntimeException();
    }
  }
}
