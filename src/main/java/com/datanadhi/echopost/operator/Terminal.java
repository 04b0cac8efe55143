package com.datanadhi.echopost.operator;

import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Where a command speaks with whoever gave it.
///
/// @param out what was asked for
/// @param err progress, and what went wrong
/// @param ask puts a question to a person and returns the answer (empty when none came); null where
///   nobody can be asked
record Terminal(PrintStream out, PrintStream err, @Nullable UnaryOperator<String> ask) {
  @SuppressWarnings("SystemConsoleNull") // by its documentation it still can be
  static Terminal ofThisProcess() {
    Console console = System.console();
    return new Terminal(
        new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)),
            false,
            StandardCharsets.UTF_8),
        System.err,
        console == null || !console.isTerminal() ? null : question -> answer(console, question));
  }

  private static String answer(Console console, String question) {
    String line = console.readLine("%s", question);
    return line == null ? "" : line;
  }

  /// Sees that what was printed has gone out.
  ///
  /// @throws IOException when it cannot: the disk is full, or nobody reads it any more
  void flush() throws IOException {
    if (out.checkError()) {
      throw new IOException("standard output cannot be written, or nobody reads it any more");
    }
  }
}
