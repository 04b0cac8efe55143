package com.datanadhi.echopost.operator.print;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The standard output of this process, which remembers why it could not be written: a
/// [PrintStream] only says that it could not. Not thread-safe.
final class StandardOutput extends PrintStream {
  /// The text of the system's error EPIPE. Java has no exception of its own for it.
  private static final String READER_CLOSED = "Broken pipe";

  private final Descriptor descriptor;

  StandardOutput() {
    this(new Descriptor(new FileOutputStream(FileDescriptor.out)));
  }

  private StandardOutput(Descriptor descriptor) {
    super(new BufferedOutputStream(descriptor), false, StandardCharsets.UTF_8);
    this.descriptor = descriptor;
  }

  /// The first failure since the start.
  ///
  /// @return null if there was none
  @Nullable IOException failure() {
    return descriptor.failure;
  }

  private static final class Descriptor extends FilterOutputStream {
    private @Nullable IOException failure;

    Descriptor(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException failed) {
        if (failure == null) {
          failure =
              READER_CLOSED.equals(failed.getMessage()) ? new ReaderClosedException() : failed;
        }
        throw failed;
      }
    }
  }
}
