package com.datanadhi.hub.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.json.ControlCharacters;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/// Where a command prints its result. Not thread-safe.
///
/// Text from outside never reaches a terminal with characters that control it. A reader that has
/// enough, as `head` does, ends the command quietly.
final class Output {
  /// The text of the system's error EPIPE. Java has no exception of its own for it.
  private static final String BROKEN_PIPE = "Broken pipe";

  private final OutputStream out;

  Output(OutputStream out) {
    this.out = new BufferedOutputStream(out, 1 << 16);
  }

  /// Prints text and a line end.
  ///
  /// @param line of which control characters are shown as escapes
  void line(String line) {
    write((readable(line) + "\n").getBytes(UTF_8));
  }

  /// Prints a JSON text and a line end. Characters that control a terminal are escaped, which keeps
  /// its value.
  void json(String json) {
    write((ControlCharacters.escape(json) + "\n").getBytes(UTF_8));
  }

  /// Prints text that this program made and that may have several lines.
  void text(String text) {
    write(text.getBytes(UTF_8));
  }

  private void write(byte[] bytes) {
    try {
      out.write(bytes);
    } catch (IOException failed) {
      throw failure(failed);
    }
  }

  void flush() {
    try {
      out.flush();
    } catch (IOException failed) {
      throw failure(failed);
    }
  }

  private static RuntimeException failure(IOException failed) {
    return BROKEN_PIPE.equals(failed.getMessage())
        ? new ReaderGoneException()
        : new FailedException("cannot write the output: " + failed.getMessage());
  }

  /// `text` with escapes instead of the characters that control a terminal.
  static String readable(String text) {
    StringBuilder readable = new StringBuilder(text.length());
    text.codePoints()
        .forEach(c -> {
          if (ControlCharacters.contains(c)) {
            readable.append(String.format("\\u%04x", c));
          } else {
            readable.appendCodePoint(c);
          }
        });
    return readable.toString();
  }

  /// The reader of the output has closed it: the rest is not wanted.
  static final class ReaderGoneException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }
}
