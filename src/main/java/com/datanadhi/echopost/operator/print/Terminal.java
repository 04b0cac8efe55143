package com.datanadhi.echopost.operator.print;

import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Where a command speaks with whoever gave it.
///
/// @param in what is handed over
/// @param out what was asked for
/// @param err progress, and what went wrong
/// @param ask puts a question to a person and returns the answer (empty when none came); null where
///   nobody can be asked
/// @param outIsScreen whether a person sees `out` as it comes
/// @param errIsScreen whether a person sees `err` as it comes
/// @param isColoured whether colours do any good there
public record Terminal(
    InputStream in,
    PrintStream out,
    PrintStream err,
    @Nullable UnaryOperator<String> ask,
    boolean outIsScreen,
    boolean errIsScreen,
    boolean isColoured) {
  /// Which of standard output and standard error are terminals, as only the launcher can see: `out`
  /// and `err`, in any order.
  private static final String SCREENS = "echopost.screens";

  /// Control characters, and those that turn the direction of writing.
  private static final Pattern CONTROLS =
      Pattern.compile(
          "[\\p{Cntrl}\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]",
          Pattern.UNICODE_CHARACTER_CLASS);

  /// One at which nobody sits.
  public Terminal(PrintStream out, PrintStream err, @Nullable UnaryOperator<String> ask) {
    this(InputStream.nullInputStream(), out, err, ask, false, false, false);
  }

  @SuppressWarnings("SystemConsoleNull") // by its documentation it still can be
  public static Terminal ofThisProcess() {
    Console console = System.console();
    boolean isTerminal = console != null && console.isTerminal();
    String screens = System.getProperty(SCREENS, isTerminal ? "out err" : "");
    boolean outIsScreen = screens.contains("out");
    return new Terminal(
        System.in,
        new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)),
            false,
            StandardCharsets.UTF_8),
        System.err,
        console == null || !isTerminal ? null : question -> answer(console, question),
        outIsScreen,
        screens.contains("err"),
        outIsScreen && wantsColours(System.getenv()));
  }

  /// By <https://no-color.org>, and as the oldest terminals need it.
  public static boolean wantsColours(Map<String, String> environment) {
    return environment.getOrDefault("NO_COLOR", "").isEmpty()
        && !environment.getOrDefault("TERM", "dumb").equals("dumb");
  }

  private static String answer(Console console, String question) {
    String line = console.readLine("%s", question);
    return line == null ? "" : line;
  }

  /// `text` as it is to be printed.
  public String paint(AnsiStyle ink, String text) {
    return isColoured ? ink.on(text) : text;
  }

  /// `text`, which may come from anywhere, without what could steer a terminal.
  public static String plain(String text) {
    return CONTROLS.matcher(text).replaceAll(" ");
  }

  /// Sees that what was printed has gone out.
  ///
  /// @throws IOException when it cannot: the disk is full, or nobody reads it any more
  public void flush() throws IOException {
    if (out.checkError()) {
      throw new IOException("standard output cannot be written, or nobody reads it any more");
    }
  }
}
